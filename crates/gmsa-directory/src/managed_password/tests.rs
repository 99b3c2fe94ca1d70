use proptest::prelude::*;

use super::*;

/// A blob with the current password alone, which ends at 20 and is filled up to 24.
fn known() -> Vec<u8> {
    let mut bytes = vec![1, 0, 0, 0, 40, 0, 0, 0, 16, 0, 0, 0, 24, 0, 32, 0];
    bytes.extend([b's', 0, b'e', 0, 0, 0, 0, 0]);
    bytes.extend(864_000_000_000_u64.to_le_bytes());
    bytes.extend(3_000_000_001_u64.to_le_bytes());
    bytes
}

#[test]
fn a_known_one() {
    let password = ManagedPassword::from_bytes(&known()).unwrap();
    assert_eq!(password.current.expose_secret(), b"s\0e\0");
    assert!(password.previous.is_none());
    assert_eq!(password.query_interval, Duration::from_hours(24));
    assert_eq!(password.unchanged_interval, Duration::new(300, 100));
    assert_eq!(*password.to_bytes(), known());
}

#[test]
fn what_is_none() {
    let known = known();
    for length in 0..known.len() {
        assert!(ManagedPassword::from_bytes(&known[..length]).is_err(), "{length}");
    }
    // Version, length, offsets that lie outside or in the header, no end of the password.
    for (at, value) in [(0, 2), (4, 41), (8, 15), (8, 44), (10, 60), (12, 40), (14, 8), (12, 20)] {
        let mut bytes = known.clone();
        bytes[at] = value;
        assert!(ManagedPassword::from_bytes(&bytes).is_err(), "{at}");
    }
}

#[test]
fn it_is_never_shown() {
    let password = ManagedPassword::from_bytes(&known()).unwrap();
    let shown = format!("{password:?}");
    assert!(shown.contains("REDACTED"), "{shown}");
    assert!(!shown.contains("115") && !shown.contains("se"), "{shown}");
}

fn any_password() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(1_u16.., 0..130)
        .prop_map(|characters| characters.iter().flat_map(|c| c.to_le_bytes()).collect())
}

proptest! {
    #[test]
    fn bytes_come_back(
        current in any_password(),
        previous in proptest::option::of(any_password()),
        query: u64,
        unchanged: u64,
    ) {
        let interval = |ticks: u64| Duration::from_nanos(ticks / 1_000) * 100 * 1_000 / 1_000;
        let (query, unchanged) = (query % (1 << 53), unchanged % (1 << 53));
        let password = ManagedPassword {
            current: SecretSlice::from(current),
            previous: previous.map(SecretSlice::from),
            query_interval: interval(query),
            unchanged_interval: interval(unchanged),
        };
        let bytes = password.to_bytes();
        let again = ManagedPassword::from_bytes(&bytes).unwrap();
        prop_assert_eq!(again.current.expose_secret(), password.current.expose_secret());
        prop_assert_eq!(again.previous.is_some(), password.previous.is_some());
        prop_assert_eq!(again.query_interval, password.query_interval);
        prop_assert_eq!(again.unchanged_interval, password.unchanged_interval);
        prop_assert_eq!(again.to_bytes(), bytes);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = ManagedPassword::from_bytes(&bytes);
    }

    #[test]
    fn nearly_right_bytes(at in 0_usize..40, value: u8) {
        let mut bytes = known();
        bytes[at] = value;
        if let Ok(password) = ManagedPassword::from_bytes(&bytes) {
            prop_assert!(ManagedPassword::from_bytes(&password.to_bytes()).is_ok());
        }
    }
}
