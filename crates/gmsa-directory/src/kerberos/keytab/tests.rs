use proptest::prelude::*;

use super::*;

fn sample() -> Keytab {
    Keytab {
        entries: vec![Entry {
            realm: "C.COM".to_owned(),
            components: vec!["web$".to_owned()],
            name_type: 1,
            timestamp: 2,
            version: 0x103,
            encryption: 18,
            key: SecretSlice::from(vec![7, 8]),
        }],
    }
}

type Plain<'a> = (&'a str, &'a [String], u32, u32, u32, u16, &'a [u8]);

fn plain(keytab: &Keytab) -> Vec<Plain<'_>> {
    let entries = keytab.entries.iter();
    entries
        .map(|e| {
            let key = e.key.expose_secret();
            (&*e.realm, &*e.components, e.name_type, e.timestamp, e.version, e.encryption, key)
        })
        .collect()
}

#[test]
fn the_bytes_of_the_format() {
    let expected = [
        &[5, 2, 0, 0, 0, 34, 0, 1, 0, 5][..],
        b"C.COM",
        &[0, 4],
        b"web$",
        &[0, 0, 0, 1, 0, 0, 0, 2, 3, 0, 18, 0, 2, 7, 8, 0, 0, 1, 3],
    ]
    .concat();
    let keytab = sample();
    assert_eq!(*keytab.to_bytes().unwrap(), expected);
    let shown = format!("{keytab:?}");
    assert!(shown.contains("REDACTED") && !shown.contains("[7"), "{shown}");

    // Without the last number, with a hole before it, and with an end that is marked.
    let mut old = vec![5, 2, 0xff, 0xff, 0xff, 0xfe, 9, 9];
    old.extend(&expected[2..expected.len() - 4]);
    old[11] = 30;
    old.extend([0, 0, 0, 0, 1, 2, 3]);
    let read = Keytab::from_bytes(&old).unwrap();
    assert_eq!(read.entries.len(), 1);
    assert_eq!((read.entries[0].version, read.entries[0].components[0].as_str()), (3, "web$"));
}

#[test]
fn what_is_no_keytab() {
    let good = sample().to_bytes().unwrap();
    for end in 0..good.len() {
        if end != 2 {
            assert!(Keytab::from_bytes(&good[..end]).is_err(), "{end}");
        }
    }
    let error = Keytab::from_bytes(b"\x05\x01secret").unwrap_err().to_string();
    assert_eq!(error, "failed to read a keytab of 8 bytes: its version is not 0x0502");
    let mut long = sample();
    long.entries[0].realm = "x".repeat(70_000);
    assert!(long.to_bytes().is_err());
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        realm in ".{0,20}",
        components in proptest::collection::vec(".{0,20}", 0..4),
        numbers in any::<(u32, u32, u32, u16)>(),
        key in proptest::collection::vec(any::<u8>(), 0..40),
        copies in 0_usize..3,
    ) {
        let (name_type, timestamp, version, encryption) = numbers;
        let entry = || Entry {
            realm: realm.clone(),
            components: components.clone(),
            name_type,
            timestamp,
            version,
            encryption,
            key: SecretSlice::from(key.clone()),
        };
        let keytab = Keytab { entries: (0..copies).map(|_| entry()).collect() };
        let bytes = keytab.to_bytes().unwrap();
        prop_assert_eq!(bytes.capacity(), bytes.len());
        let read = Keytab::from_bytes(&bytes).unwrap();
        prop_assert_eq!(plain(&read), plain(&keytab));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Keytab::from_bytes(&bytes);
        let _ = Keytab::from_bytes(&[&VERSION[..], &bytes].concat());
    }
}
