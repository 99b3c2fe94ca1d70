//! What people reported of pods that did not get their identity, as the doctor prints it.

use gmsa_testkit::recordings;
use gmsa_testkit::windows_node::Recording;
use serde_json::{Value, json};

use crate::support::windows::{NAMESPACE, World, causes, world};

/// The doctor's words of a pod on a terminal, with the exit code, and the causes of its report.
async fn verdict(world: &World, pod: &str, recording: fn() -> Recording) -> (String, i32, Value) {
    // Each run begins with the recording anew.
    world.node.record(pod, recording());
    let (_, report) = world.doctor(pod, &[]).await;
    world.node.record(pod, recording());
    let ran = world.run(&["doctor", pod, "-n", NAMESPACE]).await;
    (ran.stdout, ran.code, report)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_reported_gets_the_right_verdict() {
    let Some(world) = world("what_people_reported_gets_the_right_verdict").await else { return };
    users_of_images(&world).await;
    a_ticket_contradicts_no_logon_servers(&world).await;
    texts_of_the_runtime_without_numbers(&world).await;
    // Last, because it takes the stanza of the domain from CoreDNS.
    pods_that_do_not_ask_coredns(&world).await;
}

/// `USER ContainerAdministrator` in the image is no cause by itself.
async fn users_of_images(world: &World) {
    world.pod("admin", |_| {}).await;
    let broken = recordings::administrator_without_channel;
    let (words, code, report) = verdict(world, "admin", broken).await;
    assert_eq!((causes(&report), code), (vec!["pod-secure-channel"], 1), "{words}");
    for part in [
        "1786 ERROR_NO_TRUST_LSA_SECRET",
        "-> Reset it: kubectl gmsa doctor admin -n shop --repair",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("runAsUserName"), "{words}");
    let (words, code, report) = verdict(world, "admin", recordings::healthy_administrator).await;
    assert_eq!((causes(&report), code), (vec![], 0), "{words}");
    assert!(words.starts_with("Nothing wrong was found in"), "{words}");
}

/// Who gave a ticket is a controller that answers.
async fn a_ticket_contradicts_no_logon_servers(world: &World) {
    world.pod("logon", |_| {}).await;
    let (words, code, report) =
        verdict(world, "logon", recordings::no_logon_server_with_ticket).await;
    assert_eq!((causes(&report), code), (vec!["pod-secure-channel"], 1), "{words}");
    for part in ["1311", "--repair", "135", "445", "49152"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("cannot be resolved"), "{words}");
}

/// What hcsshim prints for Windows' text instead of its number, and numbers in its decimal form.
async fn texts_of_the_runtime_without_numbers(world: &World) {
    for (name, message, says) in [
        (
            "guard",
            "Error: failed to create containerd task: failed to create shim task: failed to generate \
             container credential guard instance: hcs::ModifyServiceSettings: The user name or password is \
             incorrect.: unknown",
            &[
                "the node could not get the account's password",
                "-Account WebApp1 -Domain contoso.com",
            ][..],
        ),
        (
            "empty",
            "failed to start container \"0123\": hcsshim::CreateComputeSystem 0123: winapi error \
             #3489660941",
            &["0xC000000D", "The contents are empty", "kubectl gmsa credspec lint web"],
        ),
        ("cross", "hcs::CreateComputeSystem 0123: winapi error #3489661095.", &["0xC00000A7"]),
        (
            "logon-failure",
            "container 0123 encountered an error during CreateProcess: failure in a Windows system call: \
             The user name or password is incorrect. (0x52e)",
            &["1326", "The image's own user cannot log on", "runAsUserName"],
        ),
    ] {
        let state = json!({"waiting": {"reason": "RunContainerError", "message": message}});
        world.node.keep(name, state);
        world.pod(name, |_| {}).await;
        let ran = world.run(&["doctor", name, "-n", NAMESPACE]).await;
        assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("1. pod-running"), "{}", ran.stdout);
        for part in says {
            assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
        }
        assert!(!ran.stdout.contains("Read the decoded numbers"), "{}", ran.stdout);
        assert_eq!(
            ran.stdout.matches(message.trim_start_matches("Error: ")).count(),
            1,
            "{}",
            ran.stdout
        );
    }
}

/// A pod with name servers of its own, and one that resolves the name although nothing forwards it.
async fn pods_that_do_not_ask_coredns(world: &World) {
    world
        .apply(&json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "coredns", "namespace": "kube-system"},
            "data": {"Corefile": ".:53 {\n  forward . /etc/resolv.conf\n}\n"}}))
        .await;
    let warned = world.run(&["doctor"]).await;
    assert!(
        warned.stdout.contains("dns-forwarding of domain contoso.com (warning"),
        "{}",
        warned.stdout
    );
    world
        .pod("own-dns", |pod| {
            pod["spec"]["dnsPolicy"] = json!("None");
            pod["spec"]["dnsConfig"] = json!({"nameservers": ["10.0.0.4"]});
        })
        .await;
    world.pod("resolves", |_| {}).await;
    for (name, recording, words) in [
        ("own-dns", recordings::healthy as fn() -> Recording, "resolves it"),
        ("resolves", recordings::healthy, "resolves it"),
        ("own-dns", recordings::no_nltest, "resolves it"),
    ] {
        world.node.record(name, recording());
        let ran = world.run(&["doctor", name, "-n", NAMESPACE, "-o", "wide"]).await;
        assert_eq!(ran.code, 0, "{name}: {}", ran.stdout);
        assert!(!ran.stdout.contains("forward . ADDRESS"), "{name}: {}", ran.stdout);
        let line = ran.stdout.lines().find(|line| line.starts_with("dns-forwarding")).unwrap();
        assert!(line.contains(words), "{name}: {line}");
    }
    // The names that only the pod's own servers know are not those of CoreDNS.
    let (words, code, report) = verdict(world, "own-dns", recordings::dns_broken).await;
    assert_eq!((causes(&report), code), (vec!["pod-dns"], 1), "{words}");
    for part in ["does not ask CoreDNS, but 10.0.0.4 (dnsPolicy None)", "port 53 to them is open"] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("forward . ADDRESS"), "{words}");
}
