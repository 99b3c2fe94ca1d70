use std::time::Duration;

use time::OffsetDateTime;

use super::state::{Policy, State, Step};
use crate::certificates::authority::KeyAndCertificate;

const POLICY: Policy = Policy {
    authority: Duration::from_mins(500),
    serving: Duration::from_mins(50),
    overlap: Duration::from_mins(1),
};

fn names() -> Vec<String> {
    ["gmsa-webhook.gmsa-webhook.svc", "gmsa-webhook"].map(str::to_owned).to_vec()
}

fn now() -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(OffsetDateTime::now_utc().unix_timestamp()).unwrap()
}

fn certificates(bundle: &str) -> usize {
    bundle.matches("-----BEGIN CERTIFICATE-----").count()
}

#[test]
fn what_was_written_is_read_again() {
    let now = now();
    let state = State::create(&names(), now, &POLICY).unwrap();
    let next = state.after(Step::IntroduceAuthority, &names(), now, &POLICY).unwrap();
    let switched = next.after(Step::SwitchAuthority, &names(), now, &POLICY).unwrap();
    for state in [state, next, switched] {
        assert_eq!(State::read(&state.data(), &names(), now).unwrap(), state);
    }
}

#[test]
fn a_secret_that_cannot_be_used_says_why_and_shows_no_key() {
    let now = now();
    let state = State::create(&names(), now, &POLICY).unwrap();
    let other = State::create(&names(), now, &POLICY).unwrap();
    for (key, value) in [
        ("ca.crt", b"garbage".to_vec()),
        ("ca.key", other.data()["ca.key"].clone()),
        ("ca.key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".to_vec()),
        ("tls.crt", vec![0xff]),
        ("tls.key", Vec::new()),
    ] {
        let mut data = state.data();
        data.insert(key.to_owned(), value);
        let error = State::read(&data, &names(), now).unwrap_err().to_string();
        assert!(error.starts_with("failed to ") && !error.contains("AAAA"), "{key}: {error}");
    }
    let late = now + POLICY.authority;
    assert!(
        State::read(&state.data(), &names(), late).unwrap_err().to_string().contains("expired")
    );
}

#[test]
fn a_certificate_of_other_names_or_of_another_ca_or_without_its_key_is_renewed() {
    let now = now();
    let state = State::create(&names(), now, &POLICY).unwrap();
    assert_eq!(state.due(&names(), now, &POLICY, None), None);
    assert_eq!(
        state.due(&["other.svc".to_owned()], now, &POLICY, None),
        Some(Step::RenewCertificate)
    );
    let other = State::create(&names(), now, &POLICY).unwrap();
    for keys in [&["tls.crt"][..], &["tls.key"], &["tls.crt", "tls.key"]] {
        let mut data = state.data();
        for key in keys {
            data.insert((*key).to_owned(), other.data()[*key].clone());
        }
        let mixed = State::read(&data, &names(), now).unwrap();
        assert_eq!(mixed.due(&names(), now, &POLICY, None), Some(Step::RenewCertificate));
        let renewed = mixed.after(Step::RenewCertificate, &names(), now, &POLICY).unwrap();
        assert_eq!(renewed.due(&names(), now, &POLICY, None), None);
    }
}

#[test]
fn a_ca_is_trusted_before_it_issues_and_after_it_did() {
    let mut now = now();
    let mut state = State::create(&names(), now, &POLICY).unwrap();
    let mut steps = Vec::new();
    let end = now + POLICY.authority * 3;
    while now < end {
        now += Duration::from_secs(20);
        let bundle = state.bundle();
        if let Some(step) = state.due(&names(), now, &POLICY, None) {
            let after = state.after(step, &names(), now, &POLICY).unwrap();
            let trusted = after.data();
            let issuer = String::from_utf8(trusted["ca.crt"].clone()).unwrap();
            let issuer = issuer.split_inclusive("-----END CERTIFICATE-----").next().unwrap();
            // The CA that signs from now on was trusted before this step.
            assert!(bundle.contains(issuer), "{step:?}");
            state = after;
            steps.push(step);
        }
        assert!(certificates(&state.bundle()) <= 2);
        assert_eq!(State::read(&state.data(), &names(), now).unwrap(), state);
    }
    steps.retain(|step| *step != Step::RenewCertificate);
    let cycle = [Step::IntroduceAuthority, Step::SwitchAuthority, Step::ForgetAuthority];
    assert_eq!(steps.len(), 12, "{steps:?}");
    for three in steps.chunks(3) {
        assert_eq!(three, cycle);
    }
}

#[test]
fn what_was_trusted_before_the_first_ca_is_trusted_for_the_overlap() {
    let (names, now) = (names(), now());
    let other = |life: Duration| {
        let made = now - Duration::from_hours(1);
        KeyAndCertificate::new_authority(made, life).unwrap().certificate
    };
    let long = Duration::from_hours(100);
    let (first, second, ended) = (other(long), other(long), other(Duration::from_mins(1)));
    let bundles = [
        format!("a comment\n{first}{ended}\ngarbage"),
        format!("{second}{first}"),
        "none".to_owned(),
    ];
    let state = State::create(&names, now, &POLICY).unwrap();
    let own = state.bundle();
    let state = state.after_bundles(&bundles, now);
    let bundle = state.bundle();
    assert!(bundle.starts_with(&own), "{bundle}");
    assert_eq!(certificates(&bundle), 3);
    for pem in [first, second] {
        assert!(bundle.contains(pem.trim()), "{bundle}");
    }
    let read = State::read(&state.data(), &names, now).unwrap();
    assert_eq!(read.bundle(), bundle);
    assert_eq!(read.due(&names, now, &POLICY, None), None);
    let later = now + POLICY.overlap;
    assert_eq!(read.due(&names, later, &POLICY, None), Some(Step::ForgetAuthority));
    let after = read.after(Step::ForgetAuthority, &names, later, &POLICY).unwrap();
    assert_eq!(after.bundle(), own);
}

#[test]
fn what_was_made_before_a_given_time_is_replaced_once() {
    let mut now = now();
    let mut state = State::create(&names(), now, &POLICY).unwrap();
    let before = Some(now + Duration::from_secs(1));
    let mut steps = Vec::new();
    for _ in 0..100 {
        now += Duration::from_secs(20);
        if let Some(step) = state.due(&names(), now, &POLICY, before) {
            state = state.after(step, &names(), now, &POLICY).unwrap();
            steps.push(step);
        }
    }
    let cycle = [Step::IntroduceAuthority, Step::SwitchAuthority, Step::ForgetAuthority];
    assert_eq!(steps[..3], cycle);
    assert!(steps[3..].iter().all(|step| *step == Step::RenewCertificate));
}
