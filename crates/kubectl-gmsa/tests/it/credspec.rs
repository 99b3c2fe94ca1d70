//! `kubectl gmsa credspec` as a person runs it.

use crate::support::{BY_HAND, Ran, as_administrator, install_definition, ran, run, run_on};
use gmsa_testkit::domain_controller::{GUID, SID};
use gmsa_testkit::shared;
use serde_json::{Value, json};

fn json_of(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn made_by_hand_it_is_the_example() {
    let made = run(&BY_HAND);
    assert_eq!((made.code, made.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(made.stdout);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("made.yaml");
    std::fs::write(&file, &made.stdout).unwrap();
    let example = "examples/1-credential-spec.yaml";
    let compared = run(&["credspec", "diff", file.to_str().unwrap(), example]);
    assert_eq!((compared.code, compared.stdout.as_str()), (0, ""), "{}", compared.stderr);

    let bare = run(&[&BY_HAND[..], &["-o", "credspec"]].concat());
    let whole = run(&[&BY_HAND[..], &["-o", "json"]].concat());
    assert_eq!(json_of(&bare), json_of(&whole)["credspec"]);
}

#[test]
fn plug_ins_and_their_input() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("input");
    let path = input.to_str().unwrap();
    let create = |plugin: &str, text: &str| {
        std::fs::write(&input, text).unwrap();
        let plugin = ["--host-plugin", plugin, "--plugin-input-file", path, "-o", "credspec"];
        run(&[&BY_HAND[..], &plugin].concat())
    };
    let aks = "ObjectId=4d2;SecretUri=https://v.vault.azure.net/secrets/s";
    let made = create("aks", &format!("{aks}\n"));
    assert_eq!(
        json_of(&made)["ActiveDirectoryConfig"]["HostAccountConfig"],
        json!({
            "PluginGUID": "{CCC2A336-D7F3-4818-A213-272B7924213E}",
            "PluginInput": aks,
            "PortableCcgVersion": "1",
        })
    );
    let braced = create("{e4781092-f116-4b79-b55e-28eb6a224e26}", "ns:secret");
    let guid = &json_of(&braced)["ActiveDirectoryConfig"]["HostAccountConfig"]["PluginGUID"];
    assert_eq!(guid, "{E4781092-F116-4B79-B55E-28EB6A224E26}");
    assert_eq!(create("azure", "").code, 2);
    let secret = create("aks", "alice@contoso.com:hunter2");
    assert_eq!((secret.code, secret.stdout.as_str()), (2, ""));
    assert!(!secret.stderr.contains("hunter2"), "{}", secret.stderr);

    // References of known plug-ins as flags, and the input of any other from standard input.
    let flags = [
        "--host-plugin",
        "aks",
        "--plugin-identity",
        "4d2",
        "--plugin-secret",
        "https://v.vault.azure.net/secrets/s",
        "-o",
        "credspec",
    ];
    let flagged = run(&[&BY_HAND[..], &flags].concat());
    assert_eq!(json_of(&flagged), json_of(&made));
    let guid = "{01234567-89AB-CDEF-0123-456789ABCDEF}";
    let unknown = [&BY_HAND[..], &["--host-plugin", guid, "-o", "credspec"]].concat();
    let from_stdin = [&unknown[..], &["--plugin-input-file", "-"]].concat();
    let plain = b"the input\r\n".to_vec();
    let wide = "\u{feff}the input\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let [told, same]: [Value; 2] = [plain, wide].map(|input: Vec<u8>| {
        json_of(&ran(crate::support::plugin(&from_stdin).write_stdin(input)))
    });
    assert_eq!(told, same);
    let config = &told["ActiveDirectoryConfig"]["HostAccountConfig"];
    assert_eq!(
        (&config["PluginGUID"], &config["PluginInput"]),
        (&guid.into(), &"the input".into())
    );
    for more in [&["--plugin-secret", "hunter2"][..], &[]] {
        let refused = run(&[&unknown[..], more].concat());
        assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
        assert!(refused.stderr.contains("--plugin-input-file"), "{}", refused.stderr);
        assert!(!refused.stderr.contains("hunter2"), "{}", refused.stderr);
    }
}

