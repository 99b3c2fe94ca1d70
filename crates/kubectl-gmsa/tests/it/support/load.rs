//! Steady creation of pods that use a GMSA, as dry runs.
#![allow(dead_code, reason = "not every test needs all of it")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use gmsa_testkit::objects;
use gmsa_testkit::process::eventually;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::Value;

use super::world::SOON;

/// So many create pods at once, one after the other.
pub const WORKERS: usize = 4;

/// Creates a pod that uses the credential spec `spec` as a dry run; what comes back must be expanded.
pub async fn admit(client: &Client, namespace: &str) -> Result<(), String> {
    let pod = create(client, namespace).await?;
    let at = "/spec/securityContext/windowsOptions/gmsaCredentialSpec";
    pod.pointer(at).map(drop).ok_or_else(|| "not expanded".to_owned())
}

/// The same, expanded or not.
pub async fn create(client: &Client, namespace: &str) -> Result<Value, String> {
    let pod = objects::pod(namespace, "probe", &objects::gmsa(Some("spec"), None));
    let pod: Pod = serde_json::from_value(pod).unwrap();
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let dry = PostParams { dry_run: true, ..PostParams::default() };
    let pod = pods.create(&dry, &pod).await.map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(pod).unwrap())
}

/// What must become of the pods.
#[derive(Clone, Copy)]
enum Expected {
    Expanded,
    Admitted,
    Denied,
}

/// The load; it ends when it is dropped.
pub struct Load {
    stop: Arc<AtomicBool>,
    done: Vec<Arc<AtomicUsize>>,
    failed: Arc<Mutex<Vec<String>>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    /// Creates pods that must come back expanded.
    pub fn start(client: &Client, namespace: &str) -> Self {
        Self::of(client, namespace, Expected::Expanded)
    }

    /// Creates pods that must be admitted, expanded or not.
    pub fn unexpanded(client: &Client, namespace: &str) -> Self {
        Self::of(client, namespace, Expected::Admitted)
    }

    /// Creates pods that must be denied for the lack of a right.
    pub fn denied(client: &Client, namespace: &str) -> Self {
        Self::of(client, namespace, Expected::Denied)
    }

    fn of(client: &Client, namespace: &str, expected: Expected) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let failed = Arc::new(Mutex::new(Vec::new()));
        let done: Vec<_> = (0..WORKERS).map(|_| Arc::new(AtomicUsize::new(0))).collect();
        let tasks = done.iter().map(|done| {
            let (client, namespace) = (client.clone(), namespace.to_owned());
            let (stop, done, failed) = (stop.clone(), done.clone(), failed.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let created = match expected {
                        Expected::Expanded => admit(&client, &namespace).await,
                        Expected::Admitted => create(&client, &namespace).await.map(drop),
                        Expected::Denied => match create(&client, &namespace).await {
                            Err(why) if why.contains("is not authorized") => Ok(()),
                            Err(why) => Err(why),
                            Ok(pod) => Err(format!("admitted: {pod}")),
                        },
                    };
                    if let Err(why) = created {
                        failed.lock().unwrap().push(why);
                    }
                    done.fetch_add(1, Ordering::Relaxed);
                }
            })
        });
        Self { tasks: tasks.collect(), stop, done, failed }
    }

    /// Waits until every worker created some more, all of them begun after this call.
    pub async fn goes_on(&self) {
        let seen: Vec<_> = self.done.iter().map(|done| done.load(Ordering::Relaxed)).collect();
        eventually("creation goes on", SOON, || async {
            let mut all = self.done.iter().zip(&seen);
            all.all(|(done, seen)| done.load(Ordering::Relaxed) > seen + 5).then_some(())
        })
        .await;
    }

    pub fn failures(&self) -> Vec<String> {
        self.failed.lock().unwrap().clone()
    }

    /// Nothing failed, up to creations that were begun after this call.
    pub async fn nothing_failed(&self, when: &str) {
        self.goes_on().await;
        assert_eq!(self.failures(), Vec::<String>::new(), "{when}");
    }

    /// How many pods were created.
    pub fn count(&self) -> usize {
        self.done.iter().map(|done| done.load(Ordering::Relaxed)).sum()
    }

    pub async fn end(mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks.drain(..) {
            task.await.unwrap();
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
