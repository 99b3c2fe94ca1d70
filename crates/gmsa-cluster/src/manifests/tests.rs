use std::fs;

use serde_json::json;

use super::{
    Document, Input, ManifestSet, Manifests, Problem, UnreadableFile, Workload, parse, read,
};

fn values(text: &str) -> Vec<serde_json::Value> {
    parse("f", text).into_iter().map(|document| document.unwrap().into_value()).collect()
}

#[test]
fn documents_in_all_their_dress() {
    let pod = json!({"kind": "Pod", "metadata": {"name": "a"}});
    for text in [
        "kind: Pod\nmetadata: {name: a}",
        "\u{feff}---\n# a comment\nkind: Pod\nmetadata:\n  name: a\n...\n",
        "kind: Pod\r\nmetadata:\r\n  name: a\r\n---\r\n# nothing\r\n---\r\n",
        "--- {kind: Pod, metadata: {name: a}}\n---\n",
        "{\"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}",
        "kind: List\napiVersion: v1\nitems:\n- kind: Pod\n  metadata: {name: a}\n",
        "kind: List\nitems:\n- kind: List\n  items:\n  - {kind: Pod, metadata: {name: a}}\n",
        "kind: PodList\nitems:\n- metadata: {name: a}\n",
    ] {
        assert_eq!(values(text), std::slice::from_ref(&pod), "{text}");
    }
    for empty in ["", "\n---\n---\n# only a comment\n", "kind: List\nitems: []\n", "null"] {
        assert_eq!(values(empty).len(), 0, "{empty:?}");
    }
    let two = "{\"kind\": \"A\"}\n\n{\"kind\": \"B\"}";
    let lines: Vec<usize> =
        parse("f", two).into_iter().map(|one| one.unwrap().source.line).collect();
    assert_eq!(lines, [1, 3]);
    // A marker within a block scalar needs an indentation to be none.
    let script = "kind: A\ndata: |\n  ---\n  x\n";
    assert_eq!(values(script), [json!({"kind": "A", "data": "---\nx\n"})]);
}

/// What kubectl 1.32 makes of each.
#[test]
fn plain_values_are_read_as_kubectl_reads_them() {
    for (plain, read) in [
        ("0644", json!(420)),
        ("0400", json!(256)),
        ("-0644", json!(-420)),
        ("+0644", json!(420)),
        ("0o17", json!(15)),
        ("0_7", json!(7)),
        ("00", json!(0)),
        ("0", json!(0)),
        ("-0", json!(0)),
        ("08", json!(8.0)),
        ("0x1F", json!(31)),
        ("0b11", json!(3)),
        ("1_000", json!(1000)),
        ("1e3", json!(1000.0)),
        ("0.5", json!(0.5)),
        ("y", json!(true)),
        ("Off", json!(false)),
        ("~", json!(null)),
        ("2001-01-01", json!("2001-01-01")),
        ("12:30:45", json!("12:30:45")),
        ("\"0644\"", json!("0644")),
        ("'y'", json!("y")),
        ("0644x", json!("0644x")),
    ] {
        assert_eq!(values(&format!("kind: A\nvalue: {plain}\n"))[0]["value"], read, "{plain}");
    }
}

