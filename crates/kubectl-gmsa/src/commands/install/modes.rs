//! Which options have a meaning in which mode. One that has none would be ignored, so it is refused.

use gmsa_cluster::installation::Engine;

use crate::cli::{Install, InstallOutput};
use crate::failure::Failure;

/// What an option is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    /// The server, its pods, and what watches them.
    Server,
    /// The webhook that decides on pods.
    Webhook,
    /// What is in the cluster now.
    Cluster,
}

/// The options that some mode has no use for, and whether each was given. The others have a meaning in
/// every mode, or say how a change is made: a dry run takes these too, so that any command can be tried.
fn given(args: &Install) -> [(&'static str, About, bool); 36] {
    use About::{Cluster, Server, Webhook};
    let (pods, tls, takeover) = (&args.pods, &args.tls, &args.takeover);
    [
        ("--replicas", Server, args.replicas.is_some()),
        ("--image", Server, args.image.is_some()),
        ("--image-pull-secret", Server, !args.image_pull_secret.is_empty()),
        ("--certificates", Server, args.certificates.is_some()),
        ("--ca-bundle", Server, args.ca_bundle.is_some()),
        ("--host-network", Server, args.host_network.is_some()),
        ("--port", Server, args.port.is_some()),
        ("--timeout-seconds", Server, args.timeout_seconds.is_some()),
        ("--priority-class", Server, args.priority_class.is_some()),
        ("--early-warnings", Server, args.early_warnings.is_some()),
        ("--audit", Server, args.audit.is_some()),
        ("--audit-schedule", Server, args.audit_schedule.is_some()),
        ("--viewer-role", Server, args.viewer_role.is_some()),
        ("--network-policy", Server, args.network_policy.is_some()),
        ("--service-monitor", Server, args.service_monitor.is_some()),
        ("--prometheus-rule", Server, args.prometheus_rule.is_some()),
        ("--dashboard", Server, args.dashboard.is_some()),
        ("--node-selector", Server, !pods.node_selector.is_empty()),
        ("--toleration", Server, !pods.toleration.is_empty()),
        ("--affinity-file", Server, pods.affinity_file.is_some()),
        ("--cpu-request", Server, pods.cpu_request.is_some()),
        ("--cpu-limit", Server, pods.cpu_limit.is_some()),
        ("--memory-request", Server, pods.memory_request.is_some()),
        ("--memory-limit", Server, pods.memory_limit.is_some()),
        ("--tls-min-version", Server, tls.tls_min_version.is_some()),
        ("--tls-cipher-suites", Server, tls.tls_cipher_suites.is_some()),
        ("--tls-curves", Server, tls.tls_curves.is_some()),
        ("--follow-tls-profile", Server, tls.follow_tls_profile.is_some()),
        ("--metrics-https", Server, tls.metrics_https.is_some()),
        ("--mutating-failure-policy", Webhook, args.mutating_failure_policy.is_some()),
        ("--guard", Webhook, args.guard.is_some()),
        ("--ca-bundle", Cluster, args.ca_bundle.is_some()),
        ("--adopt", Cluster, takeover.adopt),
        ("--end-exclusions", Cluster, takeover.end_exclusions),
        ("--accept-denials", Cluster, takeover.accept_denials),
        // False is what the policies do.
        ("--random-hostname", Webhook, args.random_hostname == Some(true)),
    ]
}

/// Refuses options that have no meaning in the mode. `engine` is what decides on pods, as far as it is
/// known; `nothing` is what the error adds: that nothing was changed.
pub fn refuse(args: &Install, engine: Option<Engine>) -> Result<(), Failure> {
    let mut modes: Vec<(&str, &[About], &str)> = Vec::new();
    if args.literals.is_static {
        let why = "nothing runs in the cluster, and no webhook decides";
        modes.push(("--static", &[About::Server, About::Webhook], why));
    } else if engine == Some(Engine::Policy) {
        let why = "policies decide, and no webhook";
        modes.push(("--engine=policy", &[About::Webhook], why));
    }
    if args.dry_run.is_client() {
        let why = "no cluster is asked, as with --dry-run=server";
        modes.push(("--dry-run=client", &[About::Cluster], why));
    }
    let given = given(args);
    for (mode, useless, why) in modes {
        let names =
            given.iter().filter(|(_, about, is_given)| *is_given && useless.contains(about));
        let names: Vec<&str> = names.map(|(name, ..)| *name).collect();
        if names.is_empty() {
            continue;
        }
        return Err(Failure::Input(format!(
            "failed to read the options: {mode} has no use for {}: {why}; leave {} out",
            names.join(", "),
            if names.len() == 1 { "it" } else { "them" }
        )));
    }
    if args.takeover.accept_denials && !(args.takeover.adopt || args.takeover.end_exclusions) {
        return bad("--accept-denials belongs to --adopt or --end-exclusions");
    }
    if args.dry_run.is_client() {
        return Ok(());
    }
    if args.output == InstallOutput::Yaml {
        return bad("-o yaml needs --dry-run=client");
    }
    if args.kubernetes_version.is_some() {
        return bad("--kubernetes-version needs --dry-run=client; a cluster reports its own");
    }
    Ok(())
}

fn bad(words: &str) -> Result<(), Failure> {
    Err(Failure::Input(words.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::{Cli, Command, InstallOutput};

    /// How the options are used that take no value, or not any.
    fn with_value(arg: &clap::Arg) -> String {
        let long = arg.get_long().unwrap();
        let value = match long {
            "output" => "name",
            "kubernetes-version" => "1.36",
            "engine" => "policy",
            "certificates" => "self",
            "mutating-failure-policy" => "Fail",
            "dry-run" => "client",
            "replicas" | "timeout-seconds" | "wait" | "settle" => "3",
            "port" => "8444",
            _ => "x",
        };
        let takes_bool = arg.get_value_parser().type_id() == std::any::TypeId::of::<bool>();
        match arg.get_action() {
            clap::ArgAction::SetTrue => format!("--{long}"),
            _ if takes_bool => format!("--{long}=true"),
            _ => format!("--{long}={value}"),
        }
    }

    fn parsed(args: &[&str]) -> Install {
        let all = ["kubectl-gmsa", "install"].iter().chain(args);
        match Cli::try_parse_from(all).unwrap().command {
            Command::Install(install) => *install,
            other => panic!("{other:?}"),
        }
    }

    /// Every option of the command, by its long name, with a value.
    fn options() -> Vec<(String, String)> {
        let command = Cli::command();
        let install = command.find_subcommand("install").unwrap();
        let options = install.get_arguments().filter(|arg| arg.get_long().is_some());
        let options = options.filter(|arg| arg.get_long() != Some("help"));
        options.map(|arg| (format!("--{}", arg.get_long().unwrap()), with_value(arg))).collect()
    }

    /// What each mode takes: everything else is refused with the mode's name and its own.
    #[test]
    fn every_option_has_a_meaning_in_a_mode_or_is_refused_there() {
        let everywhere = [
            "--dry-run",
            "--output",
            "--namespace",
            "--engine",
            "--protect",
            "--namespaces-opt-in",
            "--skip-system-namespaces",
            "--static",
            "--filename",
            "--force-conflicts",
            "--wait",
            "--settle",
            "--yes",
            "--kubeconfig",
            "--context",
        ];
        // A cluster reports its own version, and these belong to others.
        let own_rule = ["--kubernetes-version", "--accept-denials"];
        let server: Vec<&str> = given(&parsed(&[]))
            .into_iter()
            .filter(|(_, about, _)| *about == About::Server)
            .map(|(name, ..)| name)
            .collect();
        let webhook = ["--mutating-failure-policy", "--guard", "--random-hostname"];
        let takeover = ["--adopt", "--end-exclusions"];
        let modes: [(&[&str], &str, Vec<&str>); 4] = [
            (&["--engine=webhook"], "", [&server[..], &webhook, &takeover].concat()),
            (&["--engine=policy"], "--engine=policy", [&server[..], &takeover].concat()),
            (&["--engine=policy", "--static"], "--static", takeover.to_vec()),
            (
                &["--engine=webhook", "--dry-run=client"],
                "--dry-run=client",
                [&server[..], &webhook].concat(),
            ),
        ];
        let mut tried = 0;
        for (mode, named, taken) in modes {
            for (name, option) in options() {
                let is_set = mode.iter().any(|flag| flag.split('=').next() == Some(&name));
                // `-f` needs what the mode does not have, as clap says.
                if is_set
                    || own_rule.contains(&&*name)
                    || ["--static", "--filename"].contains(&&*name)
                {
                    continue;
                }
                let args = parsed(&[mode, &[&option]].concat());
                let engine = match args.engine.unwrap() {
                    crate::cli::EngineArg::Policy => Engine::Policy,
                    _ => Engine::Webhook,
                };
                let refused = refuse(&args, Some(engine)).map_err(|failure| failure.to_string());
                tried += 1;
                // It is of no use without a cluster, although it is about the server.
                let is_taken = (everywhere.contains(&&*name) || taken.contains(&&*name))
                    && !(named == "--dry-run=client" && name == "--ca-bundle");
                match refused {
                    Ok(()) => assert!(is_taken, "{mode:?} ignores {option}"),
                    Err(words) => {
                        assert!(!is_taken, "{mode:?} {option}: {words}");
                        assert!(words.contains(named) && words.contains(&name), "{words}");
                    }
                }
            }
        }
        assert!(tried > 150, "{tried}");
    }

    #[test]
    fn the_engine_of_the_previous_install_counts_too() {
        let args = parsed(&["--guard=false"]);
        assert!(refuse(&args, None).is_ok());
        let words = refuse(&args, Some(Engine::Policy)).unwrap_err().to_string();
        assert_eq!(
            words,
            "failed to read the options: --engine=policy has no use for --guard: policies decide, and no \
             webhook; leave it out"
        );
        let args = parsed(&["--engine=policy", "--static", "--replicas=3", "--guard=false"]);
        let words = refuse(&args, Some(Engine::Policy)).unwrap_err().to_string();
        assert!(words.contains("--static has no use for --replicas, --guard"), "{words}");
        assert!(words.ends_with("leave them out"), "{words}");
    }

    #[test]
    fn what_only_manifests_have_needs_a_dry_run() {
        assert_eq!(parsed(&["-o", "yaml"]).output, InstallOutput::Yaml);
        for (args, words) in [
            (&["-o", "yaml"][..], "-o yaml needs --dry-run=client"),
            (&["-o", "yaml", "--dry-run=server"], "-o yaml needs --dry-run=client"),
            (&["--kubernetes-version=1.36"], "--kubernetes-version needs --dry-run=client"),
            (&["--accept-denials"], "--accept-denials belongs to --adopt or --end-exclusions"),
            (&["--accept-denials", "--dry-run=client"], "--dry-run=client has no use for"),
        ] {
            let failure = refuse(&parsed(args), None).unwrap_err();
            assert_eq!(failure.code(), 2);
            assert!(failure.to_string().contains(words), "{failure}");
        }
    }
}
