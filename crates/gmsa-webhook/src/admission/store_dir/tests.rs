use std::fs;

use gmsa_core::admission::{Right, SpecFact};

use super::{Error, StoreDir};

const SPEC: &str = "apiVersion: windows.k8s.io/v1\nkind: GMSACredentialSpec\nmetadata: {name: web}\n\
    credspec: {CmsPlugins: [ActiveDirectory]}\n";

#[test]
fn other_files_in_the_directory_are_passed_over_but_no_broken_right() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("spec.yaml", SPEC);
    write(
        "kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [spec.yaml]\n",
    );
    write("values.yaml", "replicas: 2\n");
    write("patch.json", "[{\"op\": \"remove\", \"path\": \"/spec\"}]");
    let store = StoreDir::open(directory.path().to_owned()).unwrap();
    assert_eq!(store.known(), 1);
    assert!(matches!(store.spec("web"), SpecFact::Found(_)));
    assert_eq!(store.right("shop", "web", "web"), Right::Denied);
    assert_eq!(store.facts.load().passed_over.len(), 3);

    let mut seen = store.facts.load().read;
    assert!(!store.reload(&mut seen).unwrap());
    write("template.yaml", "{{ .Values.web }}\n");
    assert!(store.reload(&mut seen).unwrap(), "the change is reported");
    assert_eq!(store.facts.load().passed_over.len(), 4);

    write("role.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nrules: []\n");
    let error = StoreDir::open(directory.path().to_owned()).err().unwrap();
    assert!(matches!(error, Error::Content(_)), "{error}");
    assert!(error.to_string().contains("ClusterRole without metadata.name"), "{error}");
}
