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

proptest! {
    #[test]
    fn no_text_panics(text: String) {
        let _ = (failures(&text), client(&text), has_ticket_granting_ticket(&text));
    }
}
