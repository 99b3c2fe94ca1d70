use proptest::prelude::*;

use super::*;

#[test]
fn addresses_behind_the_servers_own_are_the_answer() {
    for (output, server, answer) in [
        (
            "Server:  kube-dns.kube-system.svc.cluster.local\r\nAddress:  10.96.0.10\r\n\r\n\
             Name:    contoso.com\r\nAddresses:  10.0.0.4\r\n          10.0.0.5\r\n",
            Some("10.96.0.10"),
            &["10.0.0.4", "10.0.0.5"][..],
        ),
        (
            "Server:  UnKnown\r\nAddress:  fe80::1%4\r\n\r\nName: contoso.com\r\nAddress: 2001:db8::4\r\n",
            Some("fe80::1"),
            &["2001:db8::4"],
        ),
        (
            "Server:  UnKnown\r\nAddress:  10.96.0.10\r\n\r\n*** contoso.com wurde von UnKnown nicht \
             gefunden: Non-existent domain.\r\n",
            Some("10.96.0.10"),
            &[],
        ),
        ("DNS request timed out.\r\n    timeout was 2 seconds.\r\n", None, &[]),
        ("", None, &[]),
    ] {
        let (found, addresses) = addresses(output);
        let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
        assert_eq!(
            (found.map(|one| one.to_string()).as_deref(), &shown[..]),
            (server, &answer.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>()[..]),
            "{output}"
        );
    }
}

#[test]
fn services_are_read_in_any_language() {
    for words in [
        ["priority", "weight", "port", "svr hostname"],
        ["Priorität", "Gewichtung", "Port", "Server"],
    ] {
        let [priority, weight, port, host] = words;
        let one = |number: u8| {
            format!(
                "_ldap._tcp.dc._msdcs.contoso.com  SRV:\r\n  {priority} = 0\r\n  {weight} = 100\r\n  \
                 {port} = 389\r\n  {host} = dc{number}.contoso.com\r\n"
            )
        };
        let text = format!("{}{}dc1.contoso.com internet address = 10.0.0.4\r\n", one(1), one(2));
        let found = services(&text);
        let shown: Vec<_> = found.iter().map(|one| (one.port, one.host.as_str())).collect();
        assert_eq!(shown, [(389, "dc1.contoso.com"), (389, "dc2.contoso.com")]);
    }
    assert_eq!(services("a = 1\r\nb = 2\r\nc = 3\r\nd = 10.0.0.4"), []);
}

proptest! {
    #[test]
    fn no_text_panics(text: String) {
        let _ = (addresses(&text), services(&text));
    }
}
