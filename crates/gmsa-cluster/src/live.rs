//! Live reads of credential specs: one at a time for a name, limited in rate.
//!
//! A read answers for everything that happened before it was sent. So an asker joins a read that
//! still waits for its turn, but never one that is under way: an object made just before the asker
//! came could be missing from it. For a name at most one read is under way and one waits.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use gmsa_core::admission::{Failure, SpecFact};
use kube::api::{Api, DynamicObject};
use parking_lot::Mutex;

use crate::bucket::Bucket;
use crate::store::prepare;

/// How long one read may take, whoever waits for it.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

type Reading = Shared<BoxFuture<'static, SpecFact>>;

struct Slot {
    reading: Reading,
    /// Whether the request has been sent.
    sent: Arc<AtomicBool>,
}

pub(crate) struct Live {
    api: Api<DynamicObject>,
    bucket: Arc<Bucket>,
    slots: Mutex<HashMap<String, Slot>>,
}

impl Live {
    pub(crate) fn new(api: Api<DynamicObject>, bucket: Bucket) -> Self {
        Self { api, bucket: Arc::new(bucket), slots: Mutex::default() }
    }

    /// Reads a credential spec as it is now.
    pub(crate) async fn read(&self, name: &str) -> SpecFact {
        let (reading, sent) = self.join(name);
        let fact = reading.await;
        let mut slots = self.slots.lock();
        if slots.get(name).is_some_and(|slot| Arc::ptr_eq(&slot.sent, &sent)) {
            slots.remove(name);
        }
        fact
    }

    fn join(&self, name: &str) -> (Reading, Arc<AtomicBool>) {
        let mut slots = self.slots.lock();
        let previous = match slots.get(name) {
            Some(slot) if !slot.sent.load(Ordering::Acquire) => {
                return (slot.reading.clone(), Arc::clone(&slot.sent));
            }
            Some(slot) => Some(slot.reading.clone()),
            None => None,
        };
        let sent = Arc::new(AtomicBool::new(false));
        let reading = self.start(name.to_owned(), previous, Arc::clone(&sent));
        slots.insert(name.to_owned(), Slot { reading: reading.clone(), sent: Arc::clone(&sent) });
        (reading, sent)
    }

    fn start(&self, name: String, previous: Option<Reading>, sent: Arc<AtomicBool>) -> Reading {
        let (api, bucket) = (self.api.clone(), Arc::clone(&self.bucket));
        async move {
            if let Some(previous) = previous {
                previous.await;
            }
            bucket.turn().await;
            sent.store(true, Ordering::Release);
            match tokio::time::timeout(READ_TIMEOUT, api.get(&name)).await {
                Ok(Ok(object)) => prepare(object).map_or(SpecFact::Empty, SpecFact::Found),
                Ok(Err(error)) => failed(&name, &error),
                Err(_) => SpecFact::Unknown(timed_out(&name)),
            }
        }
        .boxed()
        .shared()
    }
}

fn failed(name: &str, error: &kube::Error) -> SpecFact {
    if let kube::Error::Api(status) = error
        && status.code == 404
    {
        // Without the resource definition the answer names no object.
        let of_object = status.details.as_ref().is_some_and(|details| details.name == name);
        if of_object {
            return SpecFact::Absent;
        }
        return SpecFact::Unknown(Failure {
            timed_out: false,
            message: format!(
                "failed to read GMSACredentialSpec \"{name}\": this cluster does not know the \
                 resource; apply the CustomResourceDefinition"
            ),
        });
    }
    SpecFact::Unknown(Failure {
        timed_out: false,
        message: format!(
            "failed to read GMSACredentialSpec \"{name}\": {}",
            crate::client::why(error)
        ),
    })
}

pub(crate) fn timed_out(name: &str) -> Failure {
    Failure {
        timed_out: true,
        message: format!(
            "failed to read GMSACredentialSpec \"{name}\": the API server did not answer in time"
        ),
    }
}
