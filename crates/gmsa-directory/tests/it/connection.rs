//! Connections to a real domain controller, and every way in which they fail.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine as _;
use gmsa_directory::{Credentials, Directory, Domain, Error, Options, Transport};
use gmsa_testkit::domain_controller::dns::Record;
use gmsa_testkit::domain_controller::{
    ADMINISTRATOR, ADMINISTRATOR_PASSWORD, DOMAIN, DomainController, GUID, HOST, NETBIOS, SID,
    USER, USER_PASSWORD,
};
use gmsa_testkit::pki::{Authority, Pair};
use gmsa_testkit::shared;
use time::OffsetDateTime;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

fn expected() -> Domain {
    Domain {
        sid: SID.parse().unwrap(),
        guid: GUID.parse().unwrap(),
        dns_name: DOMAIN.to_owned(),
        forest: DOMAIN.to_owned(),
        netbios_name: NETBIOS.to_owned(),
    }
}

async fn failure(options: &Options) -> String {
    match Directory::open(options).await {
        Ok(_) => panic!("it worked"),
        Err(error) => error.to_string(),
    }
}

fn administrator(controller: &DomainController) -> Options {
    crate::support::options(controller, ADMINISTRATOR, ADMINISTRATOR_PASSWORD)
}

#[tokio::test]
async fn the_facts_of_the_domain_over_every_way() {
    let name = "the_facts_of_the_domain_over_every_way";
    let Some(controller) = shared::domain_controller(name).await else { return };
    let by_address = administrator(&controller);
    let starttls = Options { transport: Transport::StartTls, ..by_address.clone() };
    let by_name = Options {
        server: Some(HOST.to_owned()),
        dns_server: Some(controller.address),
        ..by_address.clone()
    };
    let by_domain = Options { server: None, domain: Some(DOMAIN.to_owned()), ..by_name.clone() };
    let by_server_name = Options { server_name: Some(HOST.to_owned()), ..by_address.clone() };
    let user = crate::support::options(&controller, USER, USER_PASSWORD);
    for options in [by_address, starttls, by_name, by_domain, by_server_name, user] {
        let directory = Directory::open(&options).await.unwrap();
        assert_eq!(directory.domain().await.unwrap(), expected(), "{options:?}");
    }
}

#[tokio::test]
async fn the_anonymous_user_sees_nothing() {
    let Some(controller) = shared::domain_controller("the_anonymous_user_sees_nothing").await
    else {
        return;
    };
    let options = Options { credentials: None, ..administrator(&controller) };
    let directory = Directory::open(&options).await.unwrap();
    assert_eq!(directory.user(), "anonymous");
    let error = directory.domain().await.unwrap_err().to_string();
    assert!(error.contains("no user is logged on") && error.contains("--bind-user"), "{error}");
}

#[tokio::test]
async fn refused_logons_say_why() {
    let Some(controller) = shared::domain_controller("refused_logons_say_why").await else {
        return;
    };
    let server = format!("{}:636", controller.address);
    let wrong = crate::support::options(&controller, ADMINISTRATOR, "wrong-secret");
    let error = failure(&wrong).await;
    assert!(
        error.starts_with(&format!("failed to log on to {server} as {ADMINISTRATOR}: ")),
        "{error}"
    );
    assert!(error.contains("the user or the password is wrong (data 52e)"), "{error}");
    assert!(!error.contains("wrong-secret") && !format!("{wrong:?}").contains("wrong-secret"));

    let error = failure(&crate::support::options(&controller, ADMINISTRATOR, "")).await;
    assert!(error.contains("the password is empty"), "{error}");

    let locked = "locked@contoso.com";
    for _ in 0..4 {
        failure(&crate::support::options(&controller, locked, "wrong")).await;
    }
    let error = failure(&crate::support::options(&controller, locked, USER_PASSWORD)).await;
    assert!(error.contains("locked after too many wrong passwords (data 775)"), "{error}");
    assert!(error.contains("unlock it"), "{error}");
}

