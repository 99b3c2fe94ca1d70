//! What the name of an image reveals about its content.

use gmsa_cluster::api::value::text;
use gmsa_core::diagnosis::catalogue::pod::{POD_BUILD, POD_IMAGE};
use gmsa_core::diagnosis::{Confidence, Outcome};
use gmsa_core::pod::{Pod, identities};
use gmsa_core::windows::release;
use gmsa_core::workload::image_mismatch;
use serde_json::Value;

use super::target::Subject;

/// Images whose tags are for several systems; for Windows they are based on nanoserver.
const MULTI: [&str; 4] = [
    "mcr.microsoft.com/dotnet/aspnet",
    "mcr.microsoft.com/dotnet/runtime",
    "mcr.microsoft.com/dotnet/runtime-deps",
    "mcr.microsoft.com/dotnet/sdk",
];

/// Judges the image of each container that has an identity.
pub fn judge(subject: &Subject, pod: &Pod<'_>) -> Vec<Outcome> {
    let object = subject.pod.clone().or_else(|| subject.next_pod()).unwrap_or_default();
    let one = |identity: gmsa_core::pod::Identity<'_>| {
        let place = identity.container;
        let list = place.kind.list().unwrap_or_default();
        let image = text(&object, &format!("/spec/{list}/{}/image", place.index));
        kind(image).on(format!("{place} of {}", subject.shown_pod()))
    };
    identities(pod).filter(|one| !one.host_process).map(one).collect()
}

/// The images of the containers that have an identity against the node on which the pod is: only an
/// image for its build of Windows starts there.
pub fn against_node(live: &Value, pod: &Pod<'_>, node: &str, kernel: &str) -> Vec<Outcome> {
    let build = kernel.split('.').nth(2).and_then(|build| build.parse().ok());
    // A runtime class may isolate by Hyper-V, which runs older images.
    let is_isolated = live.pointer("/spec/runtimeClassName").is_some_and(Value::is_string);
    let Some(build) = build.filter(|_| !is_isolated) else { return Vec::new() };
    let one = |identity: gmsa_core::pod::Identity<'_>| {
        let place = identity.container;
        let list = place.kind.list().unwrap_or_default();
        let image = text(live, &format!("/spec/{list}/{}/image", place.index));
        let of_image = release::of_image(image)?;
        if image_mismatch(image, build).is_none() {
            let words = format!("{place}: {image} runs on build {build}");
            return Some(Outcome::ok(&POD_BUILD, words));
        }
        let words = format!(
            "{place}: {image} is for {} (build {}), and {node} has build {build}",
            of_image.name, of_image.build
        );
        let outcome = Outcome::problem(&POD_BUILD, words);
        Some(match release::of_build(build) {
            Some(of_node) => outcome.then(format!(
                "Use the image's tag for {}, such as {}, or select nodes of the image's release.",
                of_node.name, of_node.tag
            )),
            None => outcome,
        })
    };
    identities(pod).filter(|one| !one.host_process).filter_map(one).collect()
}

fn kind(image: &str) -> Outcome {
    let lower = image.to_ascii_lowercase();
    let (name, tag) = lower.rsplit_once(':').unwrap_or((&lower, ""));
    if lower.contains("nanoserver") {
        return Outcome::warning(&POD_IMAGE, format!("{image} is nanoserver by its name"))
            .sure(Confidence::Possible);
    }
    if lower.contains("servercore") || name.ends_with("windows/server") {
        return Outcome::ok(&POD_IMAGE, format!("{image} has the tools by its name"));
    }
    if MULTI.contains(&name) && !tag.contains("windows") {
        let words = format!("{image} is nanoserver where it runs on Windows");
        return Outcome::warning(&POD_IMAGE, words).sure(Confidence::Possible);
    }
    Outcome::skipped(&POD_IMAGE, format!("the name {image} does not show it"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{against_node, kind};

    #[test]
    fn an_image_starts_on_nodes_of_its_build() {
        for (image, kernel, state) in [
            ("servercore:ltsc2022", "10.0.20348.2031", Some("ok")),
            ("servercore:ltsc2022", "10.0.26100.1", Some("ok")),
            ("servercore:ltsc2019", "10.0.20348.2031", Some("problem")),
            ("servercore:ltsc2025", "10.0.20348.2031", Some("problem")),
            ("web:1.0", "10.0.20348.2031", None),
            ("servercore:ltsc2019", "", None),
        ] {
            let live = json!({"spec": {"containers": [{"name": "iis", "image": image,
                "securityContext": {"windowsOptions": {"gmsaCredentialSpecName": "web"}}}]}});
            let read = live.to_string();
            let pod = serde_json::from_str(&read).unwrap();
            let outcomes = against_node(&live, &pod, "win-1", kernel);
            let found = outcomes.first().map(|one| one.state.as_str());
            assert_eq!(found, state, "{image} {kernel}: {outcomes:?}");
        }
    }

    #[test]
    fn names_tell_what_they_can() {
        for (image, state) in [
            ("mcr.microsoft.com/windows/nanoserver:ltsc2022", "warning"),
            ("mcr.microsoft.com/dotnet/aspnet:8.0-nanoserver-ltsc2022", "warning"),
            ("mcr.microsoft.com/dotnet/aspnet:8.0", "warning"),
            ("mcr.microsoft.com/dotnet/aspnet:8.0-windowsservercore-ltsc2022", "ok"),
            ("mcr.microsoft.com/windows/servercore/iis:windowsservercore-ltsc2019", "ok"),
            ("mcr.microsoft.com/windows/server:ltsc2022", "ok"),
            ("registry.contoso.com:5000/shop/web", "skipped"),
            ("", "skipped"),
        ] {
            assert_eq!(kind(image).state.as_str(), state, "{image}");
        }
    }
}
