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

/// Markup that would be told of if it came to life.
const HOSTILE: &str = "<img src='http://192.0.2.1/x' onerror=\"console.error('x')\"><b id=evil>";

/// What is planted, in a cluster of the test's own: other tests' webhooks would be told of too.
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
        let mut definition =
            serde_json::to_value(gmsa_cluster::installation::definition::definition()).unwrap();
        definition["apiVersion"] = json!("apiextensions.k8s.io/v1");
        definition["kind"] = json!("CustomResourceDefinition");
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
            if (one.tagName === 'g') {
                return getComputedStyle(one.querySelector('rect')).fill;
            }
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
        const style = getComputedStyle(element);
        const colour = element.namespaceURI.endsWith('svg') ? style.fill : style.color;
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

/// What a screen reader goes by, and that no markup of the cluster came to life.
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
             cells: all('th').every((one) => ['row', 'col'].includes(one.scope)),
             picture: all('svg[role=img]').every((one) => one.getAttribute('aria-labelledby')
                 .split(' ').every((id) => document.getElementById(id).textContent !== '')),
             scroll: all('.scroll').every((one) => one.tabIndex === 0),
             ids: new Set(all('[id]').map((one) => one.id)).size === all('[id]').length,
             evil: all('#evil, img, script, iframe, link, object, form').length,
             lang: document.documentElement.lang,
         };",
    );
    let headings = structure["headings"].as_array().unwrap();
    assert_eq!(headings.iter().filter(|one| **one == "H1").count(), 1);
    assert_eq!(structure["landmarks"], json!(4));
    for what in ["sections", "links", "tables", "cells", "picture", "scroll", "ids"] {
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

    // The picture holds the chain, and the denial.
    let World { namespace, used, denied, .. } = &world;
    let account = format!("ServiceAccount {namespace}/web");
    let chain = [
        format!("Deployment {namespace}/granted"),
        account.clone(),
        format!("RoleBinding {namespace}/{used}"),
        format!("ClusterRole {used}"),
        format!("GMSACredentialSpec {used}"),
    ];
    let drawn = |selector: &str| {
        let script = format!("return document.querySelectorAll({}).length", json!(selector));
        browser.script(&script)
    };
    for pair in chain.windows(2) {
        let [from, to] = pair else { panic!() };
        let selector = format!("svg path.edge[data-from='{from}'][data-to='{to}']");
        assert_eq!(drawn(&selector), json!(1), "{from} to {to}");
        assert_eq!(drawn(&format!("svg g.node[data-label='{from}']")), json!(1), "{from}");
    }
    let to = format!("GMSACredentialSpec {denied}");
    let selector = format!("svg path.edge.denied[data-from='{account}'][data-to='{to}']");
    assert_eq!(drawn(&selector), json!(1), "the denial");

    // What a person reads.
    let read = browser.script("return document.body.innerText");
    let read = read.as_str().unwrap();
    for words in [
        "used, but denied",
        "allowed, used",
        &format!("RoleBinding {namespace}/{used}, ClusterRole {used}"),
        &format!("Findings for {}", world.odd),
        "there is no installation of ours",
        // The audit, and the doctor's verdict with its cause and what follows.
        "its next pod would be denied: not-authorized",
        "workload-would-be-denied",
        "no configuration sends pods to a GMSA webhook",
        "Broken. webhook-configured: there is no MutatingWebhookConfiguration",
        "hence webhook-certificate",
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

    // Narrow: nothing but what scrolls by itself is wider than the window.
    for width in [1280, 360] {
        browser.resize(width, 900);
        let inner = browser.script("return window.innerWidth");
        assert_eq!(inner, json!(width));
        let wide = browser.script(
            "return document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        assert_eq!(wide, json!(0), "at {width}");
    }
    let pdf: k8s_openapi::ByteString = serde_json::from_value(json!(browser.print())).unwrap();
    assert!(pdf.0.starts_with(b"%PDF-") && pdf.0.len() > 5000, "{} bytes", pdf.0.len());
    assert_eq!(browser.console(), Vec::<String>::new());
    if let Some(directory) = std::env::var_os("GMSA_SCREENSHOTS") {
        take_pictures(&browser, Path::new(&directory));
    }
}

/// For people who work on the page: `GMSA_SCREENSHOTS=DIR` keeps what it looks like.
fn take_pictures(browser: &Browser, directory: &Path) {
    // As it is read, not as it is left.
    browser.script("document.activeElement.blur()");
    for (name, scheme, width) in
        [("light", "light", 1280), ("dark", "dark", 1280), ("narrow", "light", 400)]
    {
        browser.prefer(scheme);
        browser.resize(width, 2400);
        let png: k8s_openapi::ByteString =
            serde_json::from_value(json!(browser.screenshot())).unwrap();
        std::fs::write(directory.join(format!("{name}.png")), png.0).unwrap();
    }
    let pdf: k8s_openapi::ByteString = serde_json::from_value(json!(browser.print())).unwrap();
    std::fs::write(directory.join("print.pdf"), pdf.0).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_is_replaced_only_when_told_and_needs_a_cluster() {
    let test = "a_file_is_replaced_only_when_told_and_needs_a_cluster";
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
