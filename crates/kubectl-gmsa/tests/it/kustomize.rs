//! Credential specs in overlays, built by the real kubectl with the files of docs/kustomize.md.

use std::path::Path;
use std::process::Command;

use gmsa_testkit::tools;

use crate::support::{ROOT, plugin, ran};

/// The blocks of the page that are YAML: the references, and the line that names them.
fn of_the_page() -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/kustomize.md")).unwrap();
    let blocks = page.split("```yaml\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn an_overlay_with_a_prefix_keeps_the_users_of_a_credential_spec() {
    let test = "an_overlay_with_a_prefix_keeps_the_users_of_a_credential_spec";
    let Some(kubectl) = tools::find(test, "kubectl") else { return };
    let [references, line] = of_the_page().try_into().expect("two blocks of YAML");
    let overlay = tempfile::tempdir().unwrap();
    let examples = ["1-credential-spec.yaml", "2-role.yaml", "3-role-binding.yaml"];
    let workloads = ["4-deployment-pod-level.yaml", "5-deployment-container-level.yaml"];
    let mut kustomization = "namePrefix: prod-\nresources:\n".to_owned();
    for name in examples.iter().chain(&workloads) {
        let from = Path::new(ROOT).join("examples").join(name);
        std::fs::copy(from, overlay.path().join(name)).unwrap();
        kustomization.push_str("- ");
        kustomization.push_str(name);
        kustomization.push('\n');
    }
    let review = |kustomization: &str| {
        std::fs::write(overlay.path().join("kustomization.yaml"), kustomization).unwrap();
        let built = Command::new(&kubectl).arg("kustomize").arg(overlay.path()).output().unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let manifests = String::from_utf8(built.stdout).unwrap();
        ran(plugin(&["review", "-f", "-"]).write_stdin(manifests))
    };
    // Kustomize alone renames the credential spec and not what names it.
    let alone = review(&kustomization);
    assert_eq!(alone.code, 1, "{}", alone.stdout);
    assert!(alone.stdout.contains("gmsa-webapp1 does not exist"), "{}", alone.stdout);

    std::fs::write(overlay.path().join("gmsa-references.yaml"), references).unwrap();
    let followed = review(&(kustomization + &line));
    assert_eq!(followed.code, 0, "{}{}", followed.stdout, followed.stderr);
    assert!(followed.stdout.contains("prod-gmsa-webapp1"), "{}", followed.stdout);
}