#[test]
fn a_bad_document_is_named_and_the_others_are_read() {
    let text = "kind: A\n---\nkind: B\nkind: C\n---\nkind: [\n---\n- list\n---\nkind: D\n";
    let read = parse("some.yaml", text);
    let kinds: Vec<_> = read
        .iter()
        .map(|one| match one {
            Ok(document) => document.value["kind"].as_str().unwrap().to_owned(),
            Err(error) => error.to_string(),
        })
        .collect();
    assert_eq!(kinds.len(), 5, "{kinds:?}");
    assert_eq!((kinds[0].as_str(), kinds[4].as_str()), ("A", "D"));
    assert!(kinds[1].starts_with("failed to read the document at some.yaml:4"), "{kinds:?}");
    assert!(kinds[1].contains("the key kind is there twice"), "{kinds:?}");
    assert!(kinds[2].contains("some.yaml:"), "{kinds:?}");
    assert!(kinds[3].contains("expected an object"), "{kinds:?}");
    let bomb = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f]\n";
    let why = parse("bomb", bomb).remove(0).unwrap_err().why;
    assert!(why.starts_with("its aliases (*NAME) repeat"), "{why}");
    let deep = format!("kind: Pod\nspec: {}{}\n", "[".repeat(101), "]".repeat(101));
    let why = parse("deep", &deep).remove(0).unwrap_err().why;
    assert_eq!(why, "it is nested more than 100 deep");
}

#[test]
fn json_means_the_same_in_both_readers() {
    for value in [
        r#"{"a": {"b": [1, -2, 1.5, 1e3, true, null, "x", ""]}}"#,
        r#"{"a": "\u00fc \"quoted\" \\ \n", "0644": "0644", "y": "no"}"#,
        r#"{"a": 18446744073709551615, "b": -9223372036854775808, "c": 0.1}"#,
        "{\n  \"a\": [\n    {}\n  ]\n}",
        "{}",
    ] {
        let json = format!("---\n{value}\n");
        let yaml = format!("---\n# not JSON\n{value}\n");
        assert_eq!(values(&json), values(&yaml), "{value}");
    }
    for (bad, why) in
        [(r#"{"a": 1, "b": {"c": 1, "c": 2}}"#, "the key c is there twice"), ("{\"a\": [1,\n", ":")]
    {
        let error = parse("f.json", bad).remove(0).unwrap_err().to_string();
        assert!(error.contains("f.json:1") && error.contains(why), "{error}");
    }
}

#[test]
fn many_documents_are_read_in_their_order_and_each_at_its_line() {
    let text: String = (0..1000)
        .map(|number| match number % 100 {
            42 => "---\nkind: [\n".to_owned(),
            _ => format!("---\nkind: Pod\nnumber: {number}\n"),
        })
        .collect();
    let read = parse("f", &text);
    assert_eq!(read.len(), 1000);
    let mut line = 1;
    for (number, document) in read.into_iter().enumerate() {
        match document {
            Ok(document) => {
                assert_eq!(
                    (document.value["number"].as_u64(), document.source.line),
                    (Some(number as u64), line)
                );
                line += 3;
            }
            Err(error) => {
                assert_eq!(number % 100, 42, "{error}");
                assert!((line..line + 3).contains(&error.at.line), "{error} at {line}");
                line += 2;
            }
        }
    }
}

#[test]
fn files_and_directories() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    fs::create_dir_all(path("sub/..data")).unwrap();
    for (name, text) in [
        ("b.yml", "kind: B"),
        ("sub/c.JSON", "{\"kind\": \"C\"}"),
        ("a.yaml", "kind: A\n---\nkind: ["),
        ("notes.txt", "kind: X"),
        ("patch.yaml", "- op: remove"),
        ("sub/..data/c.yaml", "kind: C"),
    ] {
        fs::write(path(name), text).unwrap();
    }
    let manifests = read(&[Input::Path(root.path().to_owned())]).unwrap();
    let kinds: Vec<_> = manifests.documents.iter().map(|one| one.value["kind"].clone()).collect();
    assert_eq!(kinds, ["A", "B", "C"]);
    assert_eq!(manifests.unreadable.len(), 1);
    assert_eq!(manifests.passed_over.len(), 1);

    fs::write(path("latin.yaml"), b"kind: \xe4").unwrap();
    let input = |name: &str| [Input::Path(path(name))];
    assert!(matches!(read(&input("latin.yaml")), Err(UnreadableFile::NotText { .. })));
    assert!(matches!(read(&input("gone.yaml")), Err(UnreadableFile::Io { .. })));
    assert!(matches!(read(&input("sub/..data/x")), Err(UnreadableFile::Io { .. })));
    fs::create_dir(path("empty")).unwrap();
    assert!(matches!(read(&input("empty")), Err(UnreadableFile::Empty { .. })));
}

/// Windows PowerShell 5.1 writes UTF-16 with `>`, and no shell of Windows expands a pattern.
#[test]
fn files_as_windows_makes_and_names_them() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    let wide: Vec<u8> = "\u{feff}kind: Wide\r\nmetadata: {name: \u{e9}}\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(path("b.yaml"), wide).unwrap();
    fs::write(path("a.yaml"), "\u{feff}kind: Marked\r\n").unwrap();
    fs::write(path("c.json"), "{\"kind\": \"Other\"}").unwrap();
    fs::create_dir(path("d.yaml")).unwrap();
    fs::write(path("d.yaml/x.yml"), "kind: Below").unwrap();
    let kinds = |name: &str| -> Vec<String> {
        let manifests = read(&[Input::Path(path(name))]).unwrap();
        assert!(manifests.unreadable.is_empty());
        let kind = |value: &serde_json::Value| value["kind"].as_str().unwrap().to_owned();
        manifests.documents.iter().map(|one| kind(&one.value)).collect()
    };
    assert_eq!(kinds("*.yaml"), ["Marked", "Wide", "Below"]);
    assert_eq!(kinds("[bc].*"), ["Wide", "Other"]);
    let missing = read(&[Input::Path(path("*.yml"))]).unwrap_err();
    assert!(missing.to_string().contains("a file that matches"), "{missing}");
    // A file that has the name of a pattern is itself.
    fs::write(path("[a].yaml"), "kind: Named").unwrap();
    assert_eq!(kinds("[a].yaml"), ["Named"]);
}

