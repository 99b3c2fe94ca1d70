//! `kubectl gmsa report` on a real API server, and its page in a real Chromium.

use std::path::Path;
use std::time::Duration;

use crate::support::{install_definition, run, run_on};
use gmsa_cluster::api::apply::Applier;
use gmsa_testkit::browser::{self, Browser};
use gmsa_testkit::control_plane::{ControlPlane, Options};
use gmsa_testkit::objects::{self, gmsa};
use gmsa_testkit::process::eventually;
use gmsa_testkit::shared;
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(30);

/// Markup that would show on the console if the browser interpreted it.
const HOSTILE: &str = "<img src='http://192.0.2.1/x' onerror=\"console.error('x')\"><b id=evil>";

/// The planted objects, in a cluster of the test's own: the page would show other tests' webhooks too.
struct World {
    plane: ControlPlane,
    namespace: &'static str,
    used: &'static str,
    denied: &'static str,
    odd: &'static str,
}

impl World {
    async fn new(test: &str) -> Option<Self> {
        let options = Options { with_controller_manager: true, ..Options::default() };
        let plane = ControlPlane::start_private(test, options).await?;
        let world = Self { plane, namespace: "shop", used: "used", denied: "denied", odd: "odd" };
        let definition = json!(gmsa_cluster::installation::definition::definition());
        let mut hostile = objects::credential_spec(world.odd, "WebApp1");
        hostile["credspec"]["DomainJoinConfig"]["DnsName"] = json!(HOSTILE);
        let mut planted = vec![
            definition,
            json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": world.namespace}}),
            json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": "web", "namespace": world.namespace}}),
            objects::credential_spec(world.used, "WebApp1"),
            objects::credential_spec(world.denied, "WebApp1"),
            hostile,
            objects::role(world.used),
            objects::binding(world.used, world.namespace, "web"),
        ];
        for (name, spec) in [("granted", world.used), ("refused", world.denied)] {
            let mut pod = objects::pod(world.namespace, name, &gmsa(Some(spec), None));
            pod["spec"]["serviceAccountName"] = json!("web");
            planted.push(objects::deployment(world.namespace, name, &pod));
        }
        let applier = Applier::new(world.plane.client().await, "test", true);
        for object in planted {
            // A resource is not there at once after its definition.
            eventually("the object is applied", SOON, || async {
                applier.apply(&object).await.ok()
            })
            .await;
        }
        Some(world)
    }

    /// Writes the report of the planted namespace.
    fn write(&self, path: &Path) -> crate::support::Ran {
        let path = path.to_str().unwrap();
        let args = ["report", "-n", self.namespace, "--out", path, "--overwrite"];
        run_on(&self.plane.kubeconfig_path(), &args)
    }
}

/// The contrast of the least readable text, by WCAG 2.2 (1.4.3), with that text.
const CONTRAST: &str = r"
    const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = channels(colour).slice(0, 3).map((value) => {
            value /= 255;
            return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
        for (let one = element; one; one = one.parentElement) {
            const colour = getComputedStyle(one).backgroundColor;
            if (channels(colour)[3] !== 0) { return colour; }
        }
        return 'rgb(255, 255, 255)';
    };
    let least = [21, ''];
    for (const element of document.querySelectorAll('body *')) {
        const own = [...element.childNodes].some((node) =>
            node.nodeType === 3 && node.textContent.trim() !== '');
        if (!own || ['title', 'desc'].includes(element.tagName)) { continue; }
        const colour = getComputedStyle(element).color;
        const [one, other] = [light(colour), light(ground(element))].sort((a, b) => b - a);
        const contrast = (one + 0.05) / (other + 0.05);
        if (contrast < least[0]) { least = [contrast, element.outerHTML.slice(0, 120)]; }
    }
    return least;
";

/// The colour of the page.
fn ground(browser: &Browser) -> Value {
    browser.script("return getComputedStyle(document.body).backgroundColor")
}

/// The rows of the map, each with the text of its four boxes from left to right.
fn map_rows(browser: &Browser) -> Vec<Vec<String>> {
    let rows = browser.script(
        "return [...document.querySelectorAll('.map tbody')].flatMap((panel) => {
             const spec = panel.querySelector('th').innerText;
             return [...panel.rows].map((row) =>
                 [spec, ...[...row.querySelectorAll('td')].map((cell) => cell.innerText)]);
         });",
    );
    serde_json::from_value(rows).unwrap()
}

