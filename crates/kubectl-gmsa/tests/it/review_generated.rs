//! Workloads in which the fields of a GMSA are misspelled or misplaced in every way that the
//! generator knows, and workloads in which they are right or absent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::reviewing::run;

/// A sequence of numbers that is the same at each run (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

const KINDS: [(&str, &str, &str); 10] = [
    ("v1", "Pod", ""),
    ("v1", "PodTemplate", "/template"),
    ("v1", "ReplicationController", "/spec/template"),
    ("apps/v1", "Deployment", "/spec/template"),
    ("apps/v1", "StatefulSet", "/spec/template"),
    ("apps/v1", "DaemonSet", "/spec/template"),
    ("batch/v1", "CronJob", "/spec/jobTemplate/spec/template"),
    ("argoproj.io/v1alpha1", "Rollout", "/spec/template"),
    ("keda.sh/v1alpha1", "ScaledJob", "/spec/jobTargetRef/template"),
    ("ray.io/v1", "RayCluster", "/spec/workerGroupSpecs/0/template"),
];

/// Sets a value at a JSON pointer, with every object and list on the way to it.
fn put(object: &mut Value, pointer: &str, value: Value) {
    let mut at = object;
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        at = match step.parse::<usize>() {
            Ok(index) => {
                if at.is_null() {
                    *at = json!([]);
                }
                let items = at.as_array_mut().unwrap();
                while items.len() <= index {
                    items.push(json!({}));
                }
                &mut items[index]
            }
            Err(_) => &mut at[step.as_str()],
        };
    }
    *at = value;
}

/// A workload without a GMSA, and the pointer of its pod template.
fn workload(numbers: &mut Numbers, name: &str) -> (Value, &'static str) {
    let (api_version, kind, template) = numbers.one(&KINDS);
    let mut object = json!({"apiVersion": api_version, "kind": kind,
        "metadata": {"name": name, "namespace": "shop",
            "labels": {"app.kubernetes.io/part-of": "gmsa", "gmsa-credential-spec": "webapp"},
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration":
                "{\"gmsaCredentialSpecName\":\"webapp\"}"}}});
    if !template.is_empty() {
        put(&mut object, &format!("{template}/metadata/labels/app"), json!(name));
    }
    let context =
        json!({"runAsNonRoot": true, "windowsOptions": {"runAsUserName": "ContainerUser"}});
    let containers: Vec<Value> = (0..=numbers.below(3))
        .map(|index| {
            json!({"name": format!("c{index}"), "image": "iis", "securityContext": context,
                "env": [{"name": "SPEC", "value": "gmsaCredentialSpecName"}]})
        })
        .collect();
    put(&mut object, &format!("{template}/spec/serviceAccountName"), json!("web"));
    put(
        &mut object,
        &format!("{template}/spec/nodeSelector"),
        json!({"kubernetes.io/os": "windows"}),
    );
    put(&mut object, &format!("{template}/spec/containers"), json!(containers));
    if numbers.below(2) == 0 {
        put(&mut object, &format!("{template}/spec/initContainers"), json!([containers[0]]));
    }
    (object, template)
}

/// Where in the spec of a pod the fields are read.
const PLACES: [&str; 3] = [
    "/securityContext/windowsOptions",
    "/containers/0/securityContext/windowsOptions",
    "/initContainers/0/securityContext/windowsOptions",
];

/// Where people write them, and nothing reads them; in the template.
const WRONG: [&str; 16] = [
    "/spec",
    "/spec/securityContext",
    "/spec/windowsOptions",
    "/spec/securityContext/windows",
    "/spec/securityContext/windowsoptions",
    "/spec/securityContext/WindowsOptions",
    "/spec/securitycontext/windowsOptions",
    "/spec/podSecurityContext/windowsOptions",
    "/spec/securityContext/windowsOptions/windowsOptions",
    "/spec/containers/0",
    "/spec/containers/0/windowsOptions",
    "/spec/containers/0/securityContext",
    "/spec/initContainers/0/windowsOptions",
    "/spec/nodeSelector",
    "/metadata",
    "/metadata/annotations",
];

const KEYS: [&str; 2] = ["gmsaCredentialSpecName", "gmsaCredentialSpec"];