#[test]
fn a_set_knows_what_makes_pods() {
    let template = "template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}";
    let mut text = String::new();
    for kind in [
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "ReplicationController",
        "Rollout",
    ] {
        text += &format!(
            "apiVersion: x/v1\nkind: {kind}\nmetadata: {{name: w}}\nspec: {{{template}}}\n---\n"
        );
    }
    text += &format!(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: w, namespace: night}}\nspec: {{jobTemplate: {{spec: {{{template}}}}}}}\n---\n"
    );
    text +=
        "apiVersion: v1\nkind: Pod\nmetadata: {name: w}\nspec: {containers: [{name: c}]}\n---\n";
    text += "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: w}\n---\n";
    text += "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: sa}\n---\n";
    text += "apiVersion: windows.k8s.io/v1alpha1\nkind: GMSACredentialSpec\nmetadata: {name: g}\ncredspec: {}\n---\n";
    text += "apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata: {name: g}\n---\n";
    text += "apiVersion: v1\nkind: Pod\nspec: {}\n---\nkind: Pod\n";
    let documents: Vec<_> = parse("f", &text).into_iter().map(Result::unwrap).collect();
    let set = ManifestSet::new(&documents, "home");
    let kinds: Vec<_> = set.workloads.iter().map(|workload| workload.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "Deployment",
            "ReplicaSet",
            "StatefulSet",
            "DaemonSet",
            "Job",
            "ReplicationController",
            "Rollout",
            "CronJob",
            "Pod"
        ]
    );
    for workload in &set.workloads {
        let pod = workload.pod(&documents[workload.document].value);
        assert_eq!(pod["spec"]["containers"][0]["name"], "c", "{}", workload.kind);
        let namespace = if workload.kind == "CronJob" { "night" } else { "home" };
        assert_eq!(workload.namespace, namespace);
    }
    assert!(set.service_accounts.contains(&("home".to_owned(), "sa".to_owned())));
    assert_eq!(set.credential_specs.len(), 1);
    assert!(
        matches!(
            set.problems[..],
            [Problem::Twice { .. }, Problem::Unnamed { .. }, Problem::Kindless(_)]
        ),
        "{:?}",
        set.problems
    );
}

