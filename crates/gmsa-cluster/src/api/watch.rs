//! Changes of one object.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt as _, pin_mut};
use kube::api::{Api, WatchParams};
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

/// How long the API server keeps a watch open, in seconds.
const WATCH_SECONDS: u32 = 45;
/// How long to wait before watching again what could not be watched.
const PAUSE: Duration = Duration::from_secs(5);

/// Notifies of every change of the object of this name, and whenever one may have been missed.
pub(crate) async fn watch<K>(api: Api<K>, name: String, changed: Arc<Notify>)
where
    K: Clone + DeserializeOwned + Debug + Send + 'static,
{
    let params =
        WatchParams::default().fields(&format!("metadata.name={name}")).timeout(WATCH_SECONDS);
    loop {
        if let Ok(events) = api.watch(&params, "0").await {
            pin_mut!(events);
            while let Some(Ok(_)) = events.next().await {
                changed.notify_one();
            }
        } else {
            tokio::time::sleep(PAUSE).await;
        }
        changed.notify_one();
    }
}
