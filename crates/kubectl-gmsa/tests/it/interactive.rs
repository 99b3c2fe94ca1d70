//! What is asked for on a terminal: here a pseudo-terminal.

use std::process::Command;

use crate::support::{ROOT, as_administrator, ran};
use gmsa_testkit::domain_controller::{ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DOMAIN, SID};
use gmsa_testkit::shared;
use rexpect::process::WaitStatus;
use rexpect::session::{PtySession, spawn_command};

fn on_a_terminal(args: &[&str], variables: &[(&str, &str)]) -> PtySession {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kubectl-gmsa"));
    command.current_dir(ROOT).args(args).env("KUBECONFIG", "/nonexistent");
    for name in ["GMSA_DC", "GMSA_DOMAIN", "GMSA_CA", "GMSA_BIND_USER", "GMSA_BIND_PASSWORD"] {
        command.env_remove(name);
    }
    command.envs(variables.iter().copied());
    spawn_command(command, Some(30_000)).unwrap()
}

fn answer(session: &mut PtySession, question: &str, answer: &str) {
    session.exp_string(question).unwrap();
    session.send_line(answer).unwrap();
}

fn ended(mut session: PtySession, code: i32) -> String {
    let rest = session.exp_eof().unwrap();
    match session.process().wait().unwrap() {
        WaitStatus::Exited(_, exited) => assert_eq!(exited, code, "{rest}"),
        other => panic!("{other:?}: {rest}"),
    }
    rest
}

#[test]
fn a_credential_spec_by_hand_with_wrong_answers() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("made.yaml");
    let file = file.to_str().unwrap();
    let mut session = on_a_terminal(&["credspec", "create", "--out", file], &[]);
    let session_ref = &mut session;
    answer(session_ref, "Account that the container runs as: ", "a-name-that-is-too-long");
    session_ref.exp_string("23 characters long").unwrap();
    answer(session_ref, "Account that the container runs as: ", "WebApp1$");
    answer(session_ref, "Name of the credential spec [webapp1]: ", "Gmsa_WebApp1");
    session_ref.exp_string("is called gmsa-webapp1").unwrap();
    answer(session_ref, "from Active Directory, yes or no [yes]: ", "perhaps");
    session_ref.exp_string("write yes or no").unwrap();
    answer(session_ref, "from Active Directory, yes or no [yes]: ", "no");
    answer(session_ref, "DNS name of the domain: ", "contoso");
    session_ref.exp_string("that is not a DNS name of a domain").unwrap();
    answer(session_ref, "DNS name of the domain: ", "contoso.com");
    answer(session_ref, "NetBIOS name of the domain [CONTOSO]: ", "");
    let sid = "S-1-5-21-2126449477-2524075714-3094792973";
    answer(session_ref, "SID of the domain (Get-ADDomain): ", &format!("{sid}-1103"));
    session_ref.exp_string("that is not a SID of a domain").unwrap();
    answer(session_ref, "SID of the domain (Get-ADDomain): ", sid);
    answer(session_ref, "ObjectGUID of the domain (Get-ADDomain): ", "");
    session_ref.exp_string("an answer is needed").unwrap();
    let guid = "{244818AE-87AC-4FCD-92EC-E79E5252348A}";
    answer(session_ref, "ObjectGUID of the domain (Get-ADDomain): ", guid);
    answer(session_ref, "forest's root domain [contoso.com]: ", "");
    ended(session, 0);
    // What came of it is the example.
    let compared =
        crate::support::run(&["credspec", "diff", file, "examples/1-credential-spec.yaml"]);
    assert_eq!((compared.code, compared.stdout.as_str()), (0, ""), "{}", compared.stderr);
    assert!(std::fs::read_to_string(file).unwrap().contains("name: gmsa-webapp1"));
}

