//! Whether the webhooks truly answer: pods that must be denied, created as a dry run.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use gmsa_cluster::api::answer;
use gmsa_cluster::installation::probe::{self, QUESTIONS, Question};
use gmsa_cluster::installation::{OLDEST, Options, namespace_requirements, sent};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt as _};

use crate::failure::Failure;
use crate::output::printer;

const PAUSE: Duration = Duration::from_millis(500);

/// What API servers take to notice a change is not worth a line.
const USUAL: Duration = Duration::from_secs(2);

/// Says what is waited for, and each reason once.
struct Awaited {
    what: String,
    since: Instant,
    told: BTreeSet<String>,
}

impl Awaited {
    fn new(what: String) -> Self {
        Self { what, since: Instant::now(), told: BTreeSet::new() }
    }

    fn not_yet(&mut self, problem: &str) {
        if self.since.elapsed() >= USUAL && self.told.insert(problem.to_owned()) {
            printer::note(&format!("waiting for {}: {problem}", self.what));
        }
    }
}

/// Waits until both webhooks answer; the error says what is wrong if they do not. False if no namespace
/// sends its pods, so that nothing was tried.
pub async fn answered(client: &Client, options: &Options, end: Instant) -> Result<bool, Failure> {
    let Some(namespace) = namespace(client, options).await? else {
        printer::note(
            "no namespace sends its pods yet (kubectl label namespace NAME gmsa-webhook=enabled), \
             so whether the webhook answers was not tried",
        );
        return Ok(false);
    };
    answered_in(client, &namespace, end).await.map(|()| true)
}

