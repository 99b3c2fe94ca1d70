use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::Duration;

use gmsa_cluster::installation::tls::{CIPHER_SUITES, CURVES};

use super::{CertificateSource, Config, FactSource, TlsSource, parse, resolve};

const PAIR: [(&str, &str); 2] = [("TLS_CRT", "/tls/crt"), ("TLS_KEY", "/tls/key")];

/// The configuration, or the message of the error, and the warnings.
fn config(args: &[&str], env: &[(&str, &str)]) -> Result<(Config, Vec<String>), String> {
    let env: BTreeMap<&str, &str> = env.iter().copied().collect();
    let env = |name: &str| env.get(name).map(|value| (*value).to_owned());
    let args = ["gmsa-webhook"].iter().chain(args).map(OsString::from);
    let args = parse(args, env).map_err(|error| error.to_string())?;
    resolve(args, env).map_err(|error| error.to_string())
}

fn with_pair<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    PAIR.iter().chain(more).copied().collect()
}

#[test]
fn an_existing_deployments_environment_is_understood() {
    let env = with_pair(&[
        ("HTTPS_PORT", "8443"),
        ("BURST", "50"),
        ("QPS", "30.0"),
        ("LOG_LEVEL", "warning"),
        ("RANDOM_HOSTNAME", "T"),
    ]);
    let (config, warnings) = config(&["--cert-reload=true"], &env).unwrap();
    assert_eq!(warnings, [""; 0]);
    assert_eq!(config.https.port(), 8443);
    assert_eq!((config.qps, config.burst), (30.0, 50));
    assert_eq!(config.log_level, "warn");
    assert!(config.random_hostname);
    assert_eq!(
        config.certificate,
        CertificateSource::Files { certificate: "/tls/crt".into(), key: "/tls/key".into() }
    );
    assert_eq!(config.facts, FactSource::Cluster { kubeconfig: None });
}

#[test]
fn the_default_port_is_the_inherited_one_only_where_files_are_inherited() {
    let port = |args: &[&str], env: &[(&str, &str)]| config(args, env).unwrap().0.https.port();
    assert_eq!(port(&[], &PAIR), 443);
    assert_eq!(port(&["--tls-cert=a", "--tls-key=b"], &[]), 8443);
    assert_eq!(port(&["--store=x"], &[]), 8443);
}

#[test]
fn a_flag_beats_its_variable_which_beats_the_inherited_name() {
    let inherited = with_pair(&[("HTTPS_PORT", "1111")]);
    let own = with_pair(&[("HTTPS_PORT", "1111"), ("GMSA_HTTPS_PORT", "2222")]);
    let port = |args: &[&str], env: &[(&str, &str)]| config(args, env).unwrap().0.https.port();
    assert_eq!(port(&[], &inherited), 1111);
    assert_eq!(port(&[], &own), 2222);
    assert_eq!(port(&["--https-port", "3333"], &own), 3333);
    let hostname = |args: &[&str], value| {
        let env = with_pair(&[("RANDOM_HOSTNAME", "true"), ("GMSA_RANDOM_HOSTNAME", value)]);
        config(args, &env).unwrap().0.random_hostname
    };
    assert!(!hostname(&[], "false"));
    assert!(hostname(&["--random-hostname"], "false"));
}

#[test]
fn lists_of_tls_names_are_read_and_a_flag_replaces_its_variable() {
    let curves = |args: &[&str], env: &[(&str, &str)]| {
        let TlsSource::Flags(settings) = config(args, env).unwrap().0.tls else { panic!() };
        settings.curves.iter().map(|curve| curve.id).collect::<Vec<_>>()
    };
    assert_eq!(curves(&[], &[]), [0_u16; 0]);
    assert_eq!(curves(&["--tls-curves=4588,CurveP256,secp384r1"], &[]), [4588, 23, 24]);
    let env = [("GMSA_TLS_CURVES", "4588,secp384r1")];
    assert_eq!(curves(&[], &env), [4588, 24]);
    assert_eq!(curves(&["--tls-curves=23"], &env), [23]);
}