#[tokio::test]
async fn names_that_dns_does_not_know() {
    let Some(controller) = shared::domain_controller("names_that_dns_does_not_know").await else {
        return;
    };
    let base = Options { dns_server: Some(controller.address), ..administrator(&controller) };
    let options =
        Options { server: None, domain: Some("fabrikam.contoso.com".to_owned()), ..base.clone() };
    let error = failure(&options).await;
    assert!(error.contains("_ldap._tcp.dc._msdcs.fabrikam.contoso.com"), "{error}");
    assert!(error.contains("--dns-server"), "{error}");
    let options = Options { server: Some("dc9.contoso.com".to_owned()), ..base.clone() };
    let error = failure(&options).await;
    assert!(error.starts_with("failed to find the address of dc9.contoso.com: "), "{error}");
    let error = failure(&Options { server: None, domain: None, ..base }).await;
    assert!(error.contains("--dc") && error.contains("--domain"), "{error}");
}

#[tokio::test]
async fn a_wrong_authority_or_name_or_port() {
    let Some(controller) = shared::domain_controller("a_wrong_authority_or_name_or_port").await
    else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let base = administrator(&controller);
    let other = Authority::new("another authority");
    let file = |name: &str, text: &str| -> PathBuf {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let ca = Some(file("other.crt", other.pem()));
    let error = failure(&Options { ca, ..base.clone() }).await;
    assert!(error.contains("an authority that is not trusted"), "{error}");
    assert!(error.contains("--ca"), "{error}");

    let server_name = Some("dc2.contoso.com".to_owned());
    let error = failure(&Options { server_name, ..base.clone() }).await;
    assert!(error.contains("not for dc2.contoso.com, but for"), "{error}");
    assert!(error.contains(HOST) && error.contains("--server-name"), "{error}");

    assert!(error.contains(&format!("but for {HOST}, {DOMAIN}")), "{error}");
    // Certificates that no name fits, and one that is not a server's.
    for (pair, why, remedy) in [
        (controller.authority().server(&[]), "has no subject alternative name", "Samba makes"),
        (controller.authority().pair(), "is that of an authority", "sign a certificate"),
        (controller.authority().client("dc1", &[]), "is not for servers", "Server Authentication"),
    ] {
        let server = Some(format!("127.0.0.1:{}", serve(&pair).await));
        let error = failure(&Options { server, ..base.clone() }).await;
        assert!(error.contains(why) && error.contains(remedy), "{error}");
    }
    // LDAPS is not StartTLS.
    let server = Some(format!("{}:636", controller.address));
    let options = Options { server, transport: Transport::StartTls, ..base.clone() };
    let error = failure(&options).await;
    assert!(error.contains("leave --starttls out"), "{error}");
    // What Windows exports as .cer.
    let pem = std::fs::read_to_string(&controller.ca).unwrap();
    let text: String = pem.lines().filter(|line| !line.starts_with("--")).collect();
    let der = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let path = directory.path().join("ca.cer");
    std::fs::write(&path, &der).unwrap();
    Directory::open(&Options { ca: Some(path.clone()), ..base.clone() }).await.unwrap();
    std::fs::write(&path, &der[..100]).unwrap();
    let error = failure(&Options { ca: Some(path), ..base.clone() }).await;
    assert!(error.contains("not a certificate in DER or PEM"), "{error}");

    for port in [389, 88] {
        let server = Some(format!("{}:{port}", controller.address));
        let error = failure(&Options { server, ..base.clone() }).await;
        assert!(error.starts_with("failed to set up TLS with "), "{error}");
        if port == 389 {
            assert!(error.contains("--starttls"), "{error}");
        }
    }

    for (name, text, why) in [
        ("empty.crt", "", "there is none in PEM"),
        ("broken.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "failed"),
    ] {
        let ca = Some(file(name, text));
        let error = failure(&Options { ca, ..base.clone() }).await;
        assert!(error.starts_with("failed to read certificates from "), "{error}");
        assert!(error.contains(name) && error.contains(why), "{error}");
    }
    let ca = Some(directory.path().join("absent.crt"));
    let error = failure(&Options { ca, ..base }).await;
    assert!(error.contains("absent.crt"), "{error}");
}

/// Serves TLS with a certificate of the domain's authority, and nothing in it.
async fn serve(pair: &Pair) -> u16 {
    serve_at(pair, ("127.0.0.1", 0)).await
}

async fn serve_at(pair: &Pair, address: (&str, u16)) -> u16 {
    let acceptor = pair.acceptor();
    let listener = TcpListener::bind(address).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            open.push(acceptor.accept(stream).await);
        }
    });
    port
}

