//! The commands of the documentation, run inside a container.

use std::time::Duration;

use gmsa_cluster::api::exec::{self, Container, End, Error};
use gmsa_cluster::api::value::text;
use gmsa_core::diagnosis::catalogue::pod::{POD_EXEC, POD_SECURE_CHANNEL};
use gmsa_core::diagnosis::inside::{Inside, Probe, Reading};
use gmsa_core::diagnosis::{Outcome, State};
use gmsa_core::pod::{Identity, Pod};
use gmsa_core::windows::nslookup;
use gmsa_core::windows::text::{decode, may_be_missing};
use kube::Client;
use serde_json::Value;

use super::super::Output;
use super::{Specs, shown};

/// So many commands may hang before the rest is left out.
const HANGING: usize = 2;

/// A container with an identity.
#[derive(Clone, Debug)]
pub struct Place {
    pub namespace: String,
    pub pod: String,
    pub container: String,
    /// As outcomes name it.
    pub object: String,
    /// From the credential spec.
    pub domain: String,
    pub account: Option<String>,
    /// What makes such pods and can be changed, as KIND/NAME.
    maker: Option<String>,
}

impl Place {
    /// A container of a pod. The domain is that of the contents which the pod carries, else that of
    /// the credential spec.
    pub fn of(
        live: &Value,
        pod: &Pod<'_>,
        identity: &Identity<'_>,
        specs: &Specs,
        maker: Option<&str>,
    ) -> Self {
        let field = super::carrier(identity);
        let carried = pod
            .reference_at(&field)
            .and_then(|reference| reference.contents?.text())
            .and_then(|contents| serde_json::from_str::<Value>(&contents).ok());
        let known = || specs.as_ref().ok()?.get(identity.credential_spec)?.get("credspec").cloned();
        let spec = carried.or_else(known).unwrap_or_default();
        let account = text(&spec, "/DomainJoinConfig/MachineAccountName").trim_end_matches('$');
        Self {
            namespace: text(live, "/metadata/namespace").to_owned(),
            pod: text(live, "/metadata/name").to_owned(),
            container: identity.container.name.to_owned(),
            object: format!("{} of {}", identity.container, shown(live)),
            domain: text(&spec, "/DomainJoinConfig/DnsName").trim_end_matches('.').to_owned(),
            account: (!account.is_empty()).then(|| account.to_owned()),
            maker: maker.map(str::to_owned),
        }
    }

    fn at(&self) -> Container<'_> {
        Container { namespace: &self.namespace, pod: &self.pod, name: &self.container }
    }

    /// The arguments that put the hook into the workload, or print it where there is none to change.
    pub fn at_every_start(&self) -> Vec<&str> {
        match &self.maker {
            Some(maker) => vec!["doctor", maker, "-n", &self.namespace, "--add-lifecycle"],
            None => vec!["doctor", "--print-lifecycle"],
        }
    }

    /// The account, if it is known.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }
}

/// What was seen in one container.
pub struct Looked {
    pub place: Place,
    pub inside: Inside,
    /// Whether commands can be run there.
    exec: Outcome,
    /// What was done to the secure channel.
    pub done: Vec<String>,
    /// Whether it was reset.
    pub was_reset: bool,
    pub outputs: Vec<Output>,
    /// Whether the pod is still there when the report is read.
    pub stays: bool,
    limit: Duration,
    /// Whether programs can be started at all, once that was asked.
    starts: Option<Result<(), String>>,
    hanging: usize,
    /// Why nothing more is run.
    stopped: Option<String>,
}

/// Runs the commands, one after the other.
pub async fn look(client: &Client, place: Place, limit: Duration) -> Looked {
    let inside = Inside {
        object: place.object.clone(),
        domain: place.domain.clone(),
        account: place.account.clone(),
        ..Inside::default()
    };
    let exec = Outcome::ok(&POD_EXEC, "commands were run in it").on(&place.object);
    let mut looked = Looked {
        place,
        inside,
        exec,
        done: Vec::new(),
        was_reset: false,
        outputs: Vec::new(),
        stays: true,
        limit,
        starts: None,
        hanging: 0,
        stopped: None,
    };
    for probe in Probe::ALL {
        looked.read(client, probe).await;
    }
    looked
}

impl Looked {
    /// The outcomes.
    pub fn judge(&self) -> Vec<Outcome> {
        let mut outcomes = vec![self.exec.clone()];
        for outcome in self.inside.judge() {
            let channel = outcome.check == &POD_SECURE_CHANNEL;
            outcomes.push(if channel { self.channel(outcome) } else { outcome });
        }
        outcomes
    }