/// The FIPS module approves neither X25519 nor `ChaCha20`; any other build has all that the flags know.
#[test]
fn a_tls_name_that_this_build_does_not_offer_stops_the_start() {
    let suites: Vec<_> = CIPHER_SUITES.iter().map(|one| one.name).collect();
    let groups: Vec<_> = CURVES.iter().map(|one| one.name).collect();
    let args = [
        format!("--tls-cipher-suites={}", suites.join(",")),
        format!("--tls-curves={}", groups.join(",")),
    ];
    let read = config(&args.each_ref().map(String::as_str), &[]);
    if cfg!(feature = "fips") {
        let error = read.expect_err("not everything is approved");
        let names = "TLS_CHACHA20_POLY1305_SHA256, TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, \
                     TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, X25519 in";
        assert!(error.contains(names), "{error}");
    } else {
        assert!(read.is_ok(), "{read:?}");
    }
}

#[test]
fn bad_inherited_numbers_are_warnings_and_the_default() {
    for (name, value) in [
        ("HTTPS_PORT", "https"),
        ("HTTPS_PORT", "70000"),
        ("HTTPS_PORT", "0"),
        ("HTTPS_PORT", "18443.5"),
        ("QPS", "many"),
        ("QPS", "-1"),
        ("QPS", "inf"),
        ("BURST", "0"),
        ("BURST", "1.5"),
        ("BURST", "1e10"),
        ("LOG_LEVEL", "loud"),
    ] {
        let (config, warnings) = config(&[], &with_pair(&[(name, value)])).unwrap();
        assert_eq!(warnings.len(), 1, "{name}={value}");
        assert!(warnings[0].starts_with(name) && warnings[0].contains(value), "{warnings:?}");
        assert_eq!((config.https.port(), config.qps, config.burst), (443, 100.0, 200));
        assert_eq!(config.log_level, "info");
    }
    let (config, warnings) =
        config(&[], &with_pair(&[("QPS", "1e+06"), ("BURST", "1e+06")])).unwrap();
    assert_eq!((config.qps, config.burst, warnings.len()), (1e6, 1_000_000, 0));
}

