use proptest::prelude::*;

use super::*;

#[test]
fn statuses_are_read_in_any_language_and_encoding() {
    for (output, expected) in [
        (&b"Getting parent domain failed: Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE\r\n"[..], &[1722][..]),
        (b"Die \xfcbergeordnete Dom\x84ne: Status = 1722 0x6ba RPC_S_SERVER_UNAVAILABLE\r\n", &[1722]),
        (
            b"Flags: b0 HAS_IP  HAS_TIMESERV\r\nTrusted DC Name \\\\dc10.domain.example\r\nTrusted DC Connection Status Status = 0 0x0 NERR_Success\r\nTrust Verification Status = 5 0x5 ERROR_ACCESS_DENIED\r\n",
            &[0, 5],
        ),
        (b"domain.example. (1)\r\n", &[]),
        (b"Status = 1722 0x6bb\r\n", &[]),
        (b"", &[]),
    ] {
        assert_eq!(statuses(output), expected);
    }
}

#[test]
fn utf_16_is_read_and_the_controller_is_found() {
    let text = "Trusted DC Name \\\\dc10.domain.example \r\nStatus = 5 0x5 ERROR_ACCESS_DENIED\r\n";
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(statuses(&bytes), [5]);
    assert_eq!(domain_controller(text), Some("dc10.domain.example"));
    assert_eq!(domain_controller("Flags: 0"), None);
}

proptest! {
    #[test]
    fn no_bytes_panic(output: Vec<u8>) {
        let _ = statuses(&output);
    }
}
