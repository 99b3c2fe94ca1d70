//! The doctor's view of a large directory: few requests, little memory, a summary of one screen.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::as_administrator;
use gmsa_cluster::api::apply::Applier;
use gmsa_testkit::control_plane::{self, ControlPlane};
use gmsa_testkit::domain_controller::{
    ADMINISTRATOR, ADMINISTRATOR_PASSWORD, BASE, DomainController, GUID, SID,
};
use gmsa_testkit::{objects, shared};
use k8s_openapi::api::core::v1::Node;
use kube::Api;
use kube::api::PostParams;
use serde_json::json;

/// What one run of a program took.
struct Figures {
    time: Duration,
    /// The most memory that it had resident, in KiB.
    memory: u64,
    output: String,
}

/// Runs a build of the plugin against the controller.
fn measured(
    program: &Path,
    controller: &DomainController,
    kubeconfig: &Path,
    args: &[&str],
) -> Figures {
    let start = Instant::now();
    let mut child = std::process::Command::new(program)
        .args(args)
        .env("KUBECONFIG", kubeconfig)
        .env("GMSA_DC", controller.address.to_string())
        .env("GMSA_CA", &controller.ca)
        .env("GMSA_BIND_USER", ADMINISTRATOR)
        .env("GMSA_BIND_PASSWORD", ADMINISTRATOR_PASSWORD)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let watcher = std::thread::spawn(move || {
        let mut most = 0;
        while let Ok(text) = std::fs::read_to_string(&status) {
            let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let Some(line) = line else { break };
            most = line.trim().trim_end_matches(" kB").parse().unwrap_or(most);
            std::thread::sleep(Duration::from_millis(5));
        }
        most
    });
    let mut output = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut output).unwrap();
    child.wait().unwrap();
    let time = start.elapsed();
    Figures { time, memory: watcher.join().unwrap(), output }
}

/// Makes computers and accounts, by the controller's own database.
fn fill(controller: &DomainController, accounts: usize, computers: usize, nodes: usize) {
    let mut ldif = String::new();
    for number in 0..computers {
        let _ = write!(
            ldif,
            "dn: CN=NODE{number:04},CN=Computers,{BASE}\nchangetype: add\nobjectClass: computer\n\
             sAMAccountName: NODE{number:04}$\nuserAccountControl: 4096\n\
             dNSHostName: node{number:04}.contoso.com\n\n"
        );
    }
    let _ = write!(
        ldif,
        "dn: CN=farm,CN=Users,{BASE}\nchangetype: add\nobjectClass: group\nsAMAccountName: farm\n"
    );
    for number in 0..nodes {
        let _ = writeln!(ldif, "member: CN=NODE{number:04},CN=Computers,{BASE}");
    }
    controller.modify(&ldif);
    let found = controller.search("(sAMAccountName=farm)", &["objectSid"]);
    let farm = found.lines().find_map(|line| line.strip_prefix("objectSid: ")).unwrap().to_owned();
    let mut ldif = String::new();
    for number in 0..accounts {
        // The first is disabled, and every tenth is for another group.
        let control = if number == 0 { 4098 } else { 4096 };
        let group = if number % 10 == 3 { "BA" } else { &farm };
        let _ = write!(
            ldif,
            "dn: CN=svc{number:04},CN=Managed Service Accounts,{BASE}\nchangetype: add\n\
             objectClass: msDS-GroupManagedServiceAccount\nsAMAccountName: svc{number:04}$\n\
             dNSHostName: svc{number:04}.contoso.com\nuserAccountControl: {control}\n\
             msDS-ManagedPasswordInterval: 30\nmsDS-SupportedEncryptionTypes: 24\n\
             servicePrincipalName: http/svc{number:04}.contoso.com\n\
             msDS-GroupMSAMembership: O:BAD:(A;;0xf01ff;;;{group})\n\n"
        );
    }
    controller.modify(&ldif);
}