#[test]
fn what_is_no_kubernetes_object_is_passed_over() {
    let mut manifests = Manifests::default();
    for text in [
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [a.yaml]",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata: {name: a}",
        "replicas: 2\nimage: {repository: web}\nresources: {limits: {cpu: 1}}",
        "{\"title\": \"GMSA\", \"panels\": [{\"type\": \"graph\"}]}",
        "apiVersion: v1\nkind: Config\nclusters: []",
        "- op: replace\n  path: /spec/replicas\n  value: 3",
        "        image: iis\n        lifecycle:\n          postStart: {exec: {command: [a]}}",
        "apiVersion: v2\nname: chart\nversion: 1.0.0",
        "only words: of a note\n  that: is\n no: [YAML",
    ] {
        manifests.add_text("f", text);
    }
    assert!(manifests.unreadable.is_empty(), "{:?}", manifests.unreadable);
    let set = ManifestSet::new(&manifests.documents, "home");
    assert!(set.problems.is_empty(), "{:?}", set.problems);
    let words: Vec<String> = manifests
        .passed_over
        .iter()
        .chain(set.passed_over.values())
        .map(ToString::to_string)
        .collect();
    assert_eq!(words.len(), 9, "{words:?}");
    assert_eq!(words[0], "skipped f:1: expected an object with apiVersion and kind");
    assert!(words[2].starts_with("skipped f:1: Kustomization is for kustomize"), "{words:?}");
    assert!(
        words.contains(&"skipped f:1: an object without apiVersion or kind".to_owned()),
        "{words:?}"
    );
    assert!(words.contains(&"skipped f:1: Config without metadata.name".to_owned()));
}

#[test]
fn what_may_be_a_fact_is_never_passed_over() {
    for text in [
        "kind: Role\nmetadata: {name: a}",
        "[{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"a\"}}]",
        "apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: a}",
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding",
        "metadata: {name: a}\nrules: []",
        "metadata: {name: a}\nroleRef: {}",
        "apiVersion: v1\nkind: ServiceAccount\nmetadata: {}",
        "apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec",
        "metadata: {name: a}\ncredspec: {}",
        "apiVersion: apps/v1\nkind: Deployment\nspec: {}",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: [a]}",
        "spec: {containers: []}",
        "apiVersion: x/v1\nkind: Rollout\nspec: {template: {spec: {containers: []}}}",
        "apiVersion: v1\nkind: List\nitems: {}",
        "apiVersion: v1\nkind: List\nitems: [words]",
        "kind: Role\nkind: Role",
        "{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {",
        "{a: b, kind: Pod, {",
        "items:\n- kind: Pod\n  metadata: [",
        "kind: Deployment\nmetadata: {{ .Values.name }}\n",
    ] {
        let mut manifests = Manifests::default();
        manifests.add_text("f", text);
        let set = ManifestSet::new(&manifests.documents, "home");
        assert_eq!(manifests.unreadable.len() + set.problems.len(), 1, "{text}");
        assert!(manifests.passed_over.is_empty() && set.passed_over.is_empty(), "{text}");
    }
    let template = parse("f", "kind: Pod\nmetadata: {{ include \"name\" . }}\n");
    let why = template.first().unwrap().as_ref().unwrap_err().to_string();
    assert!(why.contains("render it first"), "{why}");
}

