//! The releases of Windows that run containers: their builds, their images' tags, and how long they
//! get updates.
//!
//! Dates from Microsoft's lifecycle pages (`learn.microsoft.com/lifecycle/products`), builds and
//! tags from its release information for Windows Server and for base images of containers.

/// A release of Windows Server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// The build, such as 20348.
    pub build: u32,
    /// What people call it.
    pub name: &'static str,
    /// The tag of base images for it.
    pub tag: &'static str,
    /// The last day on which it gets updates (RFC 3339).
    pub end: &'static str,
}

/// All that are known, the oldest first.
pub const RELEASES: [Release; 9] = [
    Release { build: 14393, name: "Windows Server 2016", tag: "ltsc2016", end: "2027-01-12" },
    Release { build: 17763, name: "Windows Server 2019", tag: "ltsc2019", end: "2029-01-09" },
    Release { build: 18362, name: "Windows Server 1903", tag: "1903", end: "2020-12-08" },
    Release { build: 18363, name: "Windows Server 1909", tag: "1909", end: "2021-05-11" },
    Release { build: 19041, name: "Windows Server 2004", tag: "2004", end: "2021-12-14" },
    Release { build: 19042, name: "Windows Server 20H2", tag: "20h2", end: "2022-08-09" },
    Release { build: 20348, name: "Windows Server 2022", tag: "ltsc2022", end: "2031-10-14" },
    Release { build: 25398, name: "Windows Server 23H2", tag: "23h2", end: "2025-10-24" },
    Release { build: 26100, name: "Windows Server 2025", tag: "ltsc2025", end: "2034-11-14" },
];

/// The release of a build.
#[must_use]
pub fn of_build(build: u32) -> Option<&'static Release> {
    RELEASES.iter().find(|release| release.build == build)
}

/// The release that an image is for, as far as its name tells: by a tag such as `ltsc2022` or
/// `10.0.20348.2031`; by `1809` and the like only if the name says that it is an image of Windows.
#[must_use]
pub fn of_image(image: &str) -> Option<&'static Release> {
    let lower = image.to_ascii_lowercase();
    let name = lower.split('@').next().unwrap_or_default();
    // A colon before the last slash is that of a port.
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let (_, tag) = name.get(slash..)?.split_once(':')?;
    let is_of_windows =
        ["windows", "nanoserver", "servercore"].iter().any(|word| name.contains(word));
    let words = || tag.split(['-', '_', '.']);
    let by_tag = RELEASES.iter().find(|release| {
        words().any(|word| word == release.tag)
            && (release.tag.starts_with("ltsc") || is_of_windows)
    });
    let by_number = || {
        let version = tag.split_once("10.0.")?.1;
        of_build(version.split(['-', '_', '.']).next()?.parse().ok()?)
    };
    let by_old_tag =
        || (is_of_windows && words().any(|word| word == "1809")).then(|| of_build(17763));
    by_tag.or_else(by_number).or_else(|| by_old_tag().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_in_the_order_of_their_builds_and_dates_are_dates() {
        assert!(RELEASES.is_sorted_by_key(|release| release.build));
        for release in RELEASES {
            let parts: Vec<u32> =
                release.end.split('-').map(|part| part.parse().unwrap()).collect();
            assert!(matches!(parts[..], [2020..2040, 1..=12, 1..=31]), "{release:?}");
        }
    }

    #[test]
    fn images_tell_their_release_by_the_tag() {
        for (image, build) in [
            ("mcr.microsoft.com/windows/servercore:ltsc2019", Some(17763)),
            ("mcr.microsoft.com/windows/nanoserver:1809", Some(17763)),
            (
                "mcr.microsoft.com/dotnet/framework/aspnet:4.8-windowsservercore-ltsc2022",
                Some(20348),
            ),
            ("registry.contoso.com:5000/shop/web:1.2-LTSC2025", Some(26100)),
            ("mcr.microsoft.com/windows/nanoserver:10.0.17763.6659-amd64", Some(17763)),
            ("shop/web:nanoserver-20h2", Some(19042)),
            ("shop/web:1809", None),
            ("shop/web:2004", None),
            ("registry.contoso.com:5000/ltsc2022", None),
            ("shop/web:ltsc2022@sha256:0123", Some(20348)),
            ("shop/web", None),
            ("", None),
        ] {
            assert_eq!(of_image(image).map(|one| one.build), build, "{image}");
        }
    }
}
