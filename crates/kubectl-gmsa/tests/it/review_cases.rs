//! Manifests as people write them, and what `review` and `credspec` say of each.

use gmsa_testkit::objects;
use serde_json::{Value, json};

use crate::reviewing::{review, run};

/// What a workload in the namespace `shop` needs, in which account `web` may use `webapp`.
fn facts() -> String {
    [
        objects::credential_spec("webapp", "WebApp1"),
        objects::role("webapp"),
        objects::binding("webapp", "shop", "web"),
    ]
    .map(|object| object.to_string())
    .join("\n---\n")
}

/// The spec of a pod that is sound, with more.
fn spec(more: &Value) -> Value {
    let mut spec = json!({"serviceAccountName": "web",
        "nodeSelector": {"kubernetes.io/os": "windows"},
        "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": "webapp"}},
        "containers": [{"name": "iis", "image": "iis"}]});
    for (key, value) in more.as_object().unwrap() {
        spec[key] = value.clone();
    }
    spec
}

fn deployment(spec: &Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "db", "namespace": "shop"}, "spec": {"template": {"spec": spec}}})
}

fn report(objects: &str) -> Value {
    let text = format!("{}\n---\n{objects}", facts());
    let ran = run(&["review", "-f", "-", "-o", "json"], &text);
    assert!(ran.code < 2, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    crate::schema::check("review-report", &report);
    report
}

/// The codes of the findings of the only workload, each with its message.
fn found(spec: &Value) -> Vec<(String, String)> {
    let report = report(&deployment(spec).to_string());
    let [workload] = &report["workloads"].as_array().unwrap()[..] else { panic!("{report}") };
    assert_eq!(workload["verdict"], "admitted", "{workload}");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap().to_owned();
    let findings = workload["findings"].as_array().unwrap();
    findings.iter().map(|one| (text(one, "code"), text(one, "message"))).collect()
}

fn codes(spec: &Value) -> Vec<String> {
    found(spec).into_iter().map(|(code, _)| code).collect()
}

#[test]
fn the_hostname_override_counts_as_the_hostname() {
    assert_eq!(codes(&spec(&json!({"hostnameOverride": "web.contoso.com"}))), ["fixed-hostname"]);
    let both = json!({"hostnameOverride": "web", "hostname": "gmsa-abcdefghij"});
    assert_eq!(codes(&spec(&both)), ["fixed-hostname"]);
}

#[test]
fn fields_that_the_api_server_refuses_beside_os_name_are_errors() {
    let code = "field-of-another-system";
    let linux = json!({"runAsUser": 1000, "fsGroup": 2000,
        "windowsOptions": {"gmsaCredentialSpecName": "webapp"}});
    let beside = json!({"os": {"name": "windows"}, "securityContext": linux});
    let [(found_code, message)] = &found(&spec(&beside))[..] else { panic!() };
    assert_eq!(found_code, code);
    assert!(
        message.contains("spec.securityContext.fsGroup, spec.securityContext.runAsUser"),
        "{message}"
    );
    assert_eq!(codes(&spec(&json!({"os": {"name": "linux"}})))[..], [code]);
    // Without os.name they are taken, and no remedy turns them into what is refused.
    let mut without = spec(&json!({"securityContext": linux}));
    without.as_object_mut().unwrap().remove("nodeSelector");
    assert_eq!(codes(&without), ["not-bound-to-windows"]);
    without["nodeSelector"] = json!({"kubernetes.io/os": "windows"});
    assert_eq!(codes(&without), [""; 0]);
}

#[test]
fn the_old_label_binds_and_a_pool_may() {
    let old = json!({"nodeSelector": {"beta.kubernetes.io/os": "windows"}});
    assert_eq!(codes(&spec(&old)), ["os-label-deprecated"]);
    let pool = json!({"nodeSelector": {"agentpool": "win22"}});
    let [(code, message)] = &found(&spec(&pool))[..] else { panic!() };
    assert_eq!(code, "not-bound-to-windows");
    assert!(
        message.contains("may not be bound") && message.contains("agentpool=win22"),
        "{message}"
    );
}

#[test]
fn users_that_do_not_have_the_identity() {
    let user = |name: &str, image: &str| {
        let context = json!({"windowsOptions": {"gmsaCredentialSpecName": "webapp",
            "runAsUserName": name}});
        found(&spec(&json!({"securityContext": context,
            "containers": [{"name": "iis", "image": image}]})))
    };
    for (name, image, says) in [
        ("svc-web", "iis", "leave runAsUserName out"),
        ("CONTOSO\\WebApp1$", "iis", "gmsaCredentialSpecName is all"),
        ("ContainerUser", "mcr.microsoft.com/windows/nanoserver:ltsc2022", "(build 20348)"),
    ] {
        let [(code, message)] = &user(name, image)[..] else { panic!("{name}") };
        assert_eq!(code, "user-without-identity");
        assert!(message.contains(says), "{message}");
    }
    assert_eq!(user("ContainerUser", "mcr.microsoft.com/windows/servercore:ltsc2022"), []);
}

#[test]
fn an_image_for_another_build_than_the_nodes() {
    let build = json!({"nodeSelector": {"kubernetes.io/os": "windows",
        "node.kubernetes.io/windows-build": "10.0.17763"},
        "containers": [{"name": "iis", "image": "mcr.microsoft.com/windows/servercore:ltsc2022"}]});
    assert_eq!(codes(&spec(&build)), ["image-build-mismatch"]);
}

#[test]
fn annotations_of_the_alpha_version_and_misspelled_keys_fail_a_pipeline() {
    let mut old = deployment(&spec(&json!({"securityContext": {}})));
    old["spec"]["template"]["metadata"] = json!({"annotations": {
        "pod.alpha.windows.kubernetes.io/gmsa-credential-spec-name": "webapp"}});
    let misspelled = json!({"securityContext": {"windowsOptions":
        {"gmsaCredentialspecName": "webapp"}}});
    for object in [old, deployment(&spec(&misspelled))] {
        let text = object.to_string();
        let ran = run(&["review", "-f", "-"], &text);
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(ran.stdout.contains("error    field-not-read"), "{}", ran.stdout);
        assert!(
            ran.stdout.contains(
                "spec.template.spec.securityContext.windowsOptions.gmsaCredentialSpecName"
            ),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn templates_below_any_path_are_judged_and_the_rest_is_named() {
    let template = json!({"spec": spec(&json!({}))});
    let scaled = json!({"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledJob",
        "metadata": {"name": "agent", "namespace": "shop"},
        "spec": {"jobTargetRef": {"template": template}}});
    let report_of = report(&scaled.to_string());
    let workload = &report_of["workloads"][0];
    assert_eq!(workload["verdict"], "admitted", "{report_of}");
    assert_eq!(workload["template"], "spec.jobTargetRef.template", "{workload}");

    // An operator's object has the spec of its pods without a template around it.
    let operated = |pod: Value| {
        json!({"apiVersion": "x.example/v1", "kind": "Runner",
            "metadata": {"name": "agent", "namespace": "shop"}, "spec": {"podSpec": pod}})
    };
    let report_of = report(&operated(spec(&json!({}))).to_string());
    let workload = &report_of["workloads"][0];
    assert_eq!(workload["verdict"], "admitted", "{report_of}");
    assert_eq!(workload["template"], "spec.podSpec", "{workload}");
    let ran = run(
        &["review", "-f", "-", "-o", "yaml"],
        &format!("{}\n---\n{}", facts(), operated(spec(&json!({})))),
    );
    assert!(ran.stdout.contains("gmsaCredentialSpec: "), "{}{}", ran.stdout, ran.stderr);
    let misspelled =
        json!({"securityContext": {"windowsOptions": {"gmsaCredentialspecName": "x"}}});
    let report_of = report(&operated(spec(&misspelled)).to_string());
    let finding = report_of["workloads"][0]["findings"][0].to_string();
    let meant = "spec.podSpec.securityContext.windowsOptions.gmsaCredentialSpecName";
    assert!(finding.contains("field-not-read") && finding.contains(meant), "{report_of}");

    let openshift = json!({"apiVersion": "template.openshift.io/v1", "kind": "Template",
        "metadata": {"name": "web"}, "parameters": [{"name": "SPEC", "value": "webapp"}],
        "objects": [deployment(&spec(&json!({"securityContext": {"windowsOptions":
            {"gmsaCredentialSpecName": "${SPEC}"}}})))]});
    let report_of = report(&openshift.to_string());
    assert_eq!(report_of["workloads"][0]["verdict"], "admitted", "{report_of}");

    let release = json!({"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "shop"}, "spec": {"values": {
            "podSecurityContext": {"windowsOptions": {"gmsaCredentialSpecName": "webapp"}}}}});
    let report_of = report(&release.to_string());
    let finding = &report_of["findings"][0];
    assert_eq!(finding["code"], "credspec-not-judged", "{report_of}");
    assert_eq!(finding["object"], "HelmRelease shop/web");
    assert_eq!(
        finding["message"],
        "names credential spec \"webapp\" at spec.values.podSecurityContext.windowsOptions.\
         gmsaCredentialSpecName, which was not judged"
    );
    assert!(finding["hint"].as_str().unwrap().contains("helm template"), "{finding}");
}

#[test]
fn a_patch_is_no_workload_and_nobody_is_granted_what_no_one_asked_for() {
    let overlay = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = overlay.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    put(
        "prod/kustomization.yaml",
        "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n\
        namespace: shop\nresources: [facts.yaml, ../base]\npatches: [{path: patch.yaml}]\n",
    );
    put("prod/facts.yaml", &facts());
    put(
        "prod/patch.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: \
         {securityContext: {windowsOptions: {gmsaCredentialSpecName: webapp}}}}}\n",
    );
    let mut base = deployment(&spec(&json!({})));
    base["metadata"] = json!({"name": "web"});
    base["spec"]["template"]["spec"].as_object_mut().unwrap().remove("securityContext");
    put("base/deployment.yaml", &base.to_string());
    put("base/kustomization.yaml", "resources: [deployment.yaml]\n");
    let prod = overlay.path().join("prod");
    let prod = prod.to_str().unwrap();
    let ran = review(&["-f", prod]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let render = format!("render it first, as kubectl kustomize {prod} | kubectl gmsa review -f -");
    for said in [
        format!(
            "Deployment web has no containers with an image, so it is a patch and no workload: {render}"
        ),
        format!("Kustomization is for kustomize: {render}"),
    ] {
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
    assert!(ran.stdout.contains("credspec-not-judged"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("grant"), "{}", ran.stdout);

    // The advice works.
    if let Some(kubectl) = gmsa_testkit::tools::find("a_patch_is_no_workload", "kubectl") {
        let built = std::process::Command::new(kubectl)
            .args(["kustomize", "--load-restrictor=LoadRestrictionsNone", prod])
            .output()
            .unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let ran = run(&["review", "-f", "-"], &String::from_utf8(built.stdout).unwrap());
        assert_eq!(ran.code, 0, "{}", ran.stdout);
        assert!(ran.stdout.contains("Deployment shop/web"), "{}", ran.stdout);
    }

    // A whole workload that names no account.
    let mut unnamed = deployment(&spec(&json!({})));
    unnamed["spec"]["template"]["spec"].as_object_mut().unwrap().remove("serviceAccountName");
    let report = report(&unnamed.to_string());
    let denial = &report["workloads"][0]["places"][0]["denial"];
    assert_eq!(denial["reason"], "not-authorized", "{report}");
    assert!(!denial.to_string().contains("shop/default"), "{denial}");
    assert!(denial["hint"].as_str().unwrap().contains("set serviceAccountName"), "{denial}");
}

#[test]
fn a_credential_spec_of_another_group_is_an_error_and_import_writes_the_right_one() {
    let mut old = objects::credential_spec("webapp", "WebApp1");
    old["apiVersion"] = json!("auth.k8s.io/v1alpha1");
    let lint = run(&["credspec", "lint", "-f", "-"], &old.to_string());
    assert_eq!(lint.code, 1, "{}", lint.stdout);
    assert!(
        lint.stdout.contains(
            "apiVersion \"auth.k8s.io/v1alpha1\" is not one of a GMSACredentialSpec: write \
             windows.k8s.io/v1"
        ),
        "{}",
        lint.stdout
    );
    let imported = run(&["credspec", "import", "-", "-o", "json"], &old.to_string());
    assert_eq!(imported.code, 0, "{}", imported.stderr);
    let imported: Value = serde_json::from_str(&imported.stdout).unwrap();
    assert_eq!(imported, objects::credential_spec("webapp", "WebApp1"));

    // A workload that names it learns where to look.
    let text = [
        old,
        objects::role("webapp"),
        objects::binding("webapp", "shop", "web"),
        deployment(&spec(&json!({}))),
    ]
    .map(|object| object.to_string())
    .join("\n---\n");
    let ran = run(&["review", "-f", "-", "-o", "json"], &text);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(report["findings"][0]["code"], "api-version-wrong", "{report}");
    let denial = &report["workloads"][0]["places"][0]["denial"];
    assert_eq!(denial["reason"], "credspec-not-found", "{report}");
    assert_eq!(denial["hint"], "Write apiVersion: windows.k8s.io/v1 in GMSACredentialSpec webapp.");
}

#[test]
fn the_input_of_the_aws_plugin_is_taken_from_ecs() {
    let arn = "arn:aws:secretsmanager:us-west-2:123456789012:secret:gmsa-AbCdEf";
    let mut contents = objects::contents("WebApp1");
    contents["ActiveDirectoryConfig"]["HostAccountConfig"] = json!({"PortableCcgVersion": "1",
        "PluginGUID": "{859E1386-BDB4-49E8-85C7-3070B13920E1}",
        "PluginInput": {"CredentialArn": arn}});
    let ran = run(&["credspec", "import", "-", "-o", "credspec"], &contents.to_string());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let input = format!("{{\"credentialArn\":\"{arn}\"}}");
    let made: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(made["ActiveDirectoryConfig"]["HostAccountConfig"]["PluginInput"], json!(input));
    assert!(ran.stderr.contains("PluginInput is an object, as on Amazon ECS"), "{}", ran.stderr);

    let mut spec = objects::credential_spec("webapp", "WebApp1");
    spec["credspec"] = contents;
    let lint = run(&["credspec", "lint", "-f", "-"], &spec.to_string());
    assert_eq!(lint.code, 1, "{}", lint.stdout);
    assert!(lint.stdout.contains(&format!("write PluginInput: '{input}'")), "{}", lint.stdout);
}

#[test]
fn swapped_names_and_passwords_in_plain_text() {
    let mut swapped = objects::credential_spec("webapp", "WebApp1");
    swapped["credspec"]["DomainJoinConfig"]["DnsTreeName"] = json!("emea.contoso.com");
    let ran = run(&["credspec", "lint", "-f", "-"], &swapped.to_string());
    assert!(ran.stdout.contains("warning  dns-names-swapped"), "{}", ran.stdout);

    let host = |guid: &str, input: &str| {
        let mut spec = objects::credential_spec("webapp", "WebApp1");
        spec["credspec"]["ActiveDirectoryConfig"]["HostAccountConfig"] =
            json!({"PortableCcgVersion": "1", "PluginGUID": guid, "PluginInput": input});
        run(&["credspec", "lint", "-f", "-"], &spec.to_string())
    };
    for guid in [
        // Of Microsoft's example, and that of Rancher.
        "{CFCA0441-511D-4B2A-862E-20348A78760B}",
        "{E4781092-F116-4B79-B55E-28EB6A224E26}",
    ] {
        let ran = host(guid, "contoso.com:gmsaccg:Passw0rd!");
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(ran.stdout.contains("error    plugin-input-plaintext-password"), "{}", ran.stdout);
        assert!(!ran.stdout.contains("Passw0rd"), "{}", ran.stdout);
    }
}

#[test]
fn a_role_that_misses_by_one_word_is_pointed_at() {
    let mut role = objects::role("webapp");
    role["rules"][0]["resources"] = json!(["gmsacredentialspec"]);
    let text = [
        objects::credential_spec("webapp", "WebApp1"),
        role,
        objects::binding("webapp", "shop", "web"),
        deployment(&spec(&json!({}))),
    ]
    .map(|object| object.to_string())
    .join("\n---\n");
    let line = "ClusterRole webapp is bound by RoleBinding shop/webapp and says resources \
                \"gmsacredentialspec\": write gmsacredentialspecs";
    let ran = run(&["review", "-f", "-", "-o", "json"], &text);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    crate::schema::check("review-report", &report);
    assert_eq!(report["workloads"][0]["places"][0]["denial"]["nearMisses"], json!([line]));
    let table = run(&["review", "-f", "-"], &text);
    assert!(table.stdout.contains(&format!("close: {line}")), "{}", table.stdout);
}

#[test]
fn advice_fits_an_empty_name_and_a_pattern() {
    let empty = json!({"securityContext": {"windowsOptions": {"gmsaCredentialSpecName": ""}}});
    let report = report(&deployment(&spec(&empty)).to_string());
    let hint = &report["workloads"][0]["places"][0]["denial"]["hint"];
    assert_eq!(hint, "Write the name of a credential spec, or leave gmsaCredentialSpecName out.");
    let mut role = objects::role("webapp");
    role["rules"][0]["resourceNames"] = json!(["gmsa-*"]);
    let text = [role, objects::credential_spec("webapp", "WebApp1")].map(|one| one.to_string());
    let ran = run(&["review", "-f", "-", "-o", "json"], &text.join("\n---\n"));
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(
        report["findings"][0]["message"].as_str().unwrap().ends_with(
            "resourceNames takes whole names: list them, or leave resourceNames out to allow all"
        ),
        "{report}"
    );
}