/// A control plane with credential specs of these accounts and these nodes.
async fn cluster(test: &str, accounts: usize, nodes: usize) -> Option<ControlPlane> {
    let plane = ControlPlane::start_private(test, control_plane::Options::default()).await?;
    let applier = Applier::new(plane.client().await, "test", true);
    let definition = json!(gmsa_cluster::installation::definition::definition());
    applier.apply(&definition).await.unwrap();
    // Pods cannot be tried without it, and the API server waits for it for seconds.
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "default", "namespace": "default"}});
    applier.apply(&account).await.unwrap();
    let api: Api<Node> = Api::all(plane.client().await);
    for number in 0..nodes {
        let node = json!({"apiVersion": "v1", "kind": "Node",
        "metadata": {"name": format!("node{number:04}"), "labels": {"kubernetes.io/os": "windows"}},
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}],
            "nodeInfo": {
                "kernelVersion": "10.0.20348.4294", "containerRuntimeVersion": "containerd://1.7.28",
                "operatingSystem": "windows", "architecture": "amd64", "osImage": "", "machineID": "",
                "systemUUID": "", "bootID": "", "kubeletVersion": "", "kubeProxyVersion": ""
            }
        }});
        let node = serde_json::from_value(node).unwrap();
        api.create(&PostParams::default(), &node).await.unwrap();
    }
    let spec = |number: usize| {
        let account = format!("svc{number:04}");
        let mut spec = objects::credential_spec(&account, &account);
        let join = &mut spec["credspec"]["DomainJoinConfig"];
        join["Sid"] = json!(SID);
        join["Guid"] = json!(GUID);
        spec
    };
    let wait = Duration::from_secs(30);
    let first = spec(0);
    gmsa_testkit::process::eventually("the kind is served", wait, || async {
        applier.apply(&first).await.ok()
    })
    .await;
    for number in 1..accounts {
        applier.apply(&spec(number)).await.unwrap();
    }
    Some(plane)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_accounts_and_nodes_fit_on_one_screen() {
    let test = "many_accounts_and_nodes_fit_on_one_screen";
    let Some(controller) = shared::separate_domain_controller(test, "some-dc").await else {
        return;
    };
    fill(&controller, 15, 12, 11);
    // Two nodes are not in the directory, one of them for its name.
    let Some(plane) = cluster(test, 15, 13).await else { return };
    let kubeconfig = plane.kubeconfig_path();
    let mut command = as_administrator(&controller, &["doctor", "--from-ad"]);
    let ran = crate::support::ran(command.env("KUBECONFIG", &kubeconfig));
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    let summary = &ran.stdout;
    for words in [
        "directory-account of account svc0000 (problem, certain): enabled: it is disabled",
        "account set svc0000 --enable",
        "directory-retrieval of account svc0003, alike account svc0013 (problem, certain): \
         host-may-retrieve: 12 of 12 nodes do not get the password",
        "node node0012: no computer account has this DNS name",
        "directory-retrieval of account svc0001, alike account svc0002, account svc0004",
        "host-may-retrieve: NODE0011$ may not read the password",
        "and 9 more (-o wide)",
    ] {
        assert!(summary.contains(words), "{words}: {summary}");
    }
    assert!(!summary.contains("hence directory-retrieval of account svc0003"), "{summary}");
    assert!(summary.lines().count() <= 40, "{summary}");
    let mut command = as_administrator(&controller, &["doctor", "--from-ad", "-o", "wide"]);
    let wide = crate::support::ran(command.env("KUBECONFIG", &kubeconfig)).stdout;
    assert!(wide.contains("NODE0011$ may not read the password"), "{wide}");
}

/// Run by `make bench`: it takes minutes. `GMSA_BENCH_NOW` names an optimised build of this plugin,
/// `GMSA_BENCH_BASE` the plugin of another build to compare with, and `GMSA_BENCH_OUT` the file that the
/// figures are added to.
#[ignore = "minutes: run by make bench"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_directory_is_examined_faster_than_before() {
    const ACCOUNTS: usize = 109;
    const NODES: usize = 64;
    let test = "a_large_directory_is_examined_faster_than_before";
    let Some(controller) = shared::separate_domain_controller(test, "full-dc").await else {
        return;
    };
    fill(&controller, ACCOUNTS, 1500, NODES);
    let found = controller.search("(sAMAccountName=NODE*)", &["objectSid"]);
    let entries: String = found
        .lines()
        .filter_map(|line| line.strip_prefix("objectSid: "))
        .map(|sid| format!("(A;;0xf01ff;;;{sid})"))
        .collect::<Vec<_>>()
        .concat();
    controller.modify(&format!(
        "dn: CN=svc0108,CN=Managed Service Accounts,{BASE}\nchangetype: modify\n\
         replace: msDS-GroupMSAMembership\nmsDS-GroupMSAMembership: O:BAD:{entries}\n"
    ));
    let Some(plane) = cluster(test, ACCOUNTS, NODES).await else { return };
    let kubeconfig = plane.kubeconfig_path();
    let optimised = std::env::var_os("GMSA_BENCH_NOW");
    let own = Path::new(env!("CARGO_BIN_EXE_kubectl-gmsa"));
    let ours = optimised.as_deref().map_or(own, Path::new);
    let base = std::env::var_os("GMSA_BENCH_BASE");
    let base = base.as_deref().map(Path::new);
    let mut rows = String::new();
    for (what, args, factor) in [
        (
            "`doctor --from-ad`, 109 credential specs and 64 nodes",
            &["doctor", "--from-ad"][..],
            10.0,
        ),
        (
            "`account check` of a descriptor with 1,500 single entries",
            &["account", "check", "svc0108", "--host", "NODE0007"],
            8.0,
        ),
    ] {
        // In turns, and the best of each: other programs share the machine.
        let mut best: [Option<Figures>; 2] = [None, None];
        for _ in 0..3 {
            for (place, program) in [Some(ours), base].into_iter().enumerate() {
                let Some(program) = program else { continue };
                let now = measured(program, &controller, &kubeconfig, args);
                let known = &mut best[place];
                if known.as_ref().is_none_or(|known| now.time < known.time) {
                    *known = Some(now);
                }
            }
        }
        let [Some(now), before] = best else { panic!("nothing was measured") };
        // A build without optimisation has 70 MB of code, of which much is resident.
        let limit = if optimised.is_none() { 60 } else { 40 };
        assert!(now.memory <= limit * 1024, "{what}: {} KiB", now.memory);
        let lines = now.output.lines().count();
        let row = |figures: &Figures| {
            format!(
                "{:.2} s, {} MB, {} lines",
                figures.time.as_secs_f64(),
                figures.memory.div_ceil(1024),
                figures.output.lines().count()
            )
        };
        let mut line = format!("| {what} | {} |", row(&now));
        if let Some(before) = before {
            let ratio = before.time.as_secs_f64() / now.time.as_secs_f64();
            let _ =
                write!(line, " {} | {ratio:.1} times faster (at least {factor}) |", row(&before));
            assert!(ratio >= factor, "{line}");
        }
        assert!(lines <= 40, "{}", now.output);
        rows.push_str(&line);
        rows.push('\n');
    }
    if let Some(path) = std::env::var_os("GMSA_BENCH_OUT") {
        use std::io::Write as _;
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.unwrap().write_all(rows.as_bytes()).unwrap();
    }
}
