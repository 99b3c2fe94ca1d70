//! Whom API servers are to trust, where the server does not make its certificates itself.
//!
//! The bundle is written with the server's field manager, so that no later apply removes it.

use std::time::{Duration, Instant};

use gmsa_cluster::api::answer;
use gmsa_cluster::api::apply::{Applier, shown};
use gmsa_cluster::api::objects::kinds::{MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS};
use gmsa_cluster::api::value::{condition, is_true};
use gmsa_cluster::installation::ca_bundle;
use gmsa_cluster::installation::{Certificates, Options};
use gmsa_core::names::{NAME, SECRET};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, Patch, PatchParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};
use x509_parser::pem::Pem;

use crate::cli::Install;
use crate::failure::Failure;
use crate::installation::signature::{Signed, UNVERIFIABLE, pems, signed};
use crate::installation::{FILLED_BY, MADE_BY, is_made};
use crate::output::printer;

const PAUSE: Duration = Duration::from_millis(500);
/// The condition of a Certificate whose Secret is as it asks for (cert-manager.io/v1).
const READY: &str = "Ready";

/// The source of the bundle.
pub struct Trust<'a> {
    client: &'a Client,
    applier: &'a Applier,
    namespace: &'a str,
    cert_manager: bool,
    /// The content of `--ca-bundle`.
    given: Option<String>,
    /// Whether the configurations trust the CA bundle of an earlier install.
    kept: bool,
}

/// The bundle, in PEM, with what is uncertain about it.
struct Found {
    bundle: String,
    warning: Option<String>,
}

/// Why no bundle is known.
struct Missing {
    why: String,
    /// Whether it may come without another command.
    may_come: bool,
}

impl Missing {
    fn now(why: String) -> Self {
        Self { why, may_come: false }
    }

    fn yet(why: String) -> Self {
        Self { why, may_come: true }
    }
}

impl<'a> Trust<'a> {
    /// None if the server makes its certificates itself. The source of the last install says whose
    /// bundle is in the configurations.
    pub fn new(
        args: &Install,
        client: &'a Client,
        applier: &'a Applier,
        options: &'a Options,
        last: Option<Certificates>,
    ) -> Result<Option<Self>, Failure> {
        let given = args.ca_bundle.as_deref().map(read).transpose()?;
        if given.is_some() && options.certificates != Certificates::Files {
            return Err(Failure::Input(
                "--ca-bundle needs --certificates=files: otherwise the issuer of the certificate \
                provides the CA"
                    .to_owned(),
            ));
        }
        Ok((options.certificates != Certificates::SelfManaged).then(|| Self {
            client,
            applier,
            namespace: &options.namespace,
            cert_manager: options.certificates == Certificates::CertManager,
            given,
            kept: last == Some(Certificates::Files),
        }))
    }

    /// Stops if the bundle cannot be found, and would not be by waiting.
    pub async fn check(&self, configurations: &[Value]) -> Result<(), Failure> {
        match self.look(configurations).await? {
            Err(missing) if !missing.may_come => Err(Failure::Cluster(format!(
                "failed to install: {}; nothing was changed",
                missing.why
            ))),
            _ => Ok(()),
        }
    }