#[tokio::test]
async fn certificates_out_of_their_time_and_silent_servers() {
    let name = "certificates_out_of_their_time_and_silent_servers";
    let Some(controller) = shared::domain_controller(name).await else { return };
    let authority = controller.authority();
    let now = OffsetDateTime::now_utc();
    let days = time::Duration::days;
    let base = administrator(&controller);
    for (validity, why) in [
        ((now - days(9), now - days(2)), "its certificate has expired"),
        ((now + days(2), now + days(9)), "not valid yet"),
    ] {
        let port = serve(&authority.server_between(&["127.0.0.1"], validity)).await;
        let server = Some(format!("127.0.0.1:{port}"));
        let error = failure(&Options { server, ..base.clone() }).await;
        assert!(error.contains(why) && error.contains("clock"), "{error}");
    }

    let timeout = Duration::from_millis(300);
    let port = serve(&authority.server(&["127.0.0.1"])).await;
    let server = Some(format!("127.0.0.1:{port}"));
    let start = Instant::now();
    let error = failure(&Options { server, timeout, ..base.clone() }).await;
    assert!(error.contains("failed to log on as Administrator@contoso.com"), "{error}");
    assert!(error.contains("no answer within 0.3 s"), "{error}");

    let silent = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let server = Some(silent.local_addr().unwrap().to_string());
    let error = failure(&Options { server: server.clone(), timeout, ..base.clone() }).await;
    assert!(error.contains("failed to set up TLS") && error.contains("0.3 s"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(10));
    drop(silent);
    let error = failure(&Options { server, ..base }).await;
    assert!(error.starts_with("failed to connect to 127.0.0.1:"), "{error}");
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_controller_that_never_answers_is_passed_over() {
    let name = "a_controller_that_never_answers_is_passed_over";
    let Some(controller) = shared::separate_domain_controller(name, "fail-dc").await else {
        return;
    };
    // It is asked first, for its name, and ends at TLS.
    let (host, address) = ("aaa.contoso.com", Ipv4Addr::new(127, 64, 9, 11));
    controller.add_dns_records("aaa", &[Record::A(address)]);
    controller.announce_controller(host);
    let pair = controller.authority().server(&[host]);
    serve_at(&pair, (&address.to_string(), 636)).await;
    let options = Options {
        server: None,
        domain: Some(DOMAIN.to_owned()),
        dns_server: Some(controller.address),
        timeout: Duration::from_secs(4),
        ..administrator(&controller)
    };
    let alone = Options { server: Some(host.to_owned()), domain: None, ..options.clone() };
    let error = failure(&alone).await;
    assert!(error.contains("failed to log on as") && error.contains("within 4 s"), "{error}");
    let directory = Directory::open(&options).await.unwrap();
    assert!(directory.server().starts_with(HOST), "{}", directory.server());
    // A wrong password is not tried at the next one: that would lock the user out.
    let credentials = Credentials { user: ADMINISTRATOR.to_owned(), password: "wrong".into() };
    let error = failure(&Options { credentials: Some(credentials), ..options }).await;
    assert!(error.contains("data 52e") && error.contains(HOST), "{error}");
}

/// The request for StartTLS: message 1, the extended operation 1.3.6.1.4.1.1466.20037.
const STARTTLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// What a server was sent by the one who connected.
struct Received {
    plain: Vec<u8>,
    /// Inside TLS; none if the client did not finish the handshake.
    encrypted: Option<Vec<u8>>,
}

/// Answers one request for StartTLS with a result, and if that is success encrypts; what comes
/// then is kept. Nothing is answered to it: the connection ends with the first of it.
async fn answer_starttls(pair: &Pair, result: u8) -> (u16, JoinHandle<Received>) {
    let acceptor = pair.acceptor();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let received = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut plain = vec![0; STARTTLS.len()];
        stream.read_exact(&mut plain).await.unwrap();
        let answer =
            [b"\x30\x0f\x02\x01\x01\x78\x0a\x0a\x01", &[result][..], b"\x04\x00\x04\x03why"];
        stream.write_all(&answer.concat()).await.unwrap();
        if result != 0 {
            // Until the client closes; a reset is an end too.
            let _ = stream.read_to_end(&mut plain).await;
            return Received { plain, encrypted: None };
        }
        let Ok(mut stream) = acceptor.accept(stream).await else {
            return Received { plain, encrypted: None };
        };
        let mut encrypted = vec![0; 4096];
        let length = stream.read(&mut encrypted).await.unwrap_or_default();
        encrypted.truncate(length);
        Received { plain, encrypted: Some(encrypted) }
    });
    (port, received)
}

