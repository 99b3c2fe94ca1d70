use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn sid(text: &str) -> Sid {
    text.parse().unwrap()
}

/// What Active Directory's own tools write for one principal.
fn known() -> Vec<u8> {
    let mut bytes = vec![1, 0, 0x04, 0x80, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 36, 0, 0, 0];
    bytes.extend([1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]);
    bytes.extend([4, 0, 44, 0, 1, 0, 0, 0]);
    bytes.extend([0, 0, 36, 0, 0xff, 1, 15, 0]);
    bytes.extend(sid("S-1-5-21-1111111111-2222222222-3333333333-1103").to_bytes());
    bytes
}

#[test]
fn a_known_one() {
    let host = sid("S-1-5-21-1111111111-2222222222-3333333333-1103");
    let descriptor = SecurityDescriptor::allowing(std::slice::from_ref(&host));
    assert_eq!(descriptor.to_bytes(), known());
    assert_eq!(SecurityDescriptor::from_bytes(&known()).unwrap(), descriptor);
    assert_eq!(
        descriptor.to_string(),
        "O:S-1-5-32-544D:(A;;0xf01ff;;;S-1-5-21-1111111111-2222222222-3333333333-1103)"
    );
    assert_eq!(descriptor.allowed().collect::<Vec<_>>(), [&host]);
}

#[test]
fn what_is_none() {
    let known = known();
    for length in 0..known.len() {
        let error = SecurityDescriptor::from_bytes(&known[..length]).unwrap_err();
        assert!(error.to_string().contains(&format!("{length} bytes")), "{error}");
    }
    for (at, value) in [(0, 2), (3, 0), (4, 19), (16, 0xff), (20, 2), (38, 7), (40, 2), (46, 3)] {
        let mut bytes = known.clone();
        bytes[at] = value;
        assert!(SecurityDescriptor::from_bytes(&bytes).is_err(), "{at}");
    }
}

