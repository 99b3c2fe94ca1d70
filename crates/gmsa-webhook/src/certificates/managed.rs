//! A CA and a serving certificate that the server creates, stores in a Secret and renews.
//!
//! Replicas have no leader: the replica that finds a step due replaces the version of the Secret that it
//! read, and the others adopt what they find there. A new CA is in the bundle of the webhook
//! configurations before it issues, and an old one stays there afterwards, so that the API server
//! trusts every certificate that is served.

mod state;

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use gmsa_cluster::api;
use gmsa_cluster::api::events::Kind;
use gmsa_cluster::installation::certificate_secret::Stored;
use gmsa_cluster::installation::server_objects::ServerObjects;
use parking_lot::Mutex;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::Notify;

pub use state::Policy;
use state::{State, Step};

use super::authority;
use crate::metrics::Metrics;
use crate::serve::tls::Identity;

/// How often everything is checked without an event.
const PERIOD: Duration = Duration::from_secs(30);
/// How long to wait after a failure.
const RETRY: ExponentialBuilder = ExponentialBuilder::new()
    .with_min_delay(Duration::from_millis(250))
    .with_max_delay(Duration::from_secs(15))
    .with_jitter()
    .without_max_times();

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Api(#[from] api::Error),
    #[error(transparent)]
    Certificate(#[from] authority::Error),
}

/// The certificates that the server manages.
pub struct Managed {
    own: ServerObjects,
    names: Vec<String>,
    policy: Policy,
    identity: Arc<Identity>,
    metrics: Arc<Metrics>,
    seen: Mutex<Seen>,
}

/// What is in use, and why nothing is.
struct Seen {
    state: Option<State>,
    problem: Option<String>,
}

impl Managed {
    /// Nothing is read yet.
    pub fn new(
        own: ServerObjects,
        policy: Policy,
        identity: Arc<Identity>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let seen = Seen {
            state: None,
            problem: Some("the certificate's Secret was not read yet".to_owned()),
        };
        Self { names: own.service_names(), own, policy, identity, metrics, seen: Mutex::new(seen) }
    }

    /// Whether there is a certificate, or why not.
    pub fn ready(&self) -> Result<(), String> {
        let seen = self.seen.lock();
        match &seen.state {
            Some(_) => Ok(()),
            None => Err(seen.problem.clone().unwrap_or_default()),
        }
    }

    /// Maintains the certificates for as long as it is polled.
    pub async fn run(&self) {
        let changed = Arc::new(Notify::new());
        tokio::join!(self.own.watch(Arc::clone(&changed)), self.follow(&changed));
    }

    async fn follow(&self, changed: &Notify) {
        let mut retries = RETRY.build();
        loop {
            let pause = match self.reconcile().await {
                Ok(pause) => {
                    retries = RETRY.build();
                    pause
                }
                Err(error) => {
                    // Another replica was faster.
                    let conflict = matches!(&error, Error::Api(error) if error.is_conflict());
                    if !conflict {
                        self.tell(&error.to_string());
                    }
                    retries.next().unwrap_or(PERIOD)
                }
            };
            tokio::select! {
                () = changed.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Reconciles the Secret, the certificate in use and the webhook configurations. Returns how
    /// long nothing is due.
    async fn reconcile(&self) -> Result<Duration, Error> {
        let now = OffsetDateTime::now_utc();
        let stored = self.own.secret().read().await?;
        let (mut state, mut stored) = self.usable(stored, now).await?;
        // At the start any certificate is better than none; later, the API server must trust it first.
        if self.seen.lock().state.is_none() {
            self.adopt(&state)?;
        }
        let published = self.own.publish(&state.bundle()).await?;
        self.adopt(&state)?;
        let rotate_before = stored
            .rotate_before
            .as_deref()
            .and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
        if let Some(step) = state.due(&self.names, now, &self.policy, rotate_before) {
            // Not every API server may know a bundle that was just published.
            if step == Step::SwitchAuthority && published {
                return Ok(self.policy.overlap.min(PERIOD));
            }
            state = state.after(step, &self.names, now, &self.policy)?;
            stored = self.own.secret().write(&state.data(), Some(&stored)).await?;
            tracing::info!(?step, "changed the certificates");
            let (reason, message) = told(step);
            self.own.tell(Kind::Normal, reason, message);
            self.own.publish(&state.bundle()).await?;
            self.adopt(&state)?;
            drop(stored);
            return Ok(self.policy.overlap.min(PERIOD));
        }
        Ok(self.policy.overlap.min(PERIOD).max(Duration::from_millis(500)))
    }

    /// The state in the Secret. One that is missing or cannot be used is replaced by what this
    /// replica has in use, which the API server trusts; only without that both are created again.
    async fn usable(
        &self,
        stored: Option<Stored>,
        now: OffsetDateTime,
    ) -> Result<(State, Stored), Error> {
        let why = match &stored {
            None => "there is none".to_owned(),
            Some(found) => match State::read(&found.data, &self.names, now) {
                Ok(state) => return Ok((state, found.clone())),
                Err(error) => error.to_string(),
            },
        };
        let known = self.seen.lock().state.clone();
        // What is known may itself have ended.
        let known = known.filter(|known| State::read(&known.data(), &self.names, now).is_ok());
        let from = if known.is_some() { "what is in use" } else { "nothing" };
        tracing::warn!(why, from, "creating the certificates' Secret again");
        let state = match known.clone() {
            Some(known) => known,
            // Another source of certificates may have been in use until now, and its replicas still run.
            None => State::create(&self.names, now, &self.policy)?
                .after_bundles(&self.own.trusted().await?, now),
        };
        let restored = known.is_some();
        let missing = stored.is_none();
        let stored = self.own.secret().write(&state.data(), stored.as_ref()).await?;
        let secret = self.own.secret().shown();
        // One replica reports what several did.
        if missing && stored.shared {
            return Ok((state, stored));
        }
        if restored {
            let message = format!("wrote the {secret} again from what is in use: {why}");
            self.own.tell(Kind::Warning, "SecretRestored", &message);
        } else {
            let message = format!("made a CA and a serving certificate in the {secret}: {why}");
            self.own.tell(Kind::Normal, "CertificateIssued", &message);
        }
        Ok((state, stored))
    }

    /// Serves the certificate from now on.
    fn adopt(&self, state: &State) -> Result<(), Error> {
        let mut seen = self.seen.lock();
        if seen.state.as_ref() == Some(state) {
            return Ok(());
        }
        let times = state.serving_times()?;
        let renewed = seen.state.as_ref().is_none_or(|before| before.serving() != state.serving());
        if renewed {
            self.identity.set(Arc::new(state.serving().certified()?));
            self.metrics.certificate_loaded(times.expires.unix_timestamp());
            tracing::info!(expires = %times.expires, "loaded the serving certificate");
            if seen.state.is_some() {
                self.metrics.certificate_rotated(true);
            }
        }
        seen.state = Some(state.clone());
        seen.problem = None;
        Ok(())
    }

    fn tell(&self, problem: &str) {
        let mut seen = self.seen.lock();
        self.metrics.certificate_rotated(false);
        if seen.problem.as_deref() != Some(problem) {
            tracing::error!(
                error = problem,
                kept_the_last_good = seen.state.is_some(),
                "failed to manage the certificates"
            );
            self.own.tell(Kind::Warning, "CertificateFailed", problem);
        }
        seen.problem = Some(problem.to_owned());
    }
}

/// The reason and the message of a step's event.
fn told(step: Step) -> (&'static str, &'static str) {
    match step {
        Step::RenewCertificate => {
            ("CertificateRenewed", "made a new serving certificate, of the same CA")
        }
        Step::IntroduceAuthority => {
            ("CaIntroduced", "made a new CA, which is trusted from now on and issues later")
        }
        Step::SwitchAuthority => (
            "CaSwitched",
            "made a new serving certificate, of the new CA; the old one is trusted still",
        ),
        Step::ForgetAuthority => ("CaForgotten", "the old CA is trusted no longer"),
    }
}

#[cfg(test)]
mod tests;
