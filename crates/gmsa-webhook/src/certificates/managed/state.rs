//! The CAs and the serving certificate as the Secret stores them, and the next step that is due.
//!
//! | key | what |
//! |---|---|
//! | `tls.crt`, `tls.key` | the serving certificate and its key |
//! | `ca.crt` | the bundle to trust, the CA that issued `tls.crt` first |
//! | `ca.key` | that CA's key |
//! | `next-ca.crt`, `next-ca.key` | the CA that issues from the next step on; trusted already |
//! | `previous-ca.crt` | the CA that issued before, or those that were trusted before; trusted still |
//!
//! Everything is PEM. The certificates contain their dates.

use std::sync::Arc;
use std::time::Duration;

use gmsa_cluster::installation::certificate_secret::Data;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{ServerName, UnixTime};
use time::OffsetDateTime;

use crate::certificates::authority::{Error, KeyAndCertificate, Times, der, times};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// How long certificates live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a CA is valid.
    pub authority: Duration,
    /// How long a serving certificate is valid.
    pub serving: Duration,
    /// How long a new CA is trusted before it issues, and an old one after it did.
    pub overlap: Duration,
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new serving certificate of the same CA.
    RenewCertificate,
    /// A new CA, to be trusted before it issues.
    IntroduceAuthority,
    /// The serving certificate comes from the new CA from now on.
    SwitchAuthority,
    /// The old CA is trusted no longer.
    ForgetAuthority,
}

/// The CAs and the serving certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    authority: KeyAndCertificate,
    next: Option<KeyAndCertificate>,
    previous: Option<String>,
    serving: KeyAndCertificate,
}

impl State {
    /// Creates a new CA and a new certificate.
    pub fn create(names: &[String], now: OffsetDateTime, policy: &Policy) -> Result<Self, Error> {
        let authority = KeyAndCertificate::new_authority(now, policy.authority)?;
        let serving = authority.issue(names, now, policy.serving)?;
        Ok(Self { authority, next: None, previous: None, serving })
    }

    /// The same, where API servers trust these bundles in PEM until now: the CAs in them are kept as those
    /// that issued before. What is no valid certificate is left out.
    pub fn after_bundles(mut self, bundles: &[String], now: OffsetDateTime) -> Self {
        let mut kept: Vec<&str> = Vec::new();
        for text in bundles.iter().flat_map(|bundle| bundle.split_inclusive(END)) {
            let pem = text.find(BEGIN).and_then(|begin| text.get(begin..)).unwrap_or_default();
            if !kept.contains(&pem) && times(pem).is_ok_and(|times| times.expires > now) {
                kept.push(pem);
            }
        }
        self.previous = (!kept.is_empty()).then(|| kept.join("\n"));
        self
    }

    /// Reads the content of the Secret. What cannot be used for these names, now, is an error.
    pub fn read(data: &Data, names: &[String], now: OffsetDateTime) -> Result<Self, Error> {
        let text = |key: &'static str| text(data, key);
        let needed = |key: &'static str| text(key).ok_or(Error::Read(key));
        let bundle = needed("ca.crt")?;
        let mut state = Self {
            authority: KeyAndCertificate { certificate: first(bundle)?, key: needed("ca.key")? },
            next: text("next-ca.crt")
                .zip(text("next-ca.key"))
                .map(|(certificate, key)| KeyAndCertificate { certificate, key }),
            previous: text("previous-ca.crt"),
            serving: KeyAndCertificate { certificate: needed("tls.crt")?, key: needed("tls.key")? },
        };
        if times(&state.authority.certificate)?.expires <= now {
            return Err(Error::Read("the CA, which expired"));
        }
        // What serving does not need is left out if it cannot be used.
        let good = |pem: &String| times(pem).is_ok_and(|times| times.expires > now);
        state.previous = state.previous.filter(good);
        state.next = state.next.filter(|next| good(&next.certificate));
        if let Some(next) = &state.next
            && next.issue(names, now, Duration::from_mins(1)).is_err()
        {
            state.next = None;
        }
        state.authority.issue(names, now, Duration::from_mins(1))?;
        Ok(state)
    }

    /// The content of the Secret.
    pub fn data(&self) -> Data {
        let mut data: Vec<(&str, String)> = vec![
            ("ca.crt", self.bundle()),
            ("ca.key", self.authority.key.clone()),
            ("tls.crt", self.serving.certificate.clone()),
            ("tls.key", self.serving.key.clone()),
        ];
        if let Some(next) = &self.next {
            data.push(("next-ca.crt", next.certificate.clone()));
            data.push(("next-ca.key", next.key.clone()));
        }
        if let Some(previous) = &self.previous {
            data.push(("previous-ca.crt", previous.clone()));
        }
        data.into_iter().map(|(key, text)| (key.to_owned(), text.into_bytes())).collect()
    }