#[tokio::test]
async fn no_password_is_sent_before_starttls_has_succeeded() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, authority: &Authority| {
        let path = directory.path().join(name);
        std::fs::write(&path, authority.pem()).unwrap();
        Some(path)
    };
    let (right, other) = (Authority::new("the domain's"), Authority::new("another"));
    let (ca, wrong_ca) = (file("right.crt", &right), file("other.crt", &other));
    let pair = right.server(&["127.0.0.1"]);
    let password = "to-be-kept-secret";
    let attempt = async |result, ca: &Option<PathBuf>, server_name: Option<&str>| {
        let (port, received) = answer_starttls(&pair, result).await;
        let credentials = Credentials { user: ADMINISTRATOR.to_owned(), password: password.into() };
        let error = failure(&Options {
            server: Some(format!("127.0.0.1:{port}")),
            transport: Transport::StartTls,
            ca: ca.clone(),
            server_name: server_name.map(str::to_owned),
            credentials: Some(credentials),
            ..Options::default()
        })
        .await;
        assert!(!error.contains(password), "{error}");
        let received = received.await.unwrap();
        assert_eq!(received.plain, STARTTLS, "{error}");
        (error, received.encrypted)
    };
    for (result, ca, server_name, why) in [
        (52, &ca, None, "it refuses StartTLS (LDAP result 52, why)"),
        (0, &wrong_ca, None, "signed by an authority that is not trusted"),
        (0, &ca, Some("dc2.contoso.com"), "not for dc2.contoso.com, but for"),
    ] {
        let (error, encrypted) = attempt(result, ca, server_name).await;
        assert!(error.starts_with("failed to set up TLS with 127.0.0.1:"), "{error}");
        assert!(error.contains(why), "{error}");
        assert_eq!(encrypted, None, "{error}");
    }
    // Then it is, and inside TLS: a server of this test sees what it is sent.
    let (error, encrypted) = attempt(0, &ca, None).await;
    let encrypted = encrypted.unwrap();
    let sent = encrypted.windows(password.len()).any(|part| part == password.as_bytes());
    assert!(sent && error.starts_with("failed to log on as "), "{error}");
}

#[tokio::test]
async fn an_error_knows_whose_it_is() {
    let Some(controller) = shared::domain_controller("an_error_knows_whose_it_is").await else {
        return;
    };
    let directory = crate::support::administrator(&controller).await;
    let error = directory.computer("no-such-host").await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }));
    assert!(!error.is_input() && error.is_finding());
    assert_eq!(
        error.to_string(),
        "failed to find the computer no-such-host in DC=contoso,DC=com: there is none that \
         Administrator@contoso.com may see"
    );
}