#[test]
fn workloads_are_taken_and_patches_are_passed_over() {
    let init = "spec: {template: {spec: {initContainers: [{name: i}]}}}";
    let whole = "spec: {template: {spec: {containers: [{name: i}]}}}";
    for (api_version, kind, spec, taken) in [
        ("apps/v1", "Deployment", whole, true),
        ("apps/v1", "Deployment", init, true),
        ("apps/v1", "StatefulSet", "spec: {template: {spec: {}}}", false),
        ("apps/v1", "DaemonSet", "spec: {replicas: 1}", false),
        ("v1", "ReplicationController", "spec: {template: {spec: {containers: []}}}", true),
        (
            "keda.sh/v1alpha1",
            "ScaledJob",
            "spec: {jobTargetRef: {template: {spec: \
         {containers: [{name: i}]}}}}",
            true,
        ),
        ("argoproj.io/v1alpha1", "Rollout", init, true),
        ("batch.volcano.sh/v1alpha1", "Job", "spec: {tasks: []}", false),
        ("cluster.x-k8s.io/v1", "MachineDeployment", "spec: {template: {spec: {}}}", false),
    ] {
        let text =
            format!("apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: a}}\n{spec}\n");
        let documents: Vec<_> = parse("f", &text).into_iter().map(Result::unwrap).collect();
        let set = ManifestSet::new(&documents, "home");
        assert!(set.problems.is_empty(), "{text}: {:?}", set.problems);
        assert_eq!(set.workloads.len(), usize::from(taken), "{text}");
        let is_patch = !taken && api_version.starts_with("apps/");
        assert_eq!(set.passed_over.len(), usize::from(is_patch), "{text}");
    }
    // Beside a kustomization one without an image is a patch too.
    let patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n\
        spec: {template: {spec: {containers: [{name: a}]}}}\n";
    for (kustomization, taken) in [("over/kustomization.yaml", 0), ("base/kustomization.yaml", 1)] {
        let mut manifests = Manifests::default();
        manifests.add_text("over/patch.yaml", patch);
        manifests.add_text(kustomization, "resources: []\n");
        let set = ManifestSet::new(&manifests.documents, "home");
        assert_eq!(set.workloads.len(), taken, "{kustomization}: {:?}", set.passed_over);
    }
}

#[test]
fn a_controller_names_its_pods_and_their_hosts() {
    for (kind, metadata, hostname) in [
        ("Deployment", json!({"generateName": "db-"}), json!("mine")),
        ("StatefulSet", json!({"name": "db-0"}), json!("db-0")),
    ] {
        let object = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "db"},
            "spec": {"template": {"spec": {"hostname": "mine", "containers": []}}}});
        let pod = Workload::of(&object, "shop").unwrap().pod(&object);
        let owner = json!([{"apiVersion": "apps/v1", "kind": kind, "name": "db",
            "controller": true}]);
        let mut expected = metadata;
        expected["namespace"] = json!("shop");
        expected["ownerReferences"] = owner;
        assert_eq!(pod["metadata"], expected);
        assert_eq!(pod["spec"], json!({"hostname": hostname, "containers": []}), "{kind}");
    }
}

#[test]
fn a_namespace_that_is_no_string_is_an_error_and_not_the_default() {
    let parsed = |namespace: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web, namespace: {namespace}}}\n\
             spec: {{containers: [{{name: c, image: i}}]}}"
        );
        let documents: Vec<Document> =
            parse("a.yaml", &text).into_iter().map(Result::unwrap).collect();
        ManifestSet::new(&documents, "default")
    };
    for (namespace, why) in [
        ("123", "it is the number 123, not a string; write it in quotes"),
        ("true", "it is the boolean true, not a string; write it in quotes"),
        ("[a]", "it is a list, not a string"),
        ("{a: b}", "it is an object, not a string"),
    ] {
        let set = parsed(namespace);
        assert!(set.workloads.is_empty(), "{namespace}");
        let [problem] = &set.problems[..] else { panic!("{:?}", set.problems) };
        let words = format!("a.yaml:1: failed to read metadata.namespace of Pod \"web\": {why}");
        assert_eq!(problem.to_string(), words);
    }
    for (namespace, expected) in [("'123'", "123"), ("null", "default"), ("''", "default")] {
        let set = parsed(namespace);
        assert!(set.problems.is_empty(), "{:?}", set.problems);
        assert_eq!(set.workloads[0].namespace, expected);
    }
}
