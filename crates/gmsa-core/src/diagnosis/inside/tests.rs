use proptest::prelude::*;

use super::super::Verdict;
use super::*;

const FINE: &str = "Trusted DC Name \\\\dc1.contoso.com\r\nStatus = 0 0x0 NERR_Success\r\n";
const BROKEN: &str = "I_NetLogonControl failed: Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE\r\n";
const NOBODY: &str = "Status = 1311 0x51f ERROR_NO_LOGON_SERVERS\r\n";
const ADDRESS: &str =
    "Server: dns\r\nAddress: 10.96.0.10\r\n\r\nName: contoso.com\r\nAddress: 10.0.0.4\r\n";
const NO_ADDRESS: &str = "Server: dns\r\nAddress: 10.96.0.10\r\n\r\n*** not found\r\n";
const SRV: &str = "x SRV\r\n a = 0\r\n b = 100\r\n c = 389\r\n d = dc1.contoso.com\r\n";
const TICKET: &str = "Cached Tickets: (1)\r\n#0> Client: WebApp1$ @ CONTOSO.COM\r\n Server: krbtgt/CONTOSO.COM @ CONTOSO.COM\r\n KerbTicket Encryption Type: AES-256-CTS-HMAC-SHA1-96\r\n Session Key Type: AES-256-CTS-HMAC-SHA1-96\r\n";
const NO_TICKET: &str = "klist failed with 0x51f/1311\r\n";
const SYSTEM: &str = "\"nt authority\\system\",\"S-1-5-18\"\r\n";

fn healthy() -> Inside {
    let ended = |output: &str| Reading::Ended { code: 0, output: output.as_bytes().to_vec() };
    let readings = [
        (Probe::ParentDomain, "contoso.com. (1)\r\n"),
        (Probe::Address, ADDRESS),
        (Probe::Services, SRV),
        (Probe::Query, FINE),
        (Probe::Verify, FINE),
        (Probe::Ticket, TICKET),
        (Probe::User, SYSTEM),
    ];
    Inside {
        object: "container \"iis\"".to_owned(),
        domain: "contoso.com".to_owned(),
        account: Some("webapp1".to_owned()),
        readings: readings.into_iter().map(|(probe, text)| (probe, ended(text))).collect(),
    }
}

fn with(changes: &[(Probe, &str)]) -> Inside {
    let mut inside = healthy();
    for (probe, text) in changes {
        let output = text.as_bytes().to_vec();
        inside.readings.insert(*probe, Reading::Ended { code: 1, output });
    }
    inside
}

/// The root causes with what follows from each.
fn causes(inside: &Inside) -> Vec<(&'static str, Vec<&'static str>)> {
    let outcomes = inside.judge();
    let verdict = Verdict::of(&outcomes);
    let causes = verdict.causes.iter();
    causes
        .map(|cause| {
            let following = cause.consequences.iter().map(|one| one.check.id).collect();
            (cause.outcome.check.id, following)
        })
        .collect()
}

#[test]
fn everything_is_well() {
    let outcomes = healthy().judge();
    assert!(outcomes.iter().all(|one| one.state == State::Ok), "{outcomes:#?}");
    assert!(outcomes.iter().all(|one| one.object.as_deref() == Some("container \"iis\"")));
    let said = |id| outcomes.iter().find(|one| one.check.id == id).unwrap().message.clone();
    assert_eq!(said("pod-dns"), "contoso.com is 10.0.0.4");
    assert_eq!(said("pod-srv"), "domain controllers: dc1.contoso.com:389");
    assert_eq!(said("pod-ticket"), "it has a ticket of WebApp1$@CONTOSO.COM");
    assert_eq!(said("pod-user"), "LocalSystem (S-1-5-18)");
}

#[test]
fn the_root_cause_of_what_readers_of_the_page_meet() {
    let (query, verify, ticket) = (Probe::Query, Probe::Verify, Probe::Ticket);
    for (name, changes, expected) in [
        (
            "no credential spec",
            vec![
                (Probe::ParentDomain, BROKEN),
                (query, BROKEN),
                (verify, BROKEN),
                (ticket, NO_TICKET),
            ],
            vec![("pod-credential-spec", vec!["pod-secure-channel", "pod-ticket"])],
        ),
        (
            "DNS",
            vec![
                (Probe::Address, NO_ADDRESS),
                (Probe::Services, NO_ADDRESS),
                (verify, NOBODY),
                (ticket, NO_TICKET),
            ],
            vec![("pod-dns", vec!["pod-srv", "pod-secure-channel", "pod-ticket"])],
        ),
        (
            "no controller",
            vec![(query, NOBODY), (verify, NOBODY), (ticket, NO_TICKET)],
            vec![("pod-domain-controller", vec!["pod-secure-channel", "pod-ticket"])],
        ),
        (
            "no controller, not even for the first command",
            vec![
                (Probe::ParentDomain, NOBODY),
                (query, NOBODY),
                (verify, NOBODY),
                (ticket, "Cached Tickets: (0)"),
            ],
            vec![("pod-domain-controller", vec!["pod-secure-channel"])],
        ),
        (
            "the channel alone",
            vec![(query, BROKEN), (verify, "Status = 1786 0x6fa ERROR_NO_TRUST_LSA_SECRET")],
            vec![("pod-secure-channel", vec![])],
        ),
        (
            "a user without the identity",
            vec![
                (Probe::User, "\"user manager\\containeruser\",\"S-1-5-93-2-2\""),
                (verify, "Status = 5 0x5 ERROR_ACCESS_DENIED"),
            ],
            vec![("pod-user", vec!["pod-secure-channel"])],
        ),
    ] {
        assert_eq!(causes(&with(&changes)), expected, "{name}");
    }
}

