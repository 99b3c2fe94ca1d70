use proptest::prelude::*;

use super::*;

#[test]
fn known_ones() {
    for (text, bytes) in [
        (
            "7b8b558a-93a5-4af7-adca-c017e67f1057",
            [
                0x8a, 0x55, 0x8b, 0x7b, 0xa5, 0x93, 0xf7, 0x4a, 0xad, 0xca, 0xc0, 0x17, 0xe6, 0x7f,
                0x10, 0x57,
            ],
        ),
        (
            "11111111-2222-3333-4444-555555555555",
            [
                0x11, 0x11, 0x11, 0x11, 0x22, 0x22, 0x33, 0x33, 0x44, 0x44, 0x55, 0x55, 0x55, 0x55,
                0x55, 0x55,
            ],
        ),
    ] {
        let guid: Guid = text.parse().unwrap();
        assert_eq!(guid.to_bytes(), bytes, "{text}");
        assert_eq!(Guid::from_bytes(&bytes), Ok(guid));
        assert_eq!(guid.to_string(), text);
        assert_eq!(text.to_uppercase().parse(), Ok(guid));
    }
}

#[test]
fn what_is_none() {
    let braced = "{7b8b558a-93a5-4af7-adca-c017e67f1057}";
    assert_eq!(braced.parse::<Guid>(), Err(Error::Text(braced.to_owned())));
    assert!("7b8b558a93a54af7adcac017e67f1057".parse::<Guid>().is_err());
    assert_eq!(Guid::from_bytes(&[0; 15]), Err(Error::Binary(15)));
}

proptest! {
    #[test]
    fn text_and_bytes_come_back(bytes: [u8; 16]) {
        let guid = Guid::from_bytes(&bytes).unwrap();
        prop_assert_eq!(guid.to_bytes(), bytes);
        prop_assert_eq!(guid.to_string().parse::<Guid>().unwrap(), guid);
    }

    #[test]
    fn any_text(text in "[-0-9a-fA-F]{30,40}|.{0,40}") {
        if let Ok(guid) = text.parse::<Guid>() {
            prop_assert!(guid.to_string().eq_ignore_ascii_case(&text));
        }
    }
}