#[test]
fn changes_leave_the_other_entries_alone() {
    let one = sid("S-1-5-21-1-2-3-1001");
    let two = sid("S-1-5-21-1-2-3-1002");
    let mut descriptor = SecurityDescriptor::allowing(std::slice::from_ref(&one));
    let object = vec![5, 0, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let deny = Ace::Basic { deny: true, flags: 0x12, mask: 1, sid: two.clone() };
    let entries = &mut descriptor.dacl.as_mut().unwrap().entries;
    entries.push(Ace::Other(object.clone()));
    entries.push(deny.clone());
    let before = descriptor.clone();

    assert!(!descriptor.allow(&one));
    assert!(descriptor.allow(&two));
    assert!(!descriptor.allow(&two));
    let read = SecurityDescriptor::from_bytes(&descriptor.to_bytes()).unwrap();
    assert_eq!(read, descriptor);
    assert_eq!(read.dacl.as_ref().unwrap().entries[1], Ace::Other(object));
    assert_eq!(
        read.to_string(),
        "O:S-1-5-32-544D:(A;;0xf01ff;;;S-1-5-21-1-2-3-1001)(type 0x05, 12 bytes)\
         (D;CIID;0x1;;;S-1-5-21-1-2-3-1002)(A;;0xf01ff;;;S-1-5-21-1-2-3-1002)"
    );
    assert!(descriptor.disallow(&two));
    assert!(!descriptor.disallow(&two));
    assert_eq!(descriptor, before);
}

#[test]
fn the_limits_of_the_format() {
    let numbered = |number: u32| sid(&format!("S-1-5-21-1-2-3-{number}"));
    let mut descriptor = SecurityDescriptor::allowing(&[]);
    for number in 0..1820 {
        descriptor.allow(&numbered(number));
    }
    assert!(descriptor.fits());
    assert_eq!(SecurityDescriptor::from_bytes(&descriptor.to_bytes()).unwrap(), descriptor);
    descriptor.allow(&numbered(1820));
    assert!(!descriptor.fits());
    // Everyone has every right already.
    descriptor.dacl = None;
    assert!(!descriptor.allow(&numbered(1)));
    assert_eq!(descriptor.dacl, None);
}

#[test]
fn the_first_entry_that_fits_decides() {
    let host = sid("S-1-5-21-1-2-3-1001");
    let group = sid("S-1-5-21-1-2-3-1002");
    let alone = Token::new([host.clone()], true);
    let both = Token::new([host.clone(), group.clone()], true);
    let blind = Token::new([host.clone()], false);
    let mut descriptor = SecurityDescriptor::allowing(std::slice::from_ref(&group));
    assert_eq!(descriptor.access(&both), Access::Granted(Some(&group)));
    assert_eq!(descriptor.access(&alone), Access::NotListed);
    assert_eq!(descriptor.access(&blind), Access::Unknown(&group));
    // Behind one that denies.
    let deny = Ace::Basic { deny: true, flags: 0, mask: READ_PROPERTY, sid: host.clone() };
    descriptor.dacl.as_mut().unwrap().entries.insert(0, deny.clone());
    assert_eq!(descriptor.access(&both), Access::Denied(&host));
    assert_eq!(descriptor.access(&blind), Access::Denied(&host));
    // A group that may be the principal's denies before its own entry allows.
    let deny_group = Ace::Basic { deny: true, flags: 0, mask: READ_PROPERTY, sid: group.clone() };
    let allow = Ace::Basic { deny: false, flags: 0, mask: READ_PROPERTY, sid: host.clone() };
    let entries = &mut descriptor.dacl.as_mut().unwrap().entries;
    *entries = vec![deny_group, allow.clone()];
    assert_eq!(descriptor.access(&blind), Access::Unknown(&group));
    assert_eq!(descriptor.access(&alone), Access::Granted(Some(&host)));
    // What counts for nothing: other rights, for children, generic rights, for an attribute.
    let of = |flags, mask| Ace::Basic { deny: false, flags, mask, sid: host.clone() };
    let object = [&[5, 0, 40, 0, 0xff, 1, 15, 0, 0, 0, 0, 0][..], &host.to_bytes()].concat();
    descriptor.dacl.as_mut().unwrap().entries =
        vec![of(0, 1), of(8, FULL_CONTROL), of(0, 0x1000_0000), Ace::read(&object)];
    assert_eq!(descriptor.access(&alone), Access::NotListed);
    assert_eq!(descriptor.allowed().count(), 0);
    // A condition is not looked into.
    let condition = [&[9, 0, 36, 0, 0x10, 0, 0, 0][..], &host.to_bytes(), b"artx"].concat();
    descriptor.dacl.as_mut().unwrap().entries = vec![Ace::read(&condition)];
    assert_eq!(descriptor.access(&alone), Access::Unknown(&host));
    assert_eq!(descriptor.to_bytes()[44..], condition);
    // No list, with and without the bit for its presence.
    descriptor.dacl = None;
    assert_eq!(descriptor.access(&alone), Access::Granted(None));
    let mut bare = SecurityDescriptor { control: SELF_RELATIVE, ..descriptor };
    assert_eq!(bare.access(&alone), Access::NoList);
    assert!(bare.allow(&host));
    assert_eq!(bare.access(&alone), Access::Granted(Some(&host)));
}

#[test]
fn who_may_read_an_attribute() {
    let user = sid("S-1-5-21-1-2-3-1001");
    let attribute: Uuid = "888eedd6-ce04-df40-b462-b8a50e41ba38".parse().unwrap();
    let other: Uuid = "b7c69e6d-2cc7-11d2-854e-00a0c983f608".parse().unwrap();
    let object = |kind: u8, guid: &Uuid| {
        let head = [kind, 0, 56, 0, 0x10, 0, 0, 0, 1, 0, 0, 0];
        Ace::read(&[&head[..], &guid.to_bytes_le(), &user.to_bytes()].concat())
    };
    let all = Ace::Basic { deny: false, flags: 0, mask: FULL_CONTROL, sid: user.clone() };
    for (entries, may) in [
        (vec![all.clone()], true),
        (vec![], false),
        (vec![object(6, &attribute), all.clone()], false),
        (vec![object(6, &other), all.clone()], true),
        (vec![object(5, &attribute)], true),
        (vec![object(5, &other)], false),
        (vec![all, object(6, &attribute)], true),
    ] {
        let mut descriptor = SecurityDescriptor::allowing(&[]);
        descriptor.dacl.as_mut().unwrap().entries = entries;
        let sids = [user.clone()].into();
        assert_eq!(descriptor.lets_read_property(&sids, &[attribute]), may, "{descriptor}");
    }
}

fn any_sid() -> impl Strategy<Value = Sid> {
    proptest::collection::vec(any::<u8>(), 4..=60).prop_map(|mut bytes| {
        bytes.truncate(bytes.len() / 4 * 4);
        let count = u8::try_from(bytes.len() / 4).unwrap();
        let header = [1, count, 0, 0, 0, 0, 0, 5];
        Sid::from_bytes(&[&header[..], &bytes].concat()).unwrap()
    })
}

fn any_ace() -> impl Strategy<Value = Ace> {
    let basic = (any::<bool>(), any::<u8>(), any::<u32>(), any_sid())
        .prop_map(|(deny, flags, mask, sid)| Ace::Basic { deny, flags, mask, sid });
    let other = (2_u8.., any::<u8>(), proptest::collection::vec(any::<u8>(), 0..20)).prop_map(
        |(kind, flags, body)| {
            let size = u8::try_from(body.len() + 4).unwrap();
            Ace::Other([&[kind, flags, size, 0][..], &body].concat())
        },
    );
    prop_oneof![basic, other]
}

fn any_acl() -> impl Strategy<Value = Option<Acl>> {
    proptest::option::of(
        (any::<u8>(), proptest::collection::vec(any_ace(), 0..6))
            .prop_map(|(revision, entries)| Acl { revision, entries }),
    )
}

proptest! {
    #[test]
    fn bytes_come_back(
        resource_manager: u8,
        owner in proptest::option::of(any_sid()),
        group in proptest::option::of(any_sid()),
        sacl in any_acl(),
        dacl in any_acl(),
    ) {
        let mut control = SELF_RELATIVE | 0x1400;
        control |= sacl.as_ref().map_or(0, |_| SACL_PRESENT);
        control |= dacl.as_ref().map_or(0, |_| DACL_PRESENT);
        let descriptor = SecurityDescriptor { resource_manager, control, owner, group, sacl, dacl };
        let bytes = descriptor.to_bytes();
        prop_assert_eq!(&SecurityDescriptor::from_bytes(&bytes).unwrap(), &descriptor);
        // Each entry in its parentheses, and nothing is left out of the text.
        let text = descriptor.to_string();
        let lists = [&descriptor.sacl, &descriptor.dacl];
        let count: usize = lists.into_iter().flatten().map(|list| list.entries.len()).sum();
        prop_assert_eq!((text.matches('(').count(), text.matches(')').count()), (count, count));
    }

    #[test]
    fn allowed_principals_can_be_removed_and_all_else_stays(
        mut dacl in any_acl(),
        principal in any_sid(),
    ) {
        if let Some(dacl) = &mut dacl {
            dacl.entries.retain(
                |entry| !matches!(entry, Ace::Basic { deny: false, sid, .. } if *sid == principal),
            );
        }
        let before = SecurityDescriptor { dacl, ..SecurityDescriptor::allowing(&[]) };
        let mut descriptor = before.clone();
        let changed = descriptor.allow(&principal);
        prop_assert_eq!(changed, before.dacl.is_some());
        prop_assert!(!descriptor.allow(&principal));
        prop_assert_eq!(descriptor.disallow(&principal), changed);
        prop_assert_eq!(descriptor, before);
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = SecurityDescriptor::from_bytes(&bytes);
    }

    #[test]
    fn nearly_right_bytes(at in 0_usize..80, value: u8, length in 0_usize..=80) {
        let mut bytes = known();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        bytes.truncate(length);
        if let Ok(descriptor) = SecurityDescriptor::from_bytes(&bytes) {
            let again = SecurityDescriptor::from_bytes(&descriptor.to_bytes()).unwrap();
            prop_assert_eq!(again, descriptor);
        }
    }
}
