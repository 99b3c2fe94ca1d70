//! What a directory or a file gives as bytes: what is read is written as the same bytes or is read
//! again as the same value.
#![no_main]

use gmsa_directory::kerberos::keytab::Keytab;
use gmsa_directory::{ManagedPassword, SecurityDescriptor, Sid};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(sid) = Sid::from_bytes(bytes) {
        assert_eq!(sid.to_string().parse::<Sid>().ok(), Some(sid.clone()));
        assert_eq!(Sid::from_bytes(&sid.to_bytes()).ok(), Some(sid));
    }
    if let Ok(descriptor) = SecurityDescriptor::from_bytes(bytes) {
        let again = SecurityDescriptor::from_bytes(&descriptor.to_bytes());
        assert_eq!(again.ok().as_ref(), Some(&descriptor));
        let _ = descriptor.allowed().count();
    }
    let _ = ManagedPassword::from_bytes(bytes);
    if let Ok(keytab) = Keytab::from_bytes(bytes) {
        let _ = keytab.to_bytes();
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<Sid>();
    }
});