#[test]
fn what_could_not_work_is_not_made() {
    let with = |from: &str, to: &str| {
        let args: Vec<&str> =
            BY_HAND.iter().map(|arg| if *arg == from { to } else { arg }).collect();
        run(&args)
    };
    for (from, to, code) in [
        (BY_HAND[10], "S-1-5-21-2126449477-2524075714-3094792973-1103", "sid-not-domain"),
        (BY_HAND[12], "not-a-guid", "guid-invalid"),
        ("WebApp1$", "a-name-that-is-too-long", "machine-account-name-invalid"),
    ] {
        let ran = with(from, to);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains(code), "{}", ran.stderr);
    }
    let braced = with(BY_HAND[12], "{244818AE-87AC-4FCD-92EC-E79E5252348A}");
    assert_eq!(braced.stdout, run(&BY_HAND).stdout);
    let missing = run(&["credspec", "create", "x", "--account", "a"]);
    assert_eq!(missing.code, 2);
    let flags = "--domain, --netbios, --sid, --guid are missing (or --from-ad";
    assert!(missing.stderr.contains(flags), "{}", missing.stderr);
    // A name is made valid, and that is said.
    let named = with("gmsa-webapp1", "Gmsa_WebApp1");
    assert_eq!((named.code, named.stdout), (0, run(&BY_HAND).stdout));
    assert!(named.stderr.contains("called gmsa-webapp1"), "{}", named.stderr);
}

