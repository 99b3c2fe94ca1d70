use secrecy::ExposeSecret as _;

use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// RFC 3962, appendix B.
#[test]
fn keys_of_the_standard() {
    let salt = "ATHENA.MIT.EDUraeburn";
    for (encryption, iterations, expected) in [
        (Encryption::Aes128, 1, "42263c6e89f4fc28b8df68ee09799f15"),
        (Encryption::Aes256, 1, "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161"),
        (Encryption::Aes128, 1200, "4c01cd46d632d01e6dbe230a01ed642a"),
        (
            Encryption::Aes256,
            1200,
            "55a6ac740ad17b4846941051e1e8b0a7548d93b0ab30a8bc3ff16280382b8c2a",
        ),
    ] {
        let iterations = NonZeroU32::new(iterations).unwrap();
        let key = string_to_key(encryption, "password", salt, iterations).unwrap();
        assert_eq!(hex(key.expose_secret()), expected, "{encryption:?} {iterations}");
        assert!(!format!("{key:?}").contains("42"), "a key is never shown");
    }
}

#[test]
fn salts_and_passphrases() {
    assert_eq!(computer_salt("WebApp1$", "contoso.com"), "CONTOSO.COMhostwebapp1.contoso.com");
    let units: [u16; 6] = [0x61, 0xe9, 0xd83d, 0xde00, 0xd800, 0x62];
    let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    assert_eq!(*passphrase(&bytes), "aé😀\u{fffd}b");
    let lone: Vec<u8> = [0xdc00_u16; 128].iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let text = passphrase(&lone);
    assert_eq!(text.len(), 384);
    assert_eq!(text.capacity(), 384, "the buffer grew");
}
