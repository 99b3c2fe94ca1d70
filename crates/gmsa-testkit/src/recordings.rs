//! What programs of Windows write inside a container, in the shape of the real ones: nobody ran
//! Windows for it. The numbers are those that Windows documents.

use crate::windows_node::{Recording, Reply};

/// The domain that the outputs speak of.
pub const DOMAIN: &str = "contoso.com";

const PARENT: &str = "nltest /parentdomain";
const ADDRESS: &str = "nslookup contoso.com.";
const SERVICES: &str = "nslookup -type=srv _ldap._tcp.dc._msdcs.contoso.com.";
const SERVICES_TCP: &str = "nslookup -vc -type=srv _ldap._tcp.dc._msdcs.contoso.com.";
const QUERY: &str = "nltest /query";
const VERIFY: &str = "nltest /sc_verify:contoso.com";
const RESET: &str = "nltest /sc_reset:contoso.com";
const TICKET: &str = "klist get krbtgt";
const USER: &str = "whoami /user /fo csv /nh";

const DONE: &str = "The command completed successfully\r\n";
const SERVER: &str =
    "Server:  kube-dns.kube-system.svc.cluster.local\r\nAddress:  10.96.0.10\r\n\r\n";
const NO_LOGON: &str = "Status = 1311 0x51f ERROR_NO_LOGON_SERVERS\r\n";
const NO_RPC: &str = "Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE\r\n";

fn verified() -> Reply {
    Reply::ends(
        0,
        &format!(
            "Flags: b0 HAS_IP  HAS_TIMESERV \r\nTrusted DC Name \\\\dc1.contoso.com \r\n\
             Trusted DC Connection Status Status = 0 0x0 NERR_Success\r\n\
             Trust Verification Status = 0 0x0 NERR_Success\r\n{DONE}"
        ),
    )
}

fn query_works() -> Reply {
    Reply::ends(0, &format!("Flags: 0\r\nConnection Status = 0 0x0 NERR_Success\r\n{DONE}"))
}

fn query_fails() -> Reply {
    Reply::ends(1, &format!("I_NetLogonControl failed: {NO_RPC}"))
}

fn verify_fails() -> Reply {
    Reply::ends(1, "I_NetLogonControl failed: Status = 1786 0x6fa ERROR_NO_TRUST_LSA_SECRET\r\n")
}

fn ticket() -> Reply {
    Reply::ends(
        0,
        "\r\nCurrent LogonId is 0:0x3e7\r\nA ticket to krbtgt has been retrieved successfully.\r\n\
         \r\nCached Tickets: (1)\r\n\r\n#0>\tClient: WebApp1$ @ CONTOSO.COM\r\n\tServer: \
         krbtgt/CONTOSO.COM @ CONTOSO.COM\r\n\tTicket Flags 0x40e10000 -> forwardable renewable\r\n",
    )
}

fn no_ticket() -> Reply {
    Reply::ends(
        1,
        "\r\nCurrent LogonId is 0:0x3e7\r\nError calling API LsaCallAuthenticationPackage \
         (GetTicket substatus): 1311\r\n\r\nklist failed with 0xc000005e/-1073741730: no logon \
         servers are available.\r\n",
    )
}

/// Everything is well.
#[must_use]
pub fn healthy() -> Recording {
    Recording::default()
        .says("cmd /c exit 0", Reply::ends(0, ""))
        .says(PARENT, Reply::ends(0, &format!("contoso.com. (1)\r\n{DONE}")))
        .says(
            ADDRESS,
            Reply::ends(
                0,
                &format!(
                    "{SERVER}Name:    contoso.com\r\nAddresses:  10.0.0.4\r\n\t  10.0.0.5\r\n\r\n"
                ),
            ),
        )
        .says(
            SERVICES,
            Reply::ends(
                0,
                &format!(
                    "{SERVER}_ldap._tcp.dc._msdcs.contoso.com\tSRV service location:\r\n\t  \
                     priority       = 0\r\n\t  weight         = 100\r\n\t  port           = \
                     389\r\n\t  svr hostname   = dc1.contoso.com\r\ndc1.contoso.com\tinternet \
                     address = 10.0.0.4\r\n"
                ),
            ),
        )
        .says(QUERY, query_works())
        .says(VERIFY, verified())
        .says(TICKET, ticket())
        .says(USER, Reply::ends(0, "\"nt authority\\system\",\"S-1-5-18\"\r\n"))
}

/// The runtime gave the container no credential spec.
#[must_use]
pub fn no_credential_spec() -> Recording {
    healthy()
        .instead(PARENT, Reply::ends(1, &format!("Getting parent domain failed: {NO_RPC}")))
        .instead(QUERY, query_fails())
        .instead(VERIFY, Reply::ends(1, &format!("I_NetLogonControl failed: {NO_RPC}")))
        .instead(TICKET, no_ticket())
}

/// The cluster's DNS does not know the domain.
#[must_use]
pub fn dns_broken() -> Recording {
    let unknown = |name: &str| Reply::Ends {
        code: 1,
        stdout: SERVER.as_bytes().to_vec(),
        stderr: format!("*** kube-dns can't find {name}: Non-existent domain\r\n").into_bytes(),
    };
    healthy()
        .instead(ADDRESS, unknown("contoso.com."))
        .instead(SERVICES, unknown("_ldap._tcp.dc._msdcs.contoso.com."))
        .instead(SERVICES_TCP, unknown("_ldap._tcp.dc._msdcs.contoso.com."))
        .instead(QUERY, query_fails())
        .instead(VERIFY, Reply::ends(1, &format!("I_NetLogonControl failed: {NO_LOGON}")))
        .instead(TICKET, no_ticket())
}