/// plooploops/windows-containers-AD 7 and kubernetes/kubernetes 99862: klist works and netlogon finds
/// no logon server.
#[test]
fn a_ticket_shows_that_a_controller_answers() {
    let inside = with(&[(Probe::Query, NOBODY), (Probe::Verify, NOBODY)]);
    assert_eq!(causes(&inside), [("pod-secure-channel", vec![])]);
    let outcomes = inside.judge();
    let of = |id| outcomes.iter().find(|one| one.check.id == id).unwrap();
    assert_eq!(of("pod-domain-controller").state, State::Ok);
    assert!(of("pod-domain-controller").message.contains("port 88"));
    assert!(of("pod-secure-channel").evidence.join(" ").contains("135, 445 and 49152 to 65535"));
    assert!(inside.only_netlogon_fails());
    assert!(!healthy().only_netlogon_fails());
}

#[test]
fn a_ticket_of_the_account_shows_that_the_credential_spec_reached_it() {
    let changes = [(Probe::ParentDomain, BROKEN), (Probe::Query, BROKEN), (Probe::Verify, BROKEN)];
    assert_eq!(causes(&with(&changes)), [("pod-secure-channel", vec![])]);
    let other = TICKET.replace("WebApp1", "NODE1");
    let mut with_other = with(&changes);
    let output = other.into_bytes();
    with_other.readings.insert(Probe::Ticket, Reading::Ended { code: 0, output });
    assert_eq!(causes(&with_other)[0].0, "pod-credential-spec");
}

/// The one user of containers with whom pods run that set none.
const ADMINISTRATOR: &str = "\"user manager\\containeradministrator\",\"S-1-5-93-2-1\"\r\n";

#[test]
fn the_user_explains_what_was_denied_and_nothing_else() {
    let no_secret = "Connection Status = 1786 0x6fa ERROR_NO_TRUST_LSA_SECRET\r\n";
    let denied = "Status = 5 0x5 ERROR_ACCESS_DENIED\r\n";
    let klist_denied = "klist failed with 0xc0000022/-1073741790\r\n";
    let local = "\"web\\shop\",\"S-1-5-21-1-2-3-1001\"\r\n";
    let (user, query, verify, ticket) = (Probe::User, Probe::Query, Probe::Verify, Probe::Ticket);
    for (name, changes, expected) in [
        (
            "the channel alone is broken",
            vec![(user, ADMINISTRATOR), (query, no_secret), (verify, no_secret)],
            vec![("pod-secure-channel", vec![])],
        ),
        ("healthy", vec![(user, ADMINISTRATOR)], vec![]),
        ("no ticket, and a channel", vec![(user, ADMINISTRATOR), (ticket, klist_denied)], vec![]),
        (
            "denied",
            vec![(user, ADMINISTRATOR), (query, denied), (verify, denied)],
            vec![("pod-user", vec!["pod-secure-channel"])],
        ),
        (
            "klist alone is denied, and the channel is broken by itself",
            vec![
                (user, ADMINISTRATOR),
                (ticket, klist_denied),
                (query, no_secret),
                (verify, no_secret),
            ],
            vec![("pod-secure-channel", vec![])],
        ),
        ("a user of its own", vec![(user, local)], vec![("pod-user", vec![])]),
        (
            "a user of its own, and a channel that is broken by itself",
            vec![(user, local), (query, no_secret), (verify, no_secret)],
            vec![("pod-secure-channel", vec![]), ("pod-user", vec![])],
        ),
        (
            "a user of its own is denied",
            vec![(user, local), (query, denied)],
            vec![("pod-user", vec!["pod-secure-channel"])],
        ),
    ] {
        assert_eq!(causes(&with(&changes)), expected, "{name}");
    }
    // Without a sign that it works there is a note, and no more.
    let inside = with(&[(user, ADMINISTRATOR), (ticket, NO_TICKET), (query, NOBODY)]);
    let outcomes = inside.judge();
    let outcome = outcomes.iter().find(|one| one.check.id == "pod-user").unwrap();
    assert_eq!(outcome.state, State::Ok);
    assert!(outcome.evidence[0].contains("others report that this user works"), "{outcome:?}");
    // The remedy does not send IIS images to another user.
    let user = super::super::find("pod-user").unwrap();
    assert!(user.remedy.contains("IIS needs no change"), "{}", user.remedy);
}