    /// The CAs to trust, in PEM.
    pub fn bundle(&self) -> String {
        let next = self.next.as_ref().map(|next| &next.certificate);
        let mut bundle = String::new();
        let all = [Some(&self.authority.certificate), next, self.previous.as_ref()];
        for pem in all.into_iter().flatten() {
            bundle.push_str(pem.trim());
            bundle.push('\n');
        }
        bundle
    }

    /// The serving certificate and its key.
    pub fn serving(&self) -> &KeyAndCertificate {
        &self.serving
    }

    /// When the serving certificate was made, and until when it is valid.
    pub fn serving_times(&self) -> Result<Times, Error> {
        times(&self.serving.certificate)
    }

    /// The step that is due now; what was made before `rotate_before` is due for renewal.
    pub fn due(
        &self,
        names: &[String],
        now: OffsetDateTime,
        policy: &Policy,
        rotate_before: Option<OffsetDateTime>,
    ) -> Option<Step> {
        if self.serves(names, now).is_err() {
            return Some(Step::RenewCertificate);
        }
        let (Ok(authority), Ok(serving)) =
            (times(&self.authority.certificate), self.serving_times())
        else {
            return Some(Step::RenewCertificate);
        };
        // Certificates are dated to the second.
        let told = |times: Times| {
            rotate_before
                .is_some_and(|before| times.made.unix_timestamp() < before.unix_timestamp())
        };
        if let Some(next) = &self.next {
            let since = times(&next.certificate).map_or(now, |times| times.made);
            return (now >= since + policy.overlap).then_some(Step::SwitchAuthority);
        }
        if self.previous.is_some() {
            return (now >= serving.made + policy.overlap).then_some(Step::ForgetAuthority);
        }
        if told(authority) || now >= renewal(authority) {
            return Some(Step::IntroduceAuthority);
        }
        (told(serving) || now >= renewal(serving)).then_some(Step::RenewCertificate)
    }

    /// The state after a step.
    pub fn after(
        &self,
        step: Step,
        names: &[String],
        now: OffsetDateTime,
        policy: &Policy,
    ) -> Result<Self, Error> {
        let mut state = self.clone();
        match step {
            Step::RenewCertificate => {
                state.serving = state.authority.issue(names, now, policy.serving)?;
            }
            Step::IntroduceAuthority => {
                state.next = Some(KeyAndCertificate::new_authority(now, policy.authority)?);
            }
            Step::SwitchAuthority => {
                if let Some(next) = state.next.take() {
                    state.serving = next.issue(names, now, policy.serving)?;
                    let previous = std::mem::replace(&mut state.authority, next);
                    state.previous = Some(previous.certificate);
                }
            }
            Step::ForgetAuthority => state.previous = None,
        }
        Ok(state)
    }

    /// Whether an API server that trusts the CA accepts the serving certificate for every name.
    fn serves(&self, names: &[String], now: OffsetDateTime) -> Result<(), Error> {
        self.serving.certified()?;
        let serving = der(&self.serving.certificate)?;
        let mut roots = RootCertStore::empty();
        roots.add(der(&self.authority.certificate)?)?;
        let verifier = WebPkiServerVerifier::builder_with_provider(
            Arc::new(roots),
            crate::serve::tls::provider(),
        )
        .build()
        .map_err(|error| rustls::Error::General(error.to_string()))?;
        let since_epoch = Duration::from_secs(now.unix_timestamp().try_into().unwrap_or_default());
        let now = UnixTime::since_unix_epoch(since_epoch);
        for name in names {
            let name = ServerName::try_from(name.as_str())
                .map_err(|error| rustls::Error::General(error.to_string()))?;
            verifier.verify_server_cert(&serving, &[], &name, &[], now)?;
        }
        Ok(())
    }
}

/// After two thirds of its life a certificate is replaced.
fn renewal(times: Times) -> OffsetDateTime {
    times.made + (times.expires - times.made) * 2 / 3
}

fn text(data: &Data, key: &str) -> Option<String> {
    let text = std::str::from_utf8(data.get(key)?).ok()?.to_owned();
    (!text.trim().is_empty()).then_some(text)
}

/// The first certificate of a bundle, in PEM.
fn first(bundle: String) -> Result<String, Error> {
    let end = bundle.find(END).ok_or(Error::Read("the CA's certificate in PEM"))? + END.len();
    let mut first = bundle;
    first.truncate(end);
    first.push('\n');
    Ok(first)
}
