//! List and watch, written out so that bookmarks and resumed watches are seen.
//!
//! The list is read in pages from the API server's storage; the watch resumes at the last resource
//! version after every end, and only an expired version (410) makes a new list necessary.

use std::fmt::Debug;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::{StreamExt, pin_mut};
use kube::api::{Api, ListParams, WatchEvent, WatchParams};
use serde::de::DeserializeOwned;
use tokio::time::sleep;

use crate::api::PAGE;

/// How long the server keeps a watch open, in seconds. Less than the time for which an idle watch
/// counts as current, because resuming the watch counts as activity.
const WATCH_SECONDS: u32 = 45;

/// How long to wait before a forbidden request is tried again. An API server that has just started
/// forbids everything until it has read the roles.
const FORBIDDEN: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_secs(1))
    .with_max_delay(Duration::from_mins(1))
    .without_max_times();

/// How long to wait after a failure.
const RETRY: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(100))
    .with_max_delay(Duration::from_secs(10))
    .with_jitter()
    .without_max_times();

/// What a list and watch feeds.
pub(crate) trait Sink<K>: Send + Sync + 'static {
    /// What is watched, for the log.
    fn what(&self) -> &'static str;
    /// A new list begins.
    fn list_begins(&self);
    /// One object of the list.
    fn listed(&self, object: K);
    /// The list is complete.
    fn list_ends(&self);
    /// An object was created or changed.
    fn applied(&self, object: K);
    /// An object was deleted.
    fn deleted(&self, object: K);
    /// A watch was opened, or a bookmark came: nothing was missed so far.
    fn alive(&self);
    /// The watch ended; `clean` if the server ended it in time.
    fn ended(&self, clean: bool);
    /// Listing or watching is forbidden. `first` is false while it was already at the last try, so that a
    /// warning comes once.
    fn forbidden(&self, first: bool);
    /// Everything up to this resource version was seen. Comes before what it is the version of.
    fn version(&self, _version: &str) {}
}

/// Lists and watches for as long as it is polled.
pub(crate) async fn run<K, S>(api: Api<K>, sink: &S)
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + Send + 'static,
    S: Sink<K> + ?Sized,
{
    let mut backoff = RETRY.build();
    let mut forbidden = FORBIDDEN.build();
    let mut first = true;
    loop {
        let end = match list(&api, sink).await {
            Ok(version) => {
                backoff = RETRY.build();
                follow(&api, sink, version).await
            }
            // The next page may be too old as well: a new list begins after a pause.
            Err(error) if is_code(&error, 410) => End::Failed(error.to_string()),
            Err(error) => End::of(&error),
        };
        match end {
            End::Forbidden => {
                sink.forbidden(first);
                first = false;
                sleep(pause(&mut forbidden)).await;
                continue;
            }
            End::Failed(error) => {
                sink.ended(false);
                let pause = pause(&mut backoff);
                tracing::warn!(
                    what = sink.what(),
                    error,
                    retry_in_ms = pause.as_millis(),
                    "failed to list"
                );
                sleep(pause).await;
            }
            End::Clean | End::Expired => {}
        }
        forbidden = FORBIDDEN.build();
        first = true;
    }
}

/// Reads the whole list and returns its resource version.
async fn list<K, S>(api: &Api<K>, sink: &S) -> kube::Result<String>
where
    K: Clone + DeserializeOwned + Debug,
    S: Sink<K> + ?Sized,
{
    sink.list_begins();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = api.list(&params).await?;
        for object in page.items {
            sink.listed(object);
        }
        let more = page.metadata.continue_.filter(|token| !token.is_empty());
        let Some(token) = more else {
            let version = page.metadata.resource_version.unwrap_or_default();
            sink.version(&version);
            sink.list_ends();
            return Ok(version);
        };
        params = params.continue_token(&token);
    }
}

/// Watches, resuming after every end, until a new list is needed or watching is forbidden.
async fn follow<K, S>(api: &Api<K>, sink: &S, mut version: String) -> End
where
    K: kube::Resource + Clone + DeserializeOwned + Debug + 'static,
    S: Sink<K> + ?Sized,
{
    let params = WatchParams::default().timeout(WATCH_SECONDS);
    let mut backoff = RETRY.build();
    loop {
        let end = match api.watch(&params, &version).await {
            Ok(stream) => {
                sink.alive();
                read(stream, sink, &mut version).await
            }
            Err(error) => End::of(&error),
        };
        sink.ended(matches!(end, End::Clean));
        match end {
            End::Clean => {
                backoff = RETRY.build();
                continue;
            }
            End::Expired | End::Forbidden => return end,
            End::Failed(error) => tracing::debug!(what = sink.what(), error, "the watch broke"),
        }
        sleep(pause(&mut backoff)).await;
    }
}

/// How a list or a watch ended.
enum End {
    /// The server ended the watch in time.
    Clean,
    /// The resource version is too old.
    Expired,
    Forbidden,
    Failed(String),
}

impl End {
    fn of(error: &kube::Error) -> Self {
        match error {
            _ if is_code(error, 410) => Self::Expired,
            _ if is_code(error, 403) => Self::Forbidden,
            _ => Self::Failed(error.to_string()),
        }
    }
}

fn is_code(error: &kube::Error, code: u16) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == code)
}

async fn read<K, S>(
    stream: impl futures::Stream<Item = kube::Result<WatchEvent<K>>>,
    sink: &S,
    version: &mut String,
) -> End
where
    K: kube::Resource,
    S: Sink<K> + ?Sized,
{
    pin_mut!(stream);
    while let Some(event) = stream.next().await {
        match event {
            Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)) => {
                note(&object, version);
                sink.version(version);
                sink.applied(object);
            }
            Ok(WatchEvent::Deleted(object)) => {
                note(&object, version);
                sink.version(version);
                sink.deleted(object);
            }
            Ok(WatchEvent::Bookmark(bookmark)) => {
                *version = bookmark.metadata.resource_version;
                sink.version(version);
                sink.alive();
            }
            Ok(WatchEvent::Error(status)) if status.code == 410 => return End::Expired,
            Ok(WatchEvent::Error(status)) => return End::Failed(status.message),
            Err(error) => return End::Failed(error.to_string()),
        }
    }
    End::Clean
}

fn note<K: kube::Resource>(object: &K, version: &mut String) {
    if let Some(seen) = &object.meta().resource_version {
        version.clone_from(seen);
    }
}

fn pause(backoff: &mut ExponentialBackoff) -> Duration {
    backoff.next().unwrap_or(Duration::from_secs(10))
}

#[cfg(test)]
mod tests;