const MISSPELLED: [&str; 18] = [
    "gmsaCredentialspecName",
    "gmsacredentialspecname",
    "GMSACredentialSpecName",
    "GmsaCredentialSpecName",
    "gMSACredentialSpecName",
    "gmsaCredentialSpecname",
    "gmsaCredentialSpecsName",
    "gmsaCredentialSpecNames",
    "gmsaCredSpecName",
    "gmsaCredentialName",
    "gmasCredentialSpecName",
    "gsmaCredentialSpecName",
    "gmsaCredentialSpecNam",
    "gmsaCrendentialSpecName",
    "gmsa_credential_spec_name",
    "gmsa-credential-spec-name",
    "credentialSpecName",
    "gmsaCredentialspec",
];

const ANNOTATIONS: [&str; 4] = [
    "pod.alpha.windows.kubernetes.io/gmsa-credential-spec-name",
    "pod.alpha.windows.kubernetes.io/gmsa-credential-spec",
    "c0.container.alpha.windows.kubernetes.io/gmsa-credential-spec-name",
    "c0.container.alpha.windows.kubernetes.io/gmsa-credential-spec",
];

fn broken(numbers: &mut Numbers, name: &str) -> Value {
    let (mut object, template) = workload(numbers, name);
    let (place, key) = match numbers.below(4) {
        0 => (numbers.one(&WRONG), numbers.one(&KEYS)),
        1 => (numbers.one(&PLACES), numbers.one(&MISSPELLED)),
        2 => ("/metadata/annotations", numbers.one(&ANNOTATIONS)),
        _ => {
            // Beside the template, where that is within something.
            let outer = match template.rsplit_once('/') {
                Some((outer, _)) => format!("{outer}/securityContext/windowsOptions"),
                None => "/securityContext/windowsOptions".to_owned(),
            };
            put(&mut object, &format!("{outer}/{}", KEYS[0]), json!("webapp"));
            return object;
        }
    };
    let place = if PLACES.contains(&place) {
        format!("{template}/spec{place}")
    } else {
        format!("{template}{place}")
    };
    let key = key.replace('/', "~1");
    put(&mut object, &format!("{place}/{key}"), json!("webapp"));
    object
}

fn clean(numbers: &mut Numbers, name: &str) -> Value {
    let (mut object, template) = workload(numbers, name);
    if numbers.below(3) > 0 {
        let place = numbers.one(&PLACES);
        put(
            &mut object,
            &format!("{template}/spec{place}/gmsaCredentialSpecName"),
            json!("webapp"),
        );
    }
    object
}

/// The workloads of a review that have a finding of one of these codes, by their names.
fn flagged(objects: &[Value], codes: &[&str]) -> BTreeSet<String> {
    let text: Vec<String> = objects.iter().map(ToString::to_string).collect();
    let ran = run(&["review", "-f", "-", "-o", "json"], &text.join("\n---\n"));
    assert!(ran.code < 2, "{}", ran.stderr);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let has = |findings: &Value| {
        findings
            .as_array()
            .unwrap()
            .iter()
            .any(|one| codes.contains(&one["code"].as_str().unwrap()))
    };
    let workloads = report["workloads"].as_array().unwrap().iter();
    let of_workloads = workloads
        .filter(|workload| has(&workload["findings"]))
        .map(|workload| workload["name"].as_str().unwrap().to_owned());
    let of_objects = report["findings"].as_array().unwrap().iter();
    let of_objects = of_objects
        .filter(|finding| codes.contains(&finding["code"].as_str().unwrap()))
        .map(|finding| {
            let object = finding["object"].as_str().unwrap();
            object.rsplit('/').next().unwrap().to_owned()
        });
    of_workloads.chain(of_objects).collect()
}

fn name(index: usize) -> String {
    format!("w-{index}")
}

#[test]
fn no_misspelled_or_misplaced_field_is_passed_over_in_silence() {
    let mut numbers = Numbers(1);
    let objects: Vec<Value> = (0..300).map(|index| broken(&mut numbers, &name(index))).collect();
    let flagged = flagged(&objects, &["field-not-read", "credspec-not-judged"]);
    let silent: Vec<String> = objects
        .iter()
        .enumerate()
        .filter(|(index, _)| !flagged.contains(&name(*index)))
        .map(|(_, object)| object.to_string())
        .collect();
    assert!(
        silent.is_empty(),
        "{} of 300: {}",
        silent.len(),
        silent[..silent.len().min(5)].join("\n")
    );
}

#[test]
fn no_clean_workload_is_flagged() {
    let mut numbers = Numbers(2);
    let objects: Vec<Value> = (0..300).map(|index| clean(&mut numbers, &name(index))).collect();
    let codes = ["field-not-read", "credspec-not-judged", "field-of-another-system"];
    let flagged = flagged(&objects, &codes);
    assert!(flagged.is_empty(), "{flagged:?}");
}
