//! A short-lived pod with the same identity, node and image, for a look from inside.

mod shape;

use std::time::{Duration, Instant};

use gmsa_cluster::api::client::why;
use gmsa_cluster::api::objects::{Objects, Reference, kinds};
use gmsa_cluster::api::value::text;
use gmsa_core::diagnosis::Outcome;
use gmsa_core::diagnosis::catalogue::pod::POD_EXEC;
use gmsa_core::names::{FIELD_MANAGER, PROBE_LABEL};
use gmsa_core::pod::{Pod, identities};
use kube::Client;
use kube::api::{Api, DeleteParams};
use serde_json::Value;

use super::inside::{self, Place};
use super::target::Subject;
use super::{Probed, Specs, read, running};
use crate::cli::Doctor;
use crate::failure::Failure;
use crate::output::printer;

const PAUSE: Duration = Duration::from_millis(300);
/// How long a node may take to stop a deleted pod.
const GOING: Duration = Duration::from_mins(1);
/// A container that waits for one of these will not start by itself soon.
const HOPELESS: [&str; 6] = [
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "CreateContainerError",
    "CreateContainerConfigError",
    "RunContainerError",
];

/// Starts the pod, looks from inside, and deletes it whatever happens.
pub async fn examine(
    client: &Client,
    args: &Doctor,
    subject: &Subject,
    pod: &Pod<'_>,
    specs: &Specs,
) -> Result<Probed, Failure> {
    let Some(like) = subject.pod.clone().or_else(|| subject.next_pod()) else {
        return Ok(Probed { outcomes: Vec::new(), looked: Vec::new() });
    };
    let Some(wanted) = shape::pod(&like, pod, &subject.namespace, args) else {
        let words = "no container has an identity that a pod of one's own could have";
        let outcome = Outcome::skipped(&POD_EXEC, words).on(&subject.shown);
        return Ok(Probed { outcomes: vec![outcome], looked: Vec::new() });
    };
    let name = text(&wanted, "/metadata/name").to_owned();
    let shown = format!("Pod {}/{name}", subject.namespace);
    let objects = Objects::new(client.clone(), FIELD_MANAGER, false);
    printer::note(&format!("starting {shown}, which is deleted afterwards"));
    let work = async {
        let of = Reference::namespaced(kinds::POD, &subject.namespace, &name);
        match objects.create(&of, &wanted).await {
            Ok(_) => within(client, args, &objects, &of, specs).await,
            // The reason is that of admission, which stands among the outcomes too.
            Err(error) if error.code().is_some() => {
                let outcome = Outcome::unknown(&POD_EXEC, error.to_string()).on(&shown);
                Ok(Probed { outcomes: vec![outcome], looked: Vec::new() })
            }
            Err(error) => Err(error.into()),
        }
    };
    let done = tokio::select! {
        done = work => done,
        () = interrupted() => Err(Failure::Cluster("interrupted".to_owned())),
    };
    delete(client, &subject.namespace, &name).await;
    done
}

async fn within(
    client: &Client,
    args: &Doctor,
    objects: &Objects,
    of: &Reference,
    specs: &Specs,
) -> Result<Probed, Failure> {
    let end = Instant::now() + Duration::from_secs(u64::from(args.probe_timeout));
    let live = started(objects, of, end).await?;
    let live_text = live.to_string();
    let pod = read(&live_text, &of.name)?;
    let events = running::events(client, &live).await;
    let mut outcomes = running::judge(&live, &pod, specs, &events);
    let mut looked = Vec::new();
    for identity in identities(&pod) {
        let place = Place::of(&live, &pod, &identity, specs, None);
        if running::is_running(&live, &identity) {
            let limit = Duration::from_secs(u64::from(args.exec_timeout));
            let mut one = inside::look(client, place, limit).await;
            one.stays = false;
            looked.push(one);
        } else {
            let words = format!("it did not run within {} s", args.probe_timeout);
            outcomes.push(Outcome::unknown(&POD_EXEC, words).on(&place.object));
        }
    }
    Ok(Probed { outcomes, looked })
}

/// The pod once its containers run, or once they cannot start any more.
async fn started(objects: &Objects, of: &Reference, end: Instant) -> Result<Value, Failure> {
    loop {
        let found = objects.get(of).await?;
        let Some(live) = found else {
            return Err(Failure::Cluster(format!(
                "failed to wait for {of}: another user or controller deleted it"
            )));
        };
        let statuses = live.pointer("/status/containerStatuses").and_then(Value::as_array);
        let statuses = statuses.map(Vec::as_slice).unwrap_or_default();
        let settled = |status: &Value| {
            status.pointer("/state/running").is_some()
                || status.pointer("/state/terminated").is_some()
                || HOPELESS.contains(&text(status, "/state/waiting/reason"))
        };
        let over = matches!(text(&live, "/status/phase"), "Failed" | "Succeeded");
        let all = !statuses.is_empty() && statuses.iter().all(settled);
        if over || all || Instant::now() >= end {
            return Ok(live);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Waits for a signal to end this program.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let both = (signal(SignalKind::terminate()), signal(SignalKind::hangup()));
        if let (Ok(mut terminate), Ok(mut hangup)) = both {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Deletes it and waits until it is gone; prints the command if that fails.
async fn delete(client: &Client, namespace: &str, name: &str) {
    let pods: Api<k8s_openapi::api::core::v1::Pod> = Api::namespaced(client.clone(), namespace);
    let params = DeleteParams::default().grace_period(1);
    let end = Instant::now() + GOING;
    let mut problem = loop {
        match pods.delete(name, &params).await {
            Ok(_) => break None,
            Err(kube::Error::Api(status)) if status.code == 404 => break None,
            Err(error) if Instant::now() >= end => break Some(why(&error)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    };
    while problem.is_none() {
        match pods.get_opt(name).await {
            Ok(None) => {
                printer::note(&format!("Pod {namespace}/{name} is gone"));
                return;
            }
            _ if Instant::now() >= end => {
                problem = Some("its node does not let it go".to_owned());
            }
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
    printer::warning(&format!(
        "failed to delete Pod {namespace}/{name}: {}; it ends by itself after {} s, and \
         kubectl delete pods -n {namespace} -l {PROBE_LABEL}=true deletes it",
        problem.unwrap_or_default(),
        shape::DEADLINE
    ));
}