#[test]
fn what_stops_the_start_is_named() {
    for (args, env, words) in [
        (&[][..], with_pair(&[("RANDOM_HOSTNAME", "yes")]), "RANDOM_HOSTNAME"),
        (&["--tls-cert=a"], vec![], "the key is not"),
        (&[], vec![("TLS_KEY", "k")], "the certificate is not"),
        (&["--certificate-validity=0"], vec![], "--certificate-validity"),
        (&["--deadline=0"], with_pair(&[]), "--deadline"),
        (&["--remember=11"], with_pair(&[]), "--remember"),
        (&["--listen=everywhere"], with_pair(&[]), "--listen"),
        (&[], with_pair(&[("GMSA_MAX_REQUESTS", "lots")]), "--max-requests"),
        (&[], with_pair(&[("GMSA_LOG_LEVEL", "loud")]), "--log-level"),
        (&["--store=a", "--kubeconfig=b"], vec![], "--kubeconfig"),
        (&["--max-connections=0"], with_pair(&[]), "--max-connections"),
        (&["--tls-min-version=VersionTLS10"], vec![], "expected VersionTLS12 or VersionTLS13"),
        (&["--tls-cipher-suites=RC4"], vec![], "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        (&["--tls-curves=X25519,CurveP521"], vec![], "CurveP384 (24)"),
        (&["--follow-tls-profile", "--tls-curves=23"], vec![], "--tls-curves is set too"),
        (&["--otlp-endpoint=https://collector"], with_pair(&[]), "--otlp-endpoint"),
        (&["--otlp-endpoint=http://user:password@collector"], with_pair(&[]), "--otlp-endpoint"),
        (&[], with_pair(&[("GMSA_OTLP_ENDPOINT", "collector:4318")]), "--otlp-endpoint"),
    ] {
        let error = config(args, &env).expect_err(words);
        assert!(error.contains(words), "{args:?} {env:?}: {error}");
    }
}

#[test]
fn every_flag_shows_its_variable_and_is_asked_for_by_it() {
    let command = super::command();
    let flags: Vec<String> = command
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .filter(|flag| !["help", "version"].contains(flag))
        .map(|flag| format!("GMSA_{}", flag.replace('-', "_").to_uppercase()))
        .collect();
    assert!(flags.len() > 35, "{flags:?}");
    let help = command.clone().render_long_help().to_string();
    let short = command.clone().render_help().to_string();
    for variable in &flags {
        let shown = format!("[env: {variable}]");
        for help in [&help, &short] {
            // Long lines are broken between the two words.
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(help.contains(&shown), "{variable} is not in\n{help}");
        }
    }
    let asked = std::cell::RefCell::new(Vec::new());
    let env = |name: &str| {
        asked.borrow_mut().push(name.to_owned());
        None
    };
    parse(["gmsa-webhook".into()], env).unwrap();
    assert_eq!(*asked.borrow(), flags);
    let (config, _) =
        config(&["--store", "dir"], &[("GMSA_DRAIN", "0"), ("GMSA_REMEMBER", "0")]).unwrap();
    assert_eq!((config.drain, config.remember), (Duration::ZERO, Duration::ZERO));
}

#[test]
fn the_limit_of_all_bodies_takes_at_least_one() {
    let env = [("GMSA_MAX_BODY_BYTES", "50000000")];
    let refused = config(&["--store=x"], &env).unwrap_err();
    assert!(refused.contains("--max-buffered-bytes is 33554432"), "{refused}");
    assert!(refused.contains("--max-body-bytes, 50000000"), "{refused}");
    let (config, _) = config(&["--store=x", "--max-buffered-bytes=50000000"], &env).unwrap();
    assert_eq!(config.max_buffered_bytes, 50_000_000);
}

#[test]
fn traces_are_off_by_default_and_use_the_usual_path() {
    let endpoint = |args: &[&str]| {
        let (config, _) = config(args, &PAIR).unwrap();
        config.otlp_endpoint.map(|endpoint| endpoint.to_string())
    };
    assert_eq!(endpoint(&[]), None);
    for (given, path) in [("", "/v1/traces"), ("/", "/v1/traces"), ("/otlp", "/otlp")] {
        let flag = format!("--otlp-endpoint=http://collector:4318{given}");
        assert_eq!(endpoint(&[&flag]).unwrap(), format!("http://collector:4318{path}"));
    }
}

#[test]
fn the_audit_takes_its_flags_before_and_after_its_name() {
    use super::{LogFormat, Task};

    let (served, _) = config(&["--store=x"], &[]).unwrap();
    assert_eq!((served.task, served.audit_results), (None, false));
    let env = [("GMSA_NAMESPACE", "a"), ("GMSA_LOG_FORMAT", "text"), ("GMSA_KUBECONFIG", "k")];
    let (audit, _) = config(&["audit"], &env).unwrap();
    assert_eq!((audit.task, audit.namespace.as_deref()), (Some(Task::Audit), Some("a")));
    assert_eq!(audit.log_format, LogFormat::Text);
    assert_eq!(audit.facts, FactSource::Cluster { kubeconfig: Some("k".into()) });
    let (audit, _) = config(&["audit", "--namespace=b", "--log-level=debug"], &env).unwrap();
    assert_eq!((audit.namespace.as_deref(), audit.log_level.as_str()), (Some("b"), "debug"));
    let refused = config(&["--store=x", "audit"], &[]).unwrap_err();
    assert!(refused.starts_with("failed to audit: --store names manifests"), "{refused}");
    assert!(config(&["audit", "--https-port=1"], &[]).is_err(), "what it would not use");
    assert!(config(&["--audit-results"], &PAIR).unwrap().0.audit_results);
}