#[test]
fn a_verified_channel_shows_that_the_domain_is_found() {
    let inside = with(&[
        (Probe::Address, NO_ADDRESS),
        (Probe::Services, NO_ADDRESS),
        (Probe::ServicesOverTcp, NO_ADDRESS),
    ]);
    let outcomes = inside.judge();
    for id in ["pod-dns", "pod-srv"] {
        let outcome = outcomes.iter().find(|one| one.check.id == id).unwrap();
        assert_eq!(outcome.state, State::Warning, "{outcome:?}");
        assert!(outcome.message.contains("the secure channel works"), "{outcome:?}");
    }
    assert_eq!(Verdict::of(&outcomes).health, super::super::Health::Troubled);
    assert_eq!(inside.addresses(), Some(false));
    assert_eq!(healthy().addresses(), Some(true));
}

#[test]
fn tickets_with_rc4_are_warned_of() {
    let weak = TICKET.replace(
        "Session Key Type: AES-256-CTS-HMAC-SHA1-96",
        "Session Key Type: RSADSI RC4-HMAC(NT)",
    );
    assert_eq!(causes(&with(&[(Probe::Ticket, &weak)])), [("pod-ticket-encryption", vec![])]);
    let outcomes = with(&[(Probe::Ticket, &weak)]).judge();
    let outcome = outcomes.iter().find(|one| one.check.id == "pod-ticket-encryption").unwrap();
    assert_eq!(outcome.message, "the session key for krbtgt/CONTOSO.COM uses RC4");
    assert!(outcome.next_step().contains("docs/rc4.md"), "{outcome:?}");
    let silent = "#0> Client: WebApp1$ @ A\r\n Server: krbtgt/A @ A\r\n";
    let outcomes = with(&[(Probe::Ticket, silent)]).judge();
    assert!(outcomes.iter().all(|one| one.check.id != "pod-ticket-encryption"));
}

#[test]
fn one_bad_status_of_two_is_enough() {
    let two = "Status = 0 0x0 NERR_Success\r\nTrust Status = 5 0x5 ERROR_ACCESS_DENIED\r\n";
    let outcomes = with(&[(Probe::Verify, two)]).judge();
    let channel = outcomes.iter().find(|one| one.check.id == "pod-secure-channel").unwrap();
    assert_eq!(channel.message, "access is denied: 5 ERROR_ACCESS_DENIED");
    assert!(channel.next_step().contains("NetworkService"), "{channel:?}");
    assert!(channel.evidence.iter().any(|line| line.contains("klist get krbtgt works")));
}

#[test]
fn what_could_not_be_read_is_unknown_and_never_ok() {
    let mut inside = healthy();
    inside.readings.insert(Probe::Query, Reading::Unknown("it did not end in 20 s".to_owned()));
    inside.readings.insert(Probe::Ticket, Reading::Absent);
    inside.readings.remove(&Probe::User);
    let outcomes = inside.judge();
    let state = |id| outcomes.iter().find(|one| one.check.id == id).unwrap().state;
    assert_eq!(state("pod-secure-channel"), State::Unknown);
    assert_eq!(state("pod-ticket"), State::Unknown);
    assert_eq!(state("pod-tools"), State::Warning);
    assert_eq!(state("pod-user"), State::Skipped);
    // An output without a number is not success.
    for probe in [Probe::Query, Probe::Verify, Probe::Ticket, Probe::User, Probe::ParentDomain] {
        let outcomes = with(&[(probe, "something else")]).judge();
        let one = outcomes.iter().find(|one| one.check == probe.check()).unwrap();
        assert_eq!(one.state, State::Unknown, "{probe:?}: {one:?}");
    }
}

#[test]
fn a_ticket_of_another_account_and_records_over_tcp_only_are_reported() {
    let other = TICKET.replace("WebApp1", "WEB-7D4B9");
    assert_eq!(causes(&with(&[(Probe::Ticket, &other)])), [("pod-ticket", vec![])]);
    let mut inside = with(&[(Probe::Services, NO_ADDRESS), (Probe::ServicesOverTcp, SRV)]);
    let outcomes = inside.judge();
    assert!(outcomes.iter().any(|one| one.message.contains("over TCP only")), "{outcomes:#?}");
    inside.readings.remove(&Probe::ServicesOverTcp);
    assert!(inside.judge().iter().any(|one| one.message.contains("neither over UDP nor TCP")));
}

proptest! {
    #[test]
    fn no_output_panics(output: Vec<u8>, code: i64) {
        let mut inside = healthy();
        for probe in Probe::ALL {
            inside.readings.insert(probe, Reading::Ended { code, output: output.clone() });
        }
        let _ = inside.judge();
    }
}