/// What a screen reader goes by, and that no markup of the cluster was interpreted.
fn check_structure(browser: &Browser) {
    let structure = browser.script(
        "const all = (selector) => [...document.querySelectorAll(selector)];
         return {
             headings: all('h1, h2, h3').map((one) => one.tagName),
             landmarks: all('header, nav[aria-label], main, footer').length,
             sections: all('section').every((one) =>
                 document.getElementById(one.getAttribute('aria-labelledby')) !== null),
             links: all('a').every((one) =>
                 document.getElementById(one.getAttribute('href').slice(1)) !== null),
             tables: all('table').every((one) => one.caption !== null),
             cells: all('th').every((one) => ['row', 'col', 'rowgroup'].includes(one.scope)),
             named: all('[role=region]').every((one) => document.getElementById(
                 one.getAttribute('aria-labelledby')).textContent !== ''),
             scroll: all('.scroll').every((one) => one.tabIndex === 0),
             ids: new Set(all('[id]').map((one) => one.id)).size === all('[id]').length,
             evil: all('#evil, img, script, iframe, link, object, form').length,
             lang: document.documentElement.lang,
         };",
    );
    let headings = structure["headings"].as_array().unwrap();
    assert_eq!(headings.iter().filter(|one| **one == "H1").count(), 1);
    assert_eq!(structure["landmarks"], json!(4));
    for what in ["sections", "links", "tables", "cells", "named", "scroll", "ids"] {
        assert_eq!(structure[what], json!(true), "{what}: {structure}");
    }
    assert_eq!(structure["evil"], json!(0), "{structure}");
    assert_eq!(structure["lang"], json!("en"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_the_planted_relations_in_a_browser() {
    let test = "the_page_shows_the_planted_relations_in_a_browser";
    let Some(world) = World::new(test).await else { return };
    let Some(browser) = browser::start(test) else { return };
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("report.html");
    let ran = tokio::task::block_in_place(|| world.write(&path));
    assert_eq!(ran.code, 1, "a use without the right is found: {}", ran.stderr);
    assert_eq!(ran.stdout.trim(), path.to_str().unwrap());

    let url = format!("file://{}", path.display());
    browser.prefer("light");
    browser.open(&url);
    assert_eq!(browser.console(), Vec::<String>::new());
    assert_eq!(browser.requests(), [url.as_str()], "nothing but the file itself is loaded");

    // The map holds the chain, and the denial.
    let World { namespace, used, denied, .. } = &world;
    let rows = map_rows(&browser);
    let account = format!("{namespace}/web");
    let chain = [
        used.to_string(),
        format!("ClusterRole {used}\nRoleBinding {namespace}/{used}"),
        format!("{account}\nallowed, used"),
        format!("Deployment {namespace}/granted"),
    ];
    assert!(rows.contains(&chain.to_vec()), "{rows:?}");
    let denial = [
        denied.to_string(),
        "No role gives the right.".to_owned(),
        format!("{account}\nused, but denied"),
        format!("Deployment {namespace}/refused"),
    ];
    assert_eq!(rows[0], denial, "what is denied comes first");

    // What a person reads.
    let read = browser.script("return document.body.innerText");
    let read = read.as_str().unwrap();
    for words in [
        "used, but denied",
        "allowed, used",
        &format!("RoleBinding {namespace}/{used}, ClusterRole {used}"),
        &format!("Findings for {}", world.odd),
        "there is no Deployment of a GMSA webhook",
        // The audit, and the doctor's verdict with its cause and what follows.
        "its next pod would be denied: not-authorized",
        "workload-would-be-denied",
        "no configuration sends pods to a GMSA webhook",
        "Broken. webhook-configured: there is no MutatingWebhookConfiguration",
        "hence admission-answers",
        HOSTILE,
    ] {
        assert!(read.contains(words), "{words}: {read}");
    }
    check_structure(&browser);
    let command = format!("kubectl gmsa grant {denied} --to {namespace}/web");
    let script = format!(
        "return [...document.querySelectorAll('#audit code')].filter((one) => one.textContent === \
         {}).length",
        json!(command)
    );
    assert_eq!(browser.script(&script), json!(1), "{command}");

    // Tab reaches the skip link first.
    browser.command(
        "POST",
        "/actions",
        Some(&json!({"actions": [{"type": "key", "id": "k", "actions": [
            {"type": "keyDown", "value": "\u{e004}"}, {"type": "keyUp", "value": "\u{e004}"}]}]})),
    );
    assert_eq!(browser.script("return document.activeElement.className"), json!("skip"));

    let light = ground(&browser);
    for scheme in ["light", "dark"] {
        browser.prefer(scheme);
        let least = browser.script(CONTRAST);
        assert!(least[0].as_f64().unwrap() >= 4.5, "{scheme}: {least}");
    }
    assert_ne!(ground(&browser), light, "dark looks like light");

    check_width(&browser, &[360, 800, 1200, 1600]);
    let pdf: k8s_openapi::ByteString = serde_json::from_value(json!(browser.print())).unwrap();
    assert!(pdf.0.starts_with(b"%PDF-") && pdf.0.len() > 5000, "{} bytes", pdf.0.len());
    assert_eq!(browser.console(), Vec::<String>::new());
    take_pictures(&browser, "few");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_stays_readable_with_many_rights_and_service_accounts() {
    let test = "the_page_stays_readable_with_many_rights_and_service_accounts";
    let Some(world) = World::new(test).await else { return };
    let Some(browser) = browser::start(test) else { return };
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("report.html");
    let url = format!("file://{}", path.display());
    let applier = Applier::new(world.plane.client().await, "test", true);
    let add = |namespace: String, spec: String, account: String| {
        let applier = &applier;
        async move {
            let mut pod = objects::pod(&namespace, &account, &gmsa(Some(&spec), None));
            pod["spec"]["serviceAccountName"] = json!(account);
            let mut binding = objects::binding(&spec, &namespace, &account);
            binding["metadata"]["name"] = json!(format!("{account}-may-use-{spec}"));
            for object in [
                json!({"apiVersion": "v1", "kind": "ServiceAccount",
                    "metadata": {"name": account, "namespace": namespace}}),
                binding,
                objects::deployment(&namespace, &account, &pod),
            ] {
                applier.apply(&object).await.unwrap();
            }
        }
    };

    // Nineteen rights, each to a credential spec of its own, with the longest names.
    for number in 0..19 {
        let spec = format!("gmsa-a-rather-long-name-of-a-web-application-{number:02}");
        for object in [objects::credential_spec(&spec, "WebApp1"), objects::role(&spec)] {
            applier.apply(&object).await.unwrap();
        }
        let account = format!("the-service-account-of-web-application-{number:02}");
        add(world.namespace.to_owned(), spec, account).await;
    }
    tokio::task::block_in_place(|| world.write(&path));
    browser.open(&url);
    take_pictures(&browser, "rights");
    check_width(&browser, &[800, 1200, 1600]);
    let rows = map_rows(&browser);
    assert_eq!(rows.len(), 19 + 3, "nineteen, and the three credential specs of the world");

    // Two hundred service accounts with the same credential spec.
    for number in 0..200 {
        let namespace = format!("team-{:02}", number % 10);
        if number < 10 {
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": namespace}});
            applier.apply(&namespace).await.unwrap();
        }
        add(namespace, world.used.to_owned(), format!("web-{number:03}")).await;
    }
    let args = ["report", "--out", path.to_str().unwrap(), "--overwrite"];
    tokio::task::block_in_place(|| run_on(&world.plane.kubeconfig_path(), &args));
    browser.open(&url);
    take_pictures(&browser, "accounts");
    check_width(&browser, &[800, 1200, 1600]);
    let many = map_rows(&browser);
    assert_eq!(many.len(), rows.len(), "no row more for 200 service accounts: {many:?}");
    let row = many.iter().find(|row| row[0] == world.used).unwrap();
    assert_eq!(row[2], "201 service accounts in 11 namespaces\nallowed, used");
    assert_eq!(row[3], "201 Deployments in 11 namespaces");
    // Unfolded it holds every name.
    browser.script("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    let unfolded = map_rows(&browser);
    let row = unfolded.iter().find(|row| row[0] == world.used).unwrap();
    for number in 0..200 {
        let name = format!("team-{:02}/web-{number:03}", number % 10);
        assert!(row[2].contains(&name) && row[3].contains(&name), "{name}: {row:?}");
    }
    check_width(&browser, &[800, 1200]);
}

/// That nothing is wider than the window, nor, from 800 px on, than its panel; that each row of the
/// map has its boxes, and no box is far from the next.
fn check_width(browser: &Browser, widths: &[u32]) {
    for width in widths {
        browser.resize(*width, 900);
        let seen = browser.script(
            "const over = (one) => one.scrollWidth - one.clientWidth;
             const wide = [...document.querySelectorAll('.scroll')].filter((one) => over(one) > 0);
             const map = document.querySelector('.map');
             const frame = map.parentElement.getBoundingClientRect();
             const outside = [...map.querySelectorAll('th, td, td *')].filter((one) => {
                 const box = one.getBoundingClientRect();
                 return box.left < frame.left || box.right > frame.right;
             });
             const rows = [...map.tBodies].flatMap((panel) => [...panel.rows]);
             const gaps = rows.slice(1).map((row, at) => row.getBoundingClientRect().top
                 - rows[at].getBoundingClientRect().bottom);
             return {
                 inner: window.innerWidth,
                 page: over(document.documentElement),
                 wide: wide.map((one) => one.getAttribute('aria-labelledby')),
                 outside: outside.map((one) => one.outerHTML.slice(0, 120)),
                 empty: rows.filter((row) => ![...row.querySelectorAll('td')].every(
                     (one) => one.innerText.trim() !== '' && one.offsetHeight > 20)).length,
                 gap: Math.max(0, ...gaps),
                 empty_space: Math.max(...rows.map((row) => row.offsetHeight - Math.max(
                     ...[row.parentElement.querySelector('th'), ...row.cells].map((cell) => {
                         const range = document.createRange();
                         range.selectNodeContents(cell);
                         return range.getBoundingClientRect().height;
                     })))),
             };",
        );
        assert_eq!(seen["inner"], json!(width));
        assert_eq!(seen["page"], json!(0), "at {width}: {seen}");
        assert_eq!(seen["empty"], json!(0), "a row without a box at {width}: {seen}");
        assert!(seen["gap"].as_f64().unwrap() < 40.0, "at {width}: {seen}");
        assert!(seen["empty_space"].as_f64().unwrap() < 40.0, "at {width}: {seen}");
        if *width >= 800 {
            assert_eq!(seen["wide"], json!([]), "at {width}");
            assert_eq!(seen["outside"], json!([]), "at {width}");
        }
    }
}

/// For people who work on the page: `GMSA_SCREENSHOTS=DIR` keeps what it looks like.
fn take_pictures(browser: &Browser, of: &str) {
    let Some(directory) = std::env::var_os("GMSA_SCREENSHOTS") else { return };
    let directory = Path::new(&directory);
    // Without the focus of the test.
    browser.script("document.activeElement.blur()");
    for (scheme, width) in [
        ("light", 1200),
        ("dark", 1200),
        ("light", 400),
        ("light", 800),
        ("dark", 800),
        ("light", 1600),
    ] {
        browser.prefer(scheme);
        browser.resize(width, 1600);
        let png: k8s_openapi::ByteString =
            serde_json::from_value(json!(browser.screenshot())).unwrap();
        std::fs::write(directory.join(format!("{of}-{scheme}-{width}.png")), png.0).unwrap();
    }
    let pdf: k8s_openapi::ByteString = serde_json::from_value(json!(browser.print())).unwrap();
    std::fs::write(directory.join(format!("{of}.pdf")), pdf.0).unwrap();
    let page = browser.script("return document.documentElement.outerHTML");
    std::fs::write(directory.join(format!("{of}.html")), page.as_str().unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_replaced_only_with_overwrite_and_needs_a_cluster() {
    let test = "a_file_is_replaced_only_with_overwrite_and_needs_a_cluster";
    let Some(cluster) = shared::cluster(test).await else { return };
    install_definition(&cluster).await;
    let namespace = cluster.namespace("report").await;
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("report.html");
    let out = path.to_str().unwrap();
    let ran = run(&["report", "--out", out]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(!path.exists());
    std::fs::write(&path, "mine").unwrap();
    let args = ["report", "-n", &namespace, "--no-verify", "--out", out];
    let ran = tokio::task::block_in_place(|| run_on(&cluster.kubeconfig, &args));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("--overwrite"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    let args = [&args[..], &["--overwrite"]].concat();
    let ran = tokio::task::block_in_place(|| run_on(&cluster.kubeconfig, &args));
    assert!([0, 1].contains(&ran.code), "{}", ran.stderr);
    let page = std::fs::read_to_string(&path).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.contains("was not asked"), "{page}");
    let ran = tokio::task::block_in_place(|| {
        run_on(&cluster.kubeconfig, &["report", "-n", &namespace, "--out", "/nonexistent/a.html"])
    });
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("failed to write /nonexistent/a.html"), "{}", ran.stderr);
}