    /// The outcome of the secure channel with the repairs, and what to do next.
    fn channel(&self, outcome: Outcome) -> Outcome {
        let outcome = self.done.iter().fold(outcome, Outcome::because);
        if outcome.state != State::Problem || outcome.next.is_some() {
            return outcome;
        }
        let Place { namespace, pod, .. } = &self.place;
        let account = self.place.account().unwrap_or("ACCOUNT");
        let ports = if self.inside.only_netlogon_fails() {
            "open the TCP ports 135, 445 and 49152 to 65535 from the node to the domain controllers; \
             then "
        } else {
            ""
        };
        let check = format!("{ports}check the account: kubectl gmsa account check {account}");
        if self.was_reset {
            return outcome.then(format!(
                "Resetting it does not help: {check}; and lint the credential spec"
            ));
        }
        if !self.stays {
            return outcome;
        }
        outcome.then(format!(
            "Reset it: kubectl gmsa doctor {pod} -n {namespace} --repair\n\
             If that helps, let it be done at each start: kubectl gmsa {}\nIf not, {check}",
            self.place.at_every_start().join(" ")
        ))
    }

    /// Runs one command and stores its result.
    pub async fn read(&mut self, client: &Client, probe: Probe) {
        let reading = if let Some(why) = &self.stopped {
            Reading::Skipped(why.clone())
        } else if probe.needs_domain() && self.place.domain.is_empty() {
            Reading::Skipped("the credential spec names no DNS domain".to_owned())
        } else if probe == Probe::ServicesOverTcp && !self.lacks_services() {
            return;
        } else {
            let command = probe.command(&self.place.domain);
            self.run(client, &command, probe.file()).await
        };
        self.inside.readings.insert(probe, reading);
    }

    fn lacks_services(&self) -> bool {
        match self.inside.readings.get(&Probe::Services) {
            Some(Reading::Ended { output, .. }) => nslookup::services(&decode(output)).is_empty(),
            _ => false,
        }
    }

    /// Runs a command; its output is kept under the name of a file.
    pub async fn run(&mut self, client: &Client, command: &[String], file: &str) -> Reading {
        let ended = exec::run(client, self.place.at(), command, self.limit).await;
        let ended = match ended {
            Ok(ended) => ended,
            Err(error) => return self.failed(&error),
        };
        let output = [ended.stdout, ended.stderr].concat();
        let Place { pod, container, .. } = &self.place;
        let name = unused(&self.outputs, &format!("{pod}/{container}/{file}"));
        self.outputs.push(Output { name, text: decode(&output) });
        match ended.end {
            // Docker reports in the output that it could not start the program.
            End::Exited(126 | 127) if decode(&output).contains("CreateProcess") => {
                self.not_started(client, decode(&output).trim().to_owned()).await
            }
            End::Exited(code) => Reading::Ended { code, output },
            End::NotStarted(why) => self.not_started(client, why).await,
        }
    }

    /// A program that cannot be started is not in the image if others can: the runtime's message is
    /// in the language of the node.
    async fn not_started(&mut self, client: &Client, why: String) -> Reading {
        if !may_be_missing(&why) {
            return Reading::Unknown(format!("it was not started: {why}"));
        }
        if self.starts.is_none() {
            let command = ["cmd", "/c", "exit", "0"].map(str::to_owned);
            let ended = exec::run(client, self.place.at(), &command, self.limit).await;
            self.starts = Some(match ended {
                Ok(exec::Execution { end: End::Exited(_), .. }) => Ok(()),
                _ => Err(why),
            });
        }
        match &self.starts {
            Some(Err(why)) => {
                let words = format!("no program can be started in it: {why}");
                self.exec = Outcome::unknown(&POD_EXEC, &words).on(&self.place.object);
                self.stop("no program can be started in it");
                Reading::Skipped("no program can be started in it".to_owned())
            }
            _ => Reading::Absent,
        }
    }

    fn failed(&mut self, error: &Error) -> Reading {
        let words = error.to_string();
        match error {
            Error::TimedOut { .. } => {
                self.hanging += 1;
                if self.hanging >= HANGING {
                    self.stop("commands before it did not end");
                }
                return Reading::Unknown(words);
            }
            Error::Gone { .. } => self.stop("the connection to the container ended before"),
            Error::Forbidden { .. } | Error::Refused { .. } => {
                self.stop("commands cannot be run in it");
            }
        }
        self.exec = Outcome::unknown(&POD_EXEC, &words).on(&self.place.object);
        match error {
            Error::Gone { .. } => Reading::Unknown(words),
            _ => Reading::Skipped("commands cannot be run in it".to_owned()),
        }
    }

    fn stop(&mut self, why: &str) {
        self.stopped = Some(why.to_owned());
    }
}

/// The name, with a number if there is one such already: a command may run twice.
fn unused(outputs: &[Output], name: &str) -> String {
    let taken = |name: &str| outputs.iter().any(|output| output.name == name);
    let stem = name.strip_suffix(".txt").unwrap_or(name);
    let numbered = (2..).map(|number: u32| format!("{stem}-{number}.txt"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Output, unused};

    #[test]
    fn no_two_outputs_have_one_name() {
        let mut outputs = Vec::new();
        for expected in ["web/iis/a.txt", "web/iis/a-2.txt", "web/iis/a-3.txt"] {
            let name = unused(&outputs, "web/iis/a.txt");
            assert_eq!(name, expected);
            outputs.push(Output { name, text: String::new() });
        }
    }
}
