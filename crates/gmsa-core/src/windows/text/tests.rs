use proptest::prelude::*;

use super::*;

#[test]
fn the_tables_are_whole() {
    assert_eq!((CP850.chars().count(), CP1252.chars().count()), (128, 32));
}

#[test]
fn one_text_in_each_encoding() {
    let text = "Übergeordnete Domäne: größer\r\n";
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
    for bytes in [
        text.as_bytes().to_vec(),
        ["\u{feff}".as_bytes(), text.as_bytes()].concat(),
        little.clone(),
        [&[0xff, 0xfe][..], &little].concat(),
        [&[0xfe, 0xff][..], &big].concat(),
        b"\x9abergeordnete Dom\x84ne: gr\x94\xe1er\r\n".to_vec(),
        b"\xdcbergeordnete Dom\xe4ne: gr\xf6\xdfer\r\n".to_vec(),
    ] {
        assert_eq!(decode(&bytes), text, "{bytes:x?}");
    }
    assert_eq!(decode(b""), "");
}

#[test]
fn codes_in_events_are_found() {
    for (text, expected) in [
        ("hcsshim::CreateComputeSystem: winapi error 3489792023 (0xd0020017)", &[0xD002_0017][..]),
        ("failed: -805175273", &[0xD002_0017]),
        ("failure in a Windows system call: (0x5); then 1311.", &[5, 1311]),
        ("hcs::CreateComputeSystem 0123: winapi error #3489661095.", &[0xD000_00A7]),
        ("The user name or password is incorrect. (0x52e)", &[1326]),
        ("failure in a Windows system call: (0x9999)", &[0x9999]),
        ("hcsshim: 0xc0370106", &[0xC037_0106]),
        ("winapi error 77", &[77]),
        ("0x8000401A", &[0x8000_401A]),
        ("port 1234, exit code 5, 0x0, 1722x", &[]),
        ("Back-off pulling image \"mcr/x:1909\" on 10.0.17763.1326, windows-1326-abc", &[]),
        (
            "dial tcp 10.0.0.4:1722: i/o; Windows version 1909; goroutine 0x1722aa; 2024-01-1311",
            &[],
        ),
        ("object 0xc000123456 at 0x1234", &[]),
        ("", &[]),
    ] {
        let found: Vec<u32> = mentioned(text).iter().map(|code| code.0).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_program_is_missing_only_by_the_number_of_that_or_by_none() {
    for (words, expected) in [
        ("failure in a Windows system call: Die Datei wurde nicht gefunden. (0x2)", true),
        ("hcs::System::CreateProcess: The system cannot find the file specified.: unknown", true),
        ("Begin Operation: 0x80070002", true),
        ("hcsshim::System::CreateProcess: The remote procedure call failed. (0x6be)", false),
        ("container 0xzz", true),
        ("", true),
    ] {
        assert_eq!(may_be_missing(words), expected, "{words}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let text = decode(&bytes);
        let _ = (mentioned(&text), may_be_missing(&text));
    }
}