#[test]
fn files_of_windows_are_imported_and_judged() {
    let directory = tempfile::tempdir().unwrap();
    let bare = run(&[&BY_HAND[..], &["-o", "credspec"]].concat()).stdout;
    let wide: Vec<u8> =
        format!("\u{feff}{bare}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(directory.path().join("WebApp1.json"), wide).unwrap();
    let path = directory.path().to_str().unwrap();
    let imported = run(&["credspec", "import", path, "-o", "json"]);
    let imported = json_of(&imported);
    assert_eq!(imported["metadata"]["name"], "webapp1");
    assert_eq!(imported["credspec"], serde_json::from_str::<Value>(&bare).unwrap());
    let named = run(&["credspec", "import", path, "--name", "other", "-o", "json"]);
    assert_eq!(json_of(&named)["metadata"]["name"], "other");

    std::fs::write(directory.path().join("twice.json"), r#"{"CmsPlugins": [], "CmsPlugins": []}"#)
        .unwrap();
    for command in [&["credspec", "import", path][..], &["credspec", "lint", "-f", path]] {
        let twice = run(command);
        assert_eq!((twice.code, twice.stdout.as_str()), (2, ""), "{command:?}");
        assert!(twice.stderr.contains("the key CmsPlugins is there twice"), "{}", twice.stderr);
    }
    std::fs::remove_file(directory.path().join("twice.json")).unwrap();
    let empty = run(&["credspec", "lint", "-f", "/dev/null"]);
    assert_eq!((empty.code, empty.stdout.as_str()), (2, ""));
    assert!(empty.stderr.contains("failed to find a credential spec"), "{}", empty.stderr);

    std::fs::write(directory.path().join("bad.json"), r#"{"CmsPlugins": []}"#).unwrap();
    let bad = run(&["credspec", "import", path]);
    assert_eq!(bad.code, 1);
    assert!(bad.stderr.contains("bad: CmsPlugins does not contain"), "{}", bad.stderr);
    assert!(bad.stdout.contains("---\n"), "{}", bad.stdout);
    assert_eq!(run(&["credspec", "import", path, "--name", "one"]).code, 2);

    let linted = run(&["credspec", "lint", "-f", path]);
    assert_eq!(linted.code, 1);
    assert!(linted.stdout.contains("2 credential specs, 1 without findings"), "{}", linted.stdout);
    let report = run(&["credspec", "lint", "-f", path, "-o", "json"]);
    let report: Value = serde_json::from_str(&report.stdout).unwrap();
    assert_eq!(report["kind"], "CredspecLintReport");
    assert_eq!(report["credentialSpecs"][0]["findings"], json!([]));
}

#[test]
fn files_of_every_encoding_are_one_object_and_back() {
    let directory = tempfile::tempdir().unwrap();
    let windows = directory.path().join("CredentialSpecs");
    std::fs::create_dir(&windows).unwrap();
    let bare = run(&[&BY_HAND[..], &["-o", "credspec"]].concat()).stdout.replace('\n', "\r\n");
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let marked = format!("\u{feff}{bare}");
    for (name, bytes) in [
        ("Ascii", bare.clone().into_bytes()),
        ("Utf8_Mark", marked.clone().into_bytes()),
        ("Unicode", wide(&marked)),
        ("Unmarked", wide(&bare)),
    ] {
        std::fs::write(windows.join(format!("{name}.json")), bytes).unwrap();
    }
    let path = windows.to_str().unwrap();
    let imported = run(&["credspec", "import", path, "-o", "json"]);
    assert!(imported.stderr.contains("is called utf8-mark"), "{}", imported.stderr);
    let list = json_of(&imported);
    let items = list["items"].as_array().unwrap();
    let names: Vec<&str> =
        items.iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ascii", "unicode", "unmarked", "utf8-mark"]);
    assert!(items.iter().all(|item| item["credspec"] == items[0]["credspec"]));

    // Into manifests, one file each, and back to what Windows reads.
    let (manifests, back) = (directory.path().join("manifests"), directory.path().join("back"));
    // One is there, and the other is written as a directory.
    std::fs::create_dir(&back).unwrap();
    let to = &format!("{}/", manifests.display());
    let written = run(&["credspec", "import", path, "--out", to]);
    assert_eq!((written.code, written.stdout.lines().count()), (0, 4), "{}", written.stderr);
    let several = run(&["credspec", "import", to, "-o", "credspec"]);
    assert_eq!((several.code, several.stdout.as_str()), (2, ""));
    let out = ["-o", "credspec", "--out", back.to_str().unwrap()];
    let returned = [&["credspec", "import", to][..], &out].concat();
    assert_eq!(run(&returned).code, 0);
    let text = std::fs::read_to_string(back.join("ascii.json")).unwrap();
    let (text, bare): (Value, Value) =
        (serde_json::from_str(&text).unwrap(), serde_json::from_str(&bare).unwrap());
    assert_eq!(text, bare);

    // Nothing is replaced unless that is wished, and then all or none.
    std::fs::remove_file(back.join("ascii.json")).unwrap();
    let again = run(&returned);
    assert_eq!(again.code, 2);
    assert!(again.stderr.contains("unicode.json: it exists"), "{}", again.stderr);
    assert!(!back.join("ascii.json").exists());
    assert_eq!(run(&[&returned[..], &["--overwrite"]].concat()).code, 0);
    assert!(back.join("ascii.json").exists());

    // A file that is cut off within a character.
    let file = windows.join("Unicode.json");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let cut = run(&["credspec", "import", path]);
    assert_eq!((cut.code, cut.stdout.as_str()), (2, ""));
    assert!(cut.stderr.contains("Unicode.json: it ends within a character"), "{}", cut.stderr);
}

#[tokio::test]
async fn credential_specs_of_a_cluster() {
    let Some(cluster) = shared::cluster("credential_specs_of_a_cluster").await else { return };
    install_definition(&cluster).await;
    let kubeconfig = &cluster.kubeconfig;
    let name = cluster.unique("made");
    let mut create = BY_HAND;
    create[2] = &name;
    let create = |more: &[&str]| run_on(kubeconfig, &[&create[..], &["--apply"], more].concat());
    let tried = create(&["--dry-run=server"]);
    assert_eq!((tried.code, tried.stderr.as_str()), (0, ""));
    assert!(tried.stdout.contains("applied (server dry run)"), "{}", tried.stdout);
    let absent = run_on(kubeconfig, &["credspec", "show", &name]);
    assert_eq!((absent.code, absent.stdout.as_str()), (1, ""));
    assert!(absent.stderr.contains("does not exist"), "{}", absent.stderr);
    let printed = create(&["--dry-run=client"]);
    assert!(printed.stdout.contains("kind: GMSACredentialSpec"), "{}", printed.stdout);

    // What would be ignored is refused, before anything is applied.
    let refused = create(&["-o", "json"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    assert!(refused.stderr.contains("--output does nothing with --apply"), "{}", refused.stderr);
    let absent = run_on(kubeconfig, &["credspec", "show", &name]);
    assert_eq!(absent.code, 1, "{}", absent.stdout);

    let applied = create(&[]);
    assert_eq!(applied.stdout, format!("gmsacredentialspec.windows.k8s.io/{name} applied\n"));
    let shown = run_on(kubeconfig, &["credspec", "show", &name]);
    assert!(shown.stdout.contains("Domain:      contoso.com (CONTOSO)"), "{}", shown.stdout);
    assert!(shown.stdout.ends_with("Findings:    none\n"), "{}", shown.stdout);
    let listed = run_on(kubeconfig, &["credspec", "list"]);
    let line = listed.stdout.lines().find(|line| line.starts_with(&name)).unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells[1..], ["WebApp1", "contoso.com", "-", "0"]);
    let names = run_on(kubeconfig, &["credspec", "list", "-o", "name"]).stdout;
    assert!(names.contains(&format!("gmsacredentialspec.windows.k8s.io/{name}\n")), "{names}");
    assert!(json_of(&run_on(kubeconfig, &["credspec", "list", "-o", "json"]))["items"].is_array());
    assert_eq!(run_on(kubeconfig, &["credspec", "lint", &name]).code, 0);
    let file = "examples/1-credential-spec.yaml";
    assert_eq!(run_on(kubeconfig, &["credspec", "diff", &name, file]).code, 0);

    // Another manager changes a field: that is not overwritten in silence.
    let mut other = json_of(&run_on(kubeconfig, &["credspec", "show", &name, "-o", "json"]));
    for field in ["creationTimestamp", "uid", "resourceVersion", "generation"] {
        other["metadata"].as_object_mut().unwrap().remove(field);
    }
    other["credspec"]["DomainJoinConfig"]["NetBiosName"] = json!("EU");
    cluster.apply(&other).await;
    let differs = run_on(kubeconfig, &["credspec", "diff", &name, file]);
    assert_eq!(differs.code, 1);
    let lines =
        "- DomainJoinConfig.NetBiosName: \"EU\"\n+ DomainJoinConfig.NetBiosName: \"CONTOSO\"";
    assert!(differs.stdout.contains(lines), "{}", differs.stdout);
    let refused = create(&[]);
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("--force-conflicts"), "{}", refused.stderr);
    assert_eq!(create(&["--force-conflicts"]).code, 0);
    assert_eq!(run_on(kubeconfig, &["credspec", "diff", &name, file]).code, 0);

    // Without the right to read, the message names it.
    let namespace = cluster.namespace("credspec").await;
    let poor = cluster.token_kubeconfig(&namespace, "default").await;
    let refused = run_on(&poor, &["credspec", "list"]);
    assert_eq!(refused.code, 3);
    assert!(refused.stderr.contains("403"), "{}", refused.stderr);
}

#[tokio::test]
async fn from_active_directory() {
    let Some(controller) = shared::domain_controller("from_active_directory").await else { return };
    let name = controller.unique("Ad");
    let directory = |args: &[&str]| ran(&mut as_administrator(&controller, args));
    let create = ["credspec", "create", "x", "--from-ad", "--account", &name, "-o", "credspec"];
    let missing = directory(&create);
    assert_eq!((missing.code, missing.stdout.as_str()), (1, ""));
    assert!(missing.stderr.contains("does not exist"), "{}", missing.stderr);
    assert_eq!(directory(&["account", "create", &name, "--host", "WEBHOST1"]).code, 0);
    let made = json_of(&directory(&create));
    assert_eq!(
        made["DomainJoinConfig"],
        json!({
            "DnsName": "contoso.com",
            "DnsTreeName": "contoso.com",
            "Guid": GUID,
            "MachineAccountName": name,
            "NetBiosName": "CONTOSO",
            "Sid": SID,
        })
    );
    let wrong = directory(&[&create[..], &["--domain", "fabrikam.com"]].concat());
    assert_eq!(wrong.code, 1);
    assert!(wrong.stderr.contains("of contoso.com, not of fabrikam.com"), "{}", wrong.stderr);

    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("made.json");
    std::fs::write(&file, made.to_string()).unwrap();
    let lint = ["credspec", "lint", "--from-ad", "-f", file.to_str().unwrap()];
    let good = directory(&lint);
    assert_eq!(good.code, 0, "{}", good.stdout);
    std::fs::write(
        &file,
        made.to_string().replace("3333333333", "3333333334").replace(&name, "Gone"),
    )
    .unwrap();
    let bad = directory(&lint);
    assert_eq!(bad.code, 1);
    for code in ["domain-fact-wrong", "account-unusable"] {
        assert!(bad.stdout.contains(code), "{}", bad.stdout);
    }
}

#[tokio::test]
async fn two_odd_names_never_become_one_credential_spec() {
    let named = |name: &str, more: &[&str]| {
        let mut args = BY_HAND.to_vec();
        args[2] = name;
        args.extend(more);
        args.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let offline = |name: &str| {
        let args = named(name, &[]);
        run(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    // Nothing of these is left in a name, so each would have the same.
    let files = tempfile::tempdir().unwrap();
    for odd in ["日本", "##"] {
        let made = offline(odd);
        assert_eq!((made.code, made.stdout.as_str()), (2, ""), "{odd}");
        assert!(made.stderr.contains("nothing of it can be in a name"), "{}", made.stderr);
        let file = files.path().join(format!("{odd}.json"));
        std::fs::write(&file, r#"{"CmsPlugins": ["ActiveDirectory"]}"#).unwrap();
        let made = run(&["credspec", "import", file.to_str().unwrap()]);
        assert_eq!((made.code, made.stdout.as_str()), (2, ""), "{odd}");
        assert!(made.stderr.contains("give it --name"), "{}", made.stderr);
    }
    let made = offline("Web App");
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert!(made.stderr.contains("the credential spec is called web-app"), "{}", made.stderr);

    let test = "two_odd_names_never_become_one_credential_spec";
    let Some(cluster) = shared::cluster(test).await else { return };
    install_definition(&cluster).await;
    let name = cluster.unique("odd");
    let applied = |name: &str, netbios: &str| {
        let mut args = named(name, &["--apply"]);
        args[8] = netbios.to_owned();
        run_on(&cluster.kubeconfig, &args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (spaced, underlined) = (format!("{name} x"), format!("{name}_x"));
    assert_eq!(applied(&spaced, "CONTOSO").code, 0);
    // The same contents are the same credential spec.
    assert_eq!(applied(&underlined, "CONTOSO").code, 0);
    let other = applied(&underlined, "FABRIKAM");
    assert_eq!((other.code, other.stdout.as_str()), (3, ""), "{}", other.stderr);
    let words = format!("as \"{underlined}\" would be called: there is one with other contents");
    assert!(other.stderr.contains(&words), "{}", other.stderr);
    let contents = |name: &str| {
        let shown = run_on(&cluster.kubeconfig, &["credspec", "show", name, "-o", "json"]);
        json_of(&shown)["credspec"]["DomainJoinConfig"]["NetBiosName"].clone()
    };
    let valid = format!("{name}-x");
    assert_eq!(contents(&valid), "CONTOSO");
    // By its own name it is meant.
    assert_eq!(applied(&valid, "FABRIKAM").code, 0);
    assert_eq!(contents(&valid), "FABRIKAM");
}