/// Names are resolved, and no domain controller answers. `/query` then says that it completed
/// successfully, with the exit code 0 (kubernetes/kubernetes 99862).
#[must_use]
pub fn controller_unreachable() -> Recording {
    healthy()
        .instead(QUERY, Reply::ends(0, &format!("Flags: 0\r\nConnection {NO_LOGON}{DONE}")))
        .instead(VERIFY, Reply::ends(1, &format!("I_NetLogonControl failed: {NO_LOGON}")))
        .instead(TICKET, no_ticket())
}

/// The secure channel is broken until `sc_reset`.
#[must_use]
pub fn channel_repaired_by_reset() -> Recording {
    healthy()
        .instead(QUERY, query_fails())
        .says(QUERY, query_works())
        .instead(VERIFY, verify_fails())
        .says(VERIFY, verified())
        .says(RESET, verified())
}

/// The secure channel is broken, and `sc_reset` does not help.
#[must_use]
pub fn channel_not_mended() -> Recording {
    let no_account = Reply::ends(
        1,
        "I_NetLogonControl failed: Status = 1787 0x6fb ERROR_NO_TRUST_SAM_ACCOUNT\r\n",
    );
    healthy().instead(QUERY, query_fails()).instead(VERIFY, verify_fails()).says(RESET, no_account)
}

/// The user of the container may not.
#[must_use]
pub fn access_denied() -> Recording {
    let denied =
        || Reply::ends(1, "I_NetLogonControl failed: Status = 5 0x5 ERROR_ACCESS_DENIED\r\n");
    healthy()
        .instead(QUERY, denied())
        .instead(VERIFY, denied())
        .instead(USER, Reply::ends(0, "\"user manager\\containeruser\",\"S-1-5-93-2-2\"\r\n"))
}

/// The secure channel is broken until `sc_reset`, and a ticket of the account is there: `/query` and
/// `/sc_verify` end well and say it in their lines. Commands run as the administrator of the image
/// (`USER ContainerAdministrator`).
#[must_use]
pub fn administrator_without_channel() -> Recording {
    let broken = "Status = 1786 0x6fa ERROR_NO_TRUST_LSA_SECRET\r\n";
    without_channel(broken).instead(
        USER,
        Reply::ends(0, "\"user manager\\containeradministrator\",\"S-1-5-93-2-1\"\r\n"),
    )
}

/// The same with the number for "no logon server", which a ticket contradicts.
#[must_use]
pub fn no_logon_server_with_ticket() -> Recording {
    without_channel(NO_LOGON)
}

fn without_channel(status: &str) -> Recording {
    healthy()
        .instead(QUERY, Reply::ends(0, &format!("Flags: 0\r\nConnection {status}{DONE}")))
        .says(QUERY, query_works())
        .instead(
            VERIFY,
            Reply::ends(
                0,
                &format!(
                    "Flags: 80\r\nTrusted DC Name \r\nTrusted DC Connection Status {status}\
                     Trust Verification {status}{DONE}"
                ),
            ),
        )
        .says(VERIFY, verified())
        .says(RESET, verified())
}

/// Everything works, for the user of the image's own.
#[must_use]
pub fn healthy_administrator() -> Recording {
    healthy().instead(
        USER,
        Reply::ends(0, "\"user manager\\containeradministrator\",\"S-1-5-93-2-1\"\r\n"),
    )
}

/// An image without nltest and klist; for klist it answers as Docker does.
#[must_use]
pub fn no_nltest() -> Recording {
    let docker = "container 40c1d24be018 encountered an error during hcsshim::System::CreateProcess: \
                  failure in a Windows system call: The system cannot find the file specified. \
                  (0x2)\r\n";
    healthy()
        .instead(PARENT, Reply::absent())
        .instead(QUERY, Reply::absent())
        .instead(VERIFY, Reply::absent())
        .instead(TICKET, Reply::ends(126, docker))
}

/// The runtime fails once to start a program that is there.
#[must_use]
pub fn runtime_fails() -> Recording {
    let failed = "failed to exec in container: hcsshim::System::CreateProcess: failure in a Windows \
                  system call: The remote procedure call failed. (0x6be)";
    healthy().instead(TICKET, Reply::NotStarted(failed.to_owned()))
}

/// `nltest /sc_verify` never ends.
#[must_use]
pub fn hanging() -> Recording {
    healthy().instead(VERIFY, Reply::Hangs)
}

/// The container ends while a command writes.
#[must_use]
pub fn gone() -> Recording {
    healthy().instead(QUERY, Reply::Breaks(b"Flags: 0\r\nConnec".to_vec()))
}

/// A broken secure channel on a German Windows, in the code page of its console.
#[must_use]
pub fn german() -> Recording {
    let text =
        |code, bytes: &[u8]| Reply::Ends { code, stdout: bytes.to_vec(), stderr: Vec::new() };
    healthy()
        .instead(PARENT, text(0, b"contoso.com. (1)\r\nDer Befehl wurde erfolgreich ausgef\x81hrt.\r\n"))
        .instead(
            ADDRESS,
            text(
                0,
                b"Server:  kube-dns\r\nAddress:  10.96.0.10\r\n\r\nNicht autorisierende Antwort:\r\n\
                  Name:    contoso.com\r\nAddress:  10.0.0.4\r\n",
            ),
        )
        .instead(
            QUERY,
            text(1, b"Fehler bei I_NetLogonControl: Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE\r\n"),
        )
        .instead(
            VERIFY,
            text(
                1,
                b"Vertrauensw\x81rdiger Dom\x84nencontroller: Status = 1789 0x6fd \
                  ERROR_TRUSTED_RELATIONSHIP_FAILURE\r\n",
            ),
        )
        .instead(USER, text(0, b"\"nt-autorit\x84t\\system\",\"S-1-5-18\"\r\n"))
}
