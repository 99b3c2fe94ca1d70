use proptest::prelude::*;

use super::*;

#[test]
fn failures_are_read_by_their_numbers() {
    for (output, expected) in [
        (
            "Aktuelle Anmelde-ID ist 0:0x3e7\r\nFehler beim Aufruf der API (GetTicket): 1311\r\n\
             klist ist fehlgeschlagen mit 0xc000005e/-1073741730: ...\r\n",
            &[1311, 0xc000_005e][..],
        ),
        ("klist failed with 0x51f/1311: There are no logon servers.", &[1311]),
        ("klist failed with 0x51f/1312: no", &[]),
        ("Current LogonId is 0:0x3e7\r\nTicket Flags 0x60a10000 -> x\r\nKdc Called: dc1\r\n", &[]),
        ("Session Key Length: 256\r\nCache Flags: 0\r\n", &[]),
        ("", &[]),
    ] {
        assert_eq!(failures(output), expected, "{output}");
    }
}

#[test]
fn the_client_and_the_ticket_are_found() {
    let output = "Current LogonId is 0:0x3e7\r\n\r\nCached Tickets: (1)\r\n\r\n#0>     Client: \
                  WebApp1$ @ CONTOSO.COM\r\n        Server: krbtgt/CONTOSO.COM @ CONTOSO.COM\r\n";
    assert_eq!(client(output), Some(("WebApp1$", "CONTOSO.COM")));
    assert!(has_ticket_granting_ticket(output));
    assert_eq!(client("Cached Tickets: (0)"), None);
    assert!(!has_ticket_granting_ticket("krbtgt/X"));
}

/// The layout of Microsoft's documentation ("Run a container with a gMSA"), English and German.
#[test]
fn the_encryption_of_each_ticket_is_read() {
    use Encryption::{Aes256, Des, Rc4};

    let output = "Current LogonId is 0:0x3e7\r\n\r\nCached Tickets: (3)\r\n\r\n\
        #0>     Client: WebApp1$ @ CONTOSO.COM\r\n        Server: krbtgt/CONTOSO.COM @ CONTOSO.COM\r\n\
        \x20       KerbTicket Encryption Type: AES-256-CTS-HMAC-SHA1-96\r\n\
        \x20       Ticket Flags 0x40a10000 -> forwardable renewable pre_authent name_canonicalize\r\n\
        \x20       Session Key Type: AES-256-CTS-HMAC-SHA1-96\r\n        Cache Flags: 0x1 -> PRIMARY\r\n\
        \x20       Kdc Called: dc01.contoso.com\r\n\r\n\
        #1>     Client: WebApp1$ @ CONTOSO.COM\r\n        Server: HTTP/RC4-HMAC.contoso.com @ CONTOSO.COM\r\n\
        \x20       KerbTicket (Verschl\u{fc}sselungstyp): RSADSI RC4-HMAC(NT)\r\n\
        \x20       Sitzungsschl\u{fc}sseltyp: AES-256-CTS-HMAC-SHA1-96\r\n\r\n\
        #2>     Client: x @ A\r\n        Server: y @ A\r\n\
        \x20       KerbTicket Encryption Type: Kerberos DES-CBC-MD5\r\n";
    let read: Vec<_> =
        tickets(output).iter().map(|one| (one.server, one.ticket, one.session_key)).collect();
    assert_eq!(
        read,
        [
            ("krbtgt/CONTOSO.COM", Some(Aes256), Some(Aes256)),
            ("HTTP/RC4-HMAC.contoso.com", Some(Rc4), Some(Aes256)),
            ("y", Some(Des), None),
        ]
    );
    assert!(Rc4.is_weak() && Des.is_weak() && !Aes256.is_weak());
    assert_eq!(tickets("Cached Tickets: (0)"), []);
}

#[test]
fn flags_and_lengths_at_the_end_of_a_line_are_no_failures() {
    for line in ["Cache Flags: 5", "Cache Flags: 0x8", "Key Length: 126", "Typ: 1060"] {
        assert_eq!(failures(line), [0_u32; 0], "{line}");
    }
    assert_eq!(failures("Fehler (GetTicket): 0xc000018b"), [0xC000_018B]);
}

proptest! {
    #[test]
    fn no_text_panics(text: String) {
        let _ = (failures(&text), client(&text), has_ticket_granting_ticket(&text), tickets(&text));
    }
}