/// With colours and without, a table fits the terminal.
#[test]
fn a_table_is_as_wide_as_the_terminal() {
    let rows = |variables: &[(&str, &str)]| {
        let mut command = Command::new("sh");
        command.args(["-c", "stty cols 64 rows 24 && exec \"$0\" review -f examples/ -o wide"]);
        command.arg(env!("CARGO_BIN_EXE_kubectl-gmsa")).current_dir(ROOT);
        command.env("KUBECONFIG", "/nonexistent").env_remove("NO_COLOR");
        command.envs(variables.iter().copied());
        let text = ended(spawn_command(command, Some(30_000)).unwrap(), 1);
        let table = text.split("\r\n\r\n").next().unwrap().to_owned();
        assert!(table.contains("WORKLOAD") && table.contains("denied"), "{text}");
        table
    };
    let coloured = rows(&[]);
    assert!(coloured.contains('\u{1b}'), "{coloured}");
    let plain = rows(&[("NO_COLOR", "1")]);
    assert!(!plain.contains('\u{1b}'), "{plain}");
    assert!(plain.lines().all(|line| line.chars().count() <= 64), "{plain}");
    assert!(plain.lines().any(|line| line.chars().count() > 50), "{plain}");
}

#[test]
fn who_gives_no_answer_gets_nothing() {
    let mut session = on_a_terminal(&["credspec", "create"], &[]);
    session.exp_string("Account that the container runs as: ").unwrap();
    session.send_control('d').unwrap();
    let rest = ended(session, 2);
    assert!(rest.contains("the answers ended; nothing was made"), "{rest}");
}

#[tokio::test]
async fn a_credential_spec_from_the_directory_with_a_password_that_is_not_shown() {
    let test = "a_credential_spec_from_the_directory_with_a_password_that_is_not_shown";
    let Some(controller) = shared::domain_controller(test).await else { return };
    let name = controller.unique("Ask");
    assert_eq!(ran(&mut as_administrator(&controller, &["account", "create", &name])).code, 0);
    let address = controller.address.to_string();
    let variables =
        [("GMSA_DNS_SERVER", address.as_str()), ("GMSA_CA", controller.ca.to_str().unwrap())];
    let mut session =
        on_a_terminal(&["credspec", "create", "shop", "--account", &name], &variables);
    answer(&mut session, "from Active Directory, yes or no [yes]: ", "");
    answer(&mut session, "Domain: ", DOMAIN);
    answer(&mut session, "User to log on as, user@domain or DOMAIN\\user: ", ADMINISTRATOR);
    answer(&mut session, &format!("Password of {ADMINISTRATOR}: "), ADMINISTRATOR_PASSWORD);
    let rest = ended(session, 0);
    assert!(!rest.contains(ADMINISTRATOR_PASSWORD), "{rest}");
    assert!(rest.contains(&format!("MachineAccountName: {name}")), "{rest}");
    assert!(rest.contains(&format!("Sid: {SID}")), "{rest}");
}

#[tokio::test]
async fn an_account_is_removed_after_a_yes_alone() {
    let Some(controller) =
        shared::domain_controller("an_account_is_removed_after_a_yes_alone").await
    else {
        return;
    };
    let name = controller.unique("Rmv");
    assert_eq!(ran(&mut as_administrator(&controller, &["account", "create", &name])).code, 0);
    let address = controller.address.to_string();
    let variables = [
        ("GMSA_DC", address.as_str()),
        ("GMSA_CA", controller.ca.to_str().unwrap()),
        ("GMSA_BIND_USER", ADMINISTRATOR),
        ("GMSA_BIND_PASSWORD", ADMINISTRATOR_PASSWORD),
    ];
    for (said, code, outcome) in [("no", 1, "nothing was removed"), ("yes", 0, "removed CN=")] {
        let mut session = on_a_terminal(&["account", "remove", &name], &variables);
        session.exp_string("whether credential specs still name it is not known").unwrap();
        answer(&mut session, "[y/N]", said);
        let rest = ended(session, code);
        assert!(rest.contains(outcome), "{rest}");
    }
}
