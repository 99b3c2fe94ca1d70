use proptest::prelude::*;

use super::*;

/// The examples of MS-DTYP and of the well-known SIDs.
const KNOWN: [(&str, &[u8]); 4] = [
    ("S-1-1-0", &[1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
    ("S-1-5-32-544", &[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]),
    (
        "S-1-5-21-1111111111-2222222222-3333333333-1103",
        &[
            1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 0xc7, 0x35, 0x3a, 0x42, 0x8e, 0x6b, 0x74, 0x84,
            0x55, 0xa1, 0xae, 0xc6, 0x4f, 4, 0, 0,
        ],
    ),
    ("S-1-0x112233445566-1", &[1, 1, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 1, 0, 0, 0]),
];

#[test]
fn known_ones() {
    for (text, bytes) in KNOWN {
        let sid: Sid = text.parse().unwrap();
        assert_eq!(sid.to_bytes(), bytes, "{text}");
        assert_eq!(Sid::from_bytes(bytes), Ok(sid.clone()));
        assert_eq!(sid.to_string(), text);
    }
    assert_eq!(Sid::administrators().to_string(), "S-1-5-32-544");
}

#[test]
fn what_is_none() {
    for text in [
        "",
        "S",
        "S-1",
        "S-1-5",
        "S-2-5-1",
        "X-1-5-1",
        "S-1-5-",
        "S-1-5-21-",
        "S-1-5--1",
        "S-1-5-+1",
        "S-1-5-4294967296",
        "S-1-4294967296-1",
        "S-1-0x1-1",
        "S-1-5-1 ",
        "S-1-5-ä",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
    ] {
        assert!(text.parse::<Sid>().is_err(), "{text}");
    }
    for bytes in [
        &[][..],
        &[1, 0, 0, 0, 0, 0, 0, 5],
        &[2, 1, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0],
        &[1, 1, 0, 0, 0, 0, 0, 5, 0, 0, 0],
        &[1, 1, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0],
        &[1, 16, 0, 0, 0, 0, 0, 5],
    ] {
        assert_eq!(Sid::from_bytes(bytes), Err(Error::Binary(bytes.len())));
    }
}

#[test]
fn the_domain_of_an_account() {
    let sid: Sid = "S-1-5-21-1-2-3-1103".parse().unwrap();
    assert_eq!(sid.domain().unwrap().to_string(), "S-1-5-21-1-2-3");
    assert_eq!(sid.relative_id(), 1103);
    assert_eq!("S-1-1-0".parse::<Sid>().unwrap().domain(), None);
}

proptest! {
    #[test]
    fn text_and_bytes_come_back(
        authority in 0_u64..1 << 48,
        sub_authorities in proptest::collection::vec(any::<u32>(), 1..=15),
    ) {
        let sid = Sid { authority, sub_authorities };
        prop_assert_eq!(&sid.to_string().parse::<Sid>().unwrap(), &sid);
        prop_assert_eq!(&Sid::from_bytes(&sid.to_bytes()).unwrap(), &sid);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(sid) = Sid::from_bytes(&bytes) {
            prop_assert_eq!(sid.to_bytes(), bytes);
        }
    }

    #[test]
    fn any_text(text in "S-1-[-0-9xA]{0,40}|.{0,40}") {
        if let Ok(sid) = text.parse::<Sid>() {
            prop_assert_eq!(&sid.to_string().parse::<Sid>().unwrap(), &sid);
        }
    }
}
