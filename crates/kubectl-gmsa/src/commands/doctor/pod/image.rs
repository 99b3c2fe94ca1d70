//! What the name of an image reveals about its content.

use gmsa_cluster::api::value::text;
use gmsa_core::diagnosis::catalogue::pod::POD_IMAGE;
use gmsa_core::diagnosis::{Confidence, Outcome};
use gmsa_core::pod::{Pod, identities};

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
    use super::kind;

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