    /// The bundle, in PEM. Waits while another controller may still make it.
    pub async fn find(&self, configurations: &[Value], end: Instant) -> Result<String, Failure> {
        let mut told = false;
        loop {
            let missing = match self.look(configurations).await? {
                Ok(found) => {
                    if let Some(warning) = &found.warning {
                        printer::warning(warning);
                    }
                    return Ok(found.bundle);
                }
                Err(missing) => missing,
            };
            if !missing.may_come || Instant::now() >= end {
                return Err(Failure::Cluster(format!(
                    "failed to find the CA of the webhook's certificate: {}. The Deployment and the \
                     webhook configurations were not changed, so no pod is blocked; fix the cause, \
                     then run the same command again",
                    missing.why
                )));
            }
            if !told {
                printer::note(&format!("waiting: {}", missing.why));
                told = true;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn look(&self, configurations: &[Value]) -> Result<Result<Found, Missing>, Failure> {
        let name = format!("Secret {}/{SECRET}", self.namespace);
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), self.namespace);
        let secret = match answer("read the", &name, secrets.get_opt(SECRET)).await {
            Ok(secret) => secret,
            Err(error) if error.is_forbidden() => {
                return Ok(match self.known(configurations).await? {
                    Some(bundle) => Ok(Found { bundle, warning: None }),
                    None if self.cert_manager => Err(Missing::now(format!(
                        "you may not read the {name}, into which cert-manager writes the CA; have \
                        an administrator grant you get on it"
                    ))),
                    None => Err(Missing::now(format!(
                        "you may not read the {name}; give the CA with --ca-bundle FILE"
                    ))),
                });
            }
            Err(error) => return Err(error.into()),
        };
        let filled = || {
            let by = secret.as_ref()?.annotations().get(FILLED_BY)?;
            (by == NAME).then_some(())
        };
        let data = secret.as_ref().and_then(|secret| secret.data.clone()).unwrap_or_default();
        let part = |key: &str| data.get(key).filter(|value| !value.0.is_empty());
        let complete = filled().is_some() && part("tls.crt").is_some() && part("ca.crt").is_some();
        // The annotation stays at a Secret that the server or a user filled afterwards.
        if self.cert_manager && !(complete && self.is_issued().await?) {
            return Ok(Err(Missing::yet(format!(
                "cert-manager has not filled the {name} yet (kubectl describe certificates -n {})",
                self.namespace
            ))));
        }
        let (Some(certificate), Some(_)) = (part("tls.crt"), part("tls.key")) else {
            let words = format!(
                "fill it with the certificate for {NAME}.{0}.svc: kubectl create secret generic \
                 {SECRET} -n {0} --from-file=tls.crt=FILE --from-file=tls.key=FILE \
                 --from-file=ca.crt=FILE",
                self.namespace
            );
            return Ok(Err(if secret.is_some() {
                Missing::now(format!("the {name} has no tls.crt or no tls.key; {words}"))
            } else {
                Missing::yet(format!("there is no {name}; {words}"))
            }));
        };
        let (bundle, from) = match (&self.given, part("ca.crt")) {
            (Some(given), _) => (given.clone(), "--ca-bundle".to_owned()),
            (None, Some(ca)) => match certificates(&ca.0) {
                Ok(bundle) => (bundle, format!("ca.crt of the {name}")),
                Err(why) => {
                    return Ok(Err(Missing::now(format!("ca.crt of the {name} {why}"))));
                }
            },
            (None, None) => match self.known(configurations).await? {
                Some(bundle) => (bundle, "the webhook configurations".to_owned()),
                None => {
                    return Ok(Err(Missing::now(format!(
                        "the {name} has no ca.crt, and --ca-bundle was not given; put the CA \
                         that signed its certificate into ca.crt, or give it with --ca-bundle FILE"
                    ))));
                }
            },
        };
        let warning = match signed(&pems(&certificate.0), &pems(bundle.as_bytes())) {
            Signed::Yes => None,
            Signed::Unverifiable => Some(format!(
                "the CA in {from} has the right name for tls.crt of the {name}, but \
                 {UNVERIFIABLE}; a probe shows whether the API server trusts it"
            )),
            Signed::No => {
                return Ok(Err(Missing::now(format!(
                    "the CA in {from} did not sign tls.crt of the {name}; give the one that did \
                     with --ca-bundle FILE, or replace the certificate"
                ))));
            }
        };
        Ok(Ok(Found { bundle, warning }))
    }

    /// Whether cert-manager says that the Secret holds what the Certificate asks for.
    async fn is_issued(&self) -> Result<bool, Failure> {
        let certificate = json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate",
            "metadata": {"name": NAME, "namespace": self.namespace}});
        let live = self.applier.live(&certificate).await?;
        Ok(live.is_some_and(|live| {
            let observed = condition(&live, READY).and_then(|one| one.get("observedGeneration"));
            let now = live.pointer("/metadata/generation");
            is_true(&live, READY) && observed.is_none_or(|observed| Some(observed) == now)
        }))
    }

    /// What was given now, or to an earlier install.
    async fn known(&self, configurations: &[Value]) -> Result<Option<String>, Failure> {
        if self.given.is_some() || !self.kept {
            return Ok(self.given.clone());
        }
        for configuration in configurations {
            let bundle = self.trusted(configuration).await?;
            if bundle.is_some() {
                return Ok(bundle);
            }
        }
        Ok(None)
    }

    /// What a configuration trusts.
    async fn trusted(&self, configuration: &Value) -> Result<Option<String>, Failure> {
        let live = self.applier.live(configuration).await?.unwrap_or_default();
        Ok(ca_bundle::bundles(&live).into_iter().next())
    }

    /// Makes the configurations that are there trust this bundle too.
    pub async fn add(
        &self,
        configurations: &[Value],
        bundle: &str,
        end: Instant,
    ) -> Result<(), Failure> {
        for configuration in configurations {
            let both = match self.trusted(configuration).await? {
                Some(had) => joined(&had, bundle),
                None => bundle.to_owned(),
            };
            self.set([configuration], &both, end).await?;
        }
        Ok(())
    }

    /// The Secret is the user's from now on: the marks of what filled it before would let `uninstall` delete
    /// it where nothing says any more whose it is.
    pub async fn hand_over(&self) -> Result<(), Failure> {
        if self.cert_manager {
            return Ok(());
        }
        let secret = json!({"apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": SECRET, "namespace": self.namespace}});
        match self.applier.live(&secret).await {
            Ok(Some(secret)) if is_made(&secret) => {}
            // Who may not read it cannot have filled it either.
            Err(error) if !error.is_forbidden() => return Err(error.into()),
            _ => return Ok(()),
        }
        let name = format!("marks of the Secret {}/{SECRET}", self.namespace);
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), self.namespace);
        let none = Patch::Merge(json!({"metadata":
            {"labels": {MADE_BY: null}, "annotations": {FILLED_BY: null}}}));
        answer("remove the", name, secrets.patch(SECRET, &PatchParams::default(), &none)).await?;
        Ok(())
    }

    /// Makes the configurations that are there trust this bundle alone.
    pub async fn set<'o>(
        &self,
        configurations: impl IntoIterator<Item = &'o Value>,
        bundle: &str,
        end: Instant,
    ) -> Result<(), Failure> {
        for object in configurations {
            let text = |path: &str| object.pointer(path).and_then(Value::as_str);
            let kind = if text("/kind") == Some(MUTATING_WEBHOOKS.kind) {
                MUTATING_WEBHOOKS
            } else {
                VALIDATING_WEBHOOKS
            };
            let api = Api::all_with(self.client.clone(), &kind.resource());
            let name = text("/metadata/name").unwrap_or_default();
            loop {
                match ca_bundle::publish(&api, kind.kind, name, bundle).await {
                    Ok(_) => break,
                    // Another writer came first.
                    Err(error) if !error.is_conflict() => return Err(error.into()),
                    Err(_) if Instant::now() < end => {}
                    Err(_) => {
                        return Err(Failure::cluster(format!(
                            "failed to write the CA bundle of {}: another writer keeps changing it; \
                            run the same command again",
                            shown(object)
                        )));
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }
}

/// The content of `--ca-bundle`.
fn read(path: &str) -> Result<String, Failure> {
    let failed =
        |why: &str| Failure::Input(format!("failed to read the CA bundle: the file {path} {why}"));
    let bytes = std::fs::read(path)
        .map_err(|error| failed(&format!("could not be read: {error}; give a file in PEM")))?;
    certificates(&bytes).map_err(|why| failed(&why))
}

/// Certificates in PEM and nothing else: many users may read a webhook configuration.
fn certificates(bytes: &[u8]) -> Result<String, String> {
    let mut found = 0;
    for pem in Pem::iter_from_buffer(bytes) {
        let pem = pem.map_err(|error| format!("is not PEM: {error}"))?;
        if pem.label.ends_with("PRIVATE KEY") {
            return Err("contains a private key, which must stay secret; give the CA's \
                        certificate alone"
                .to_owned());
        }
        if pem.label != "CERTIFICATE" || pem.parse_x509().is_err() {
            return Err(format!(
                "has a {} in PEM that is not a certificate",
                pem.label.to_lowercase()
            ));
        }
        found += 1;
    }
    if found == 0 {
        return Err("contains no certificate in PEM".to_owned());
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| "is not UTF-8".to_owned())
}

/// Both bundles; the second only once.
fn joined(had: &str, bundle: &str) -> String {
    if had.contains(bundle.trim()) {
        return had.to_owned();
    }
    format!("{}\n{bundle}", had.trim_end())
}

#[cfg(test)]
mod tests {
    use gmsa_testkit::pki::Authority;

    use super::{certificates, joined, pems};

    #[test]
    fn only_certificates_are_made_public() {
        let pair = Authority::new("ca").pair();
        assert_eq!(certificates(pair.cert.as_bytes()).unwrap(), pair.cert);
        for (text, words) in [
            (format!("{}{}", pair.cert, pair.key), "private key"),
            (String::new(), "no certificate"),
            ("-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n".to_owned(), "is no"),
        ] {
            let why = certificates(text.as_bytes()).unwrap_err();
            assert!(why.contains(words) && !why.contains(&pair.key), "{why}");
        }
    }

    #[test]
    fn a_bundle_is_joined_once() {
        let (ca, other) = (Authority::new("ca"), Authority::new("other"));
        let both = joined(other.pem(), ca.pem());
        assert_eq!(pems(both.as_bytes()).len(), 2);
        assert_eq!(joined(&both, ca.pem()), both);
    }
}
