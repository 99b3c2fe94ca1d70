use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Content, Ephemeral, LoadError, Reload};

/// Files with a number, of which only even ones are valid.
#[derive(Clone, Default)]
struct Numbers {
    file: Arc<Mutex<Option<u8>>>,
    adopted: Arc<Mutex<Vec<u8>>>,
    changes: Arc<Mutex<Vec<bool>>>,
}

fn bad() -> LoadError {
    LoadError::Key { path: PathBuf::from("key") }
}

impl Content for Numbers {
    type Bytes = u8;

    fn read(&self) -> Result<u8, LoadError> {
        self.file.lock().ok_or_else(bad)
    }

    fn adopt(&self, number: &u8) -> Result<(), LoadError> {
        if number % 2 == 1 {
            return Err(bad());
        }
        self.adopted.lock().push(*number);
        Ok(())
    }

    fn changed(&self, good: bool) {
        self.changes.lock().push(good);
    }
}

#[test]
fn valid_content_is_used_once_and_invalid_never() {
    let numbers = Numbers::default();
    let reload = Reload::start(numbers.clone());
    assert!(reload.ready().unwrap_err().contains("key"));
    for number in [2, 2, 4, 5, 5, 5, 4, 6] {
        *numbers.file.lock() = Some(number);
        reload.check();
        assert_eq!(reload.ready(), Ok(()));
    }
    assert_eq!(*numbers.adopted.lock(), [2, 4, 4, 6]);
    // Missing at the start, 4 after 2, 5 reported at its second check, 4 again, 6.
    assert_eq!(*numbers.changes.lock(), [false, true, false, true, true]);
}

#[test]
fn a_pair_that_is_half_written_for_a_moment_is_not_reported() {
    let numbers = Numbers::default();
    *numbers.file.lock() = Some(2);
    let reload = Reload::start(numbers.clone());
    for number in [3, 4] {
        *numbers.file.lock() = Some(number);
        reload.check();
    }
    assert_eq!(*numbers.changes.lock(), [true]);
}

#[test]
fn an_ephemeral_certificate_is_of_its_own_ca() {
    let (one, other) = (Ephemeral::new().unwrap(), Ephemeral::new().unwrap());
    assert_ne!(one.ca_pem, other.ca_pem);
    assert!(one.ca_pem.starts_with("-----BEGIN CERTIFICATE-----"));
    let leaf = one.certificate.cert.first().unwrap();
    assert!(super::files::expiry(leaf).unwrap() > time::OffsetDateTime::now_utc());
}