/// The same for the pods of one namespace.
pub async fn answered_in(client: &Client, namespace: &str, end: Instant) -> Result<(), Failure> {
    for question in QUESTIONS {
        let mut awaited = Awaited::new(format!("the {} webhook to answer", question.step));
        loop {
            let Some(problem) = ask(client, namespace, &question).await? else { break };
            awaited.not_yet(&problem);
            if Instant::now() >= end {
                return Err(Failure::Cluster(format!(
                    "the {} webhook does not answer: {problem}{}",
                    question.step,
                    remedy(&problem)
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Waits until the policies of the engine decide. False if no namespace sends its pods, so that nothing was
/// tried.
pub async fn policies_answered(
    client: &Client,
    options: &Options,
    end: Instant,
) -> Result<bool, Failure> {
    let Some(namespace) = namespace(client, options).await? else { return Ok(false) };
    let mut awaited = Awaited::new("the policies to decide on pods".to_owned());
    loop {
        let asked = probe::ask_policies(client, &namespace, options.literals.is_some()).await;
        let asked = asked.map_err(Failure::cluster)?;
        let Some(problem) = asked else { return Ok(true) };
        awaited.not_yet(&problem);
        if Instant::now() >= end {
            return Err(Failure::Cluster(format!(
                "the admission policies do not decide on pods: {problem}. What decided before is still \
                 there; see kubectl gmsa status, then run the same command again"
            )));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks the policies of the engine once: what is wrong, if anything. None if no namespace has its pods
/// checked.
pub async fn policies_asked_once(
    client: &Client,
    options: &Options,
) -> Result<Option<Option<String>>, Failure> {
    let Some(namespace) = namespace(client, options).await? else { return Ok(None) };
    let are_literal = options.literals.is_some();
    probe::ask_policies(client, &namespace, are_literal).await.map(Some).map_err(Failure::cluster)
}

/// Asks each webhook once: which did not answer, and what is wrong. None if no namespace sends its
/// pods.
pub async fn asked_once(
    client: &Client,
    options: &Options,
) -> Result<Option<Vec<(&'static str, String)>>, Failure> {
    let Some(namespace) = namespace(client, options).await? else { return Ok(None) };
    let mut problems = Vec::new();
    for question in &QUESTIONS {
        let problem = ask(client, &namespace, question).await?;
        problems.extend(problem.map(|problem| (question.step, problem)));
    }
    Ok(Some(problems))
}

async fn ask(
    client: &Client,
    namespace: &str,
    question: &Question,
) -> Result<Option<String>, Failure> {
    probe::ask(client, namespace, question).await.map_err(Failure::cluster)
}

/// A namespace whose pods are sent: `default` if it is one.
async fn namespace(client: &Client, options: &Options) -> Result<Option<String>, Failure> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let params = ListParams::default();
    let all = answer("list", "the namespaces", namespaces.list(&params)).await?;
    // What is asked for on old servers is so on none that is excluded on any.
    let sent = sent(&namespace_requirements(options, OLDEST));
    let sent = |namespace: &Namespace| sent.matches(namespace.labels());
    let mut names: Vec<String> =
        all.items.iter().filter(|one| sent(one)).map(kube::ResourceExt::name_any).collect();
    names.sort_by_key(|name| name != "default");
    Ok(names.into_iter().next())
}

/// What to do about an API server's error when it cannot call a webhook; empty if that is not known.
pub fn remedy(problem: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|word| problem.contains(word));
    if has(&["proxyconnect"]) || PROXY_ANSWERS.iter().any(|status| ends_with(problem, status)) {
        "\nThe API server sends calls of webhooks to a proxy. Put .svc and the network of the Services \
         into NO_PROXY of the API server (kube-apiserver --service-cluster-ip-range has that network), \
         and restart it"
    } else if has(&UNREACHABLE) {
        "\nThe API server cannot reach the webhook's pods: the control plane is on another network, \
         or a firewall is in between. Open the way to port 8443 of the pods, or run the webhook on \
         the nodes' network: kubectl gmsa install --host-network --port 10443"
    } else if has(&["x509", "certificate"]) {
        "\nThe API server does not trust the webhook's certificate. A server that makes its own \
         writes its CA into the webhook configurations: see its log for why it could not \
         (kubectl logs -n gmsa-webhook deployment/gmsa-webhook). For certificates from elsewhere \
         run kubectl gmsa upgrade, with --ca-bundle FILE if the Secret has no ca.crt"
    } else if has(&["no endpoints", "connection refused", "not found"]) {
        "\nNo replica is behind the Service: see kubectl get pods -n gmsa-webhook"
    } else if has(&["did not ask"]) {
        "\nThe webhook configurations are not in force: another tool may have changed them \
         (kubectl gmsa status)"
    } else {
        ""
    }
}

/// The network blocks the call. `Address is not allowed` is the error of the control plane of EKS
/// with an overlay network for pods (Calico, Cilium).
const UNREACHABLE: [&str; 8] = [
    "deadline exceeded",
    "Client.Timeout",
    "i/o timeout",
    "timed out",
    "Address is not allowed",
    "no route to host",
    "network is unreachable",
    "connection reset by peer",
];

/// What a proxy answers to CONNECT; Go then has nothing but the text of the status as the error.
const PROXY_ANSWERS: [&str; 7] = [
    "Bad Gateway",
    "Bad Request",
    "Forbidden",
    "Gateway Timeout",
    "Method Not Allowed",
    "Proxy Authentication Required",
    "Service Unavailable",
];

/// Whether a text, without what quotes it, ends with these words behind a colon.
fn ends_with(text: &str, words: &str) -> bool {
    let text = text.trim_end_matches(['"', '\'', ')', '.', ' ', '\n']);
    text.strip_suffix(words).is_some_and(|before| before.ends_with("\": "))
}

#[cfg(test)]
mod tests {
    use super::remedy;

    #[test]
    fn errors_of_api_servers_have_a_remedy() {
        for (said, words) in [
            (
                "failed calling webhook \"x\": Post \"https://…\": context deadline exceeded",
                "--host-network",
            ),
            ("Post: dial tcp 10.1.2.3:443: i/o timeout", "--host-network"),
            ("x509: certificate signed by unknown authority", "kubectl logs"),
            ("no endpoints available for service \"gmsa-webhook\"", "kubectl get pods"),
            ("the API server did not ask it", "kubectl gmsa status"),
            ("Post \"https://x:443/mutate?timeout=5s\": Address is not allowed", "--port 10443"),
            (
                "Post \"https://x\": dial tcp 10.0.3.12:8443: connect: no route to host",
                "--port 10443",
            ),
            (
                "Post \"https://x\": proxyconnect tcp: dial tcp 10.0.0.9:3128: connect: connection \
                 refused",
                "NO_PROXY",
            ),
            ("Post \"https://x:443/mutate?timeout=5s\": Service Unavailable", "NO_PROXY"),
            ("Post \"https://x:443/mutate?timeout=5s\": Forbidden", "NO_PROXY"),
            ("Post \"https://x\": dial tcp 10.0.0.1:443: connect: connection refused", "get pods"),
        ] {
            assert!(remedy(said).contains(words), "{said}");
        }
        assert_eq!(remedy("something else"), "");
        assert_eq!(remedy("pods is forbidden: Service Unavailable in words"), "");
    }
}
