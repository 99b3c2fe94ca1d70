//! Repairs the secure channel from inside the container, as the documentation does by hand.

use gmsa_core::diagnosis::State;
use gmsa_core::diagnosis::catalogue::pod::{POD_CREDENTIAL_SPEC, POD_SECURE_CHANNEL};
use gmsa_core::diagnosis::inside::{Probe, Reading};
use gmsa_core::windows::codes::Code;
use gmsa_core::windows::nltest::statuses;

use kube::Client;

use super::inside::Looked;
use crate::cli::Doctor;
use crate::cli::shared::ClusterFlags;
use crate::failure::Failure;
use crate::output::{next, printer};
use crate::prompt::{ask, can_ask};

/// Fails, before anything is checked, if it could not ask for confirmation.
pub fn may_ask(args: &Doctor) -> Result<(), Failure> {
    if args.repair && !args.yes { can_ask("nothing was checked or repaired") } else { Ok(()) }
}

/// Resets every secure channel that is broken, and looks again.
pub async fn run(client: &Client, args: &Doctor, looked: &mut [Looked]) -> Result<(), Failure> {
    let mut nothing = true;
    for one in looked {
        let Some(command) = due(one) else { continue };
        nothing = false;
        let object = one.place.object.clone();
        let shown = command.join(" ");
        if !args.yes && !ask(&question(&object, &shown))? {
            one.done.push(format!("{shown}: not run, as answered"));
            printer::note(&format!("{object}: nothing was done"));
            continue;
        }
        let line = reset(client, one, &command).await;
        one.done.push(format!("{shown} was run: {line}"));
        one.was_reset = true;
        for probe in [Probe::Query, Probe::Verify, Probe::Ticket] {
            one.read(client, probe).await;
        }
        let state = state(one, POD_SECURE_CHANNEL.id);
        printer::note(&match state {
            Some(State::Ok) => format!(
                "{object}: repaired by {shown}, and verified by nltest /query and /sc_verify; to \
                repeat this at every start run the next command"
            ),
            _ => format!("{object}: {shown} did not repair it: {line}"),
        });
        match (state, one.place.account()) {
            (Some(State::Ok), _) => next::step(&args.connect, &one.place.at_every_start()),
            // Of the directory, not of the cluster.
            (_, Some(account)) => {
                next::step(&ClusterFlags::default(), &["account", "check", account]);
            }
            _ => next::step(&args.connect, &["credspec", "lint"]),
        }
    }
    if nothing {
        printer::note("there is no broken secure channel that could be reset");
    }
    Ok(())
}

/// The command that resets it, if it is broken and the container has a credential spec.
fn due(looked: &Looked) -> Option<Vec<String>> {
    let broken = state(looked, POD_SECURE_CHANNEL.id) == Some(State::Problem);
    let has_identity = state(looked, POD_CREDENTIAL_SPEC.id) != Some(State::Problem);
    let domain = &looked.inside.domain;
    (broken && has_identity && !domain.is_empty())
        .then(|| vec!["nltest".to_owned(), format!("/sc_reset:{domain}")])
}

fn state(looked: &Looked, check: &str) -> Option<State> {
    looked.inside.judge().into_iter().find(|one| one.check.id == check).map(|one| one.state)
}

/// What came of it, in a line.
async fn reset(client: &Client, looked: &mut Looked, command: &[String]) -> String {
    match looked.run(client, command, "nltest-sc-reset.txt").await {
        Reading::Ended { code, output } => {
            let statuses = statuses(&output);
            match statuses.iter().find(|number| **number != 0).or(statuses.first()) {
                Some(number) => Code(*number).explained(),
                None => format!("it ended with {code}"),
            }
        }
        Reading::Absent => "nltest is not in the image".to_owned(),
        Reading::Unknown(why) | Reading::Skipped(why) => why,
    }
}

fn question(object: &str, command: &str) -> String {
    format!(
        "the secure channel of {object} is broken; run {command} in it? Programs in the container \
         are without the domain for a moment."
    )
}
