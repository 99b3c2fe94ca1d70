use proptest::prelude::*;

use super::*;

/// What users meet, by source; kept apart from the catalogue so that a lost entry is noticed.
const MET: &[(Source, &[u32])] = &[
    (
        Source::Api,
        &[
            0,
            5,
            1311,
            1355,
            1722,
            1786,
            1787,
            1326,
            1788,
            1789,
            1909,
            0xC000_000D,
            0xC000_0022,
            0xC000_006D,
            0xC000_018B,
            0xC000_02FD,
            0x8000_401A,
            0x8004_0154,
            0x8009_0342,
            0x8037_0106,
            0x8037_0109,
            0xC000_005E,
            0xC000_018A,
            0xC002_0017,
        ],
    ),
    (Source::Ccg, &[1, 2, 3, 4, 6, 7, 8]),
    (
        Source::Aks,
        &[
            1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013,
            1014, 1015, 1016, 1017, 1018,
        ],
    ),
    (Source::Rancher, &[101, 201, 301]),
    (Source::HyperVCompute, &[11507]),
    (Source::Netlogon, &[3210, 5719, 5720, 5783, 5805]),
    (Source::Kdc, &[201, 202, 203, 204, 205, 206, 207, 208, 209]),
];

#[test]
fn the_catalogue_has_what_users_meet_and_each_number_once_in_order() {
    for (source, numbers) in MET {
        for number in *numbers {
            assert!(find(*source, *number).is_some(), "{source:?} {number:#x}");
        }
    }
    let ours: Vec<_> = all().map(|entry| (entry.source, entry.number)).collect();
    assert!(ours.is_sorted_by(|one, next| one < next), "{ours:?}");
}

#[test]
fn each_form_of_a_number_is_parsed() {
    for (word, expected) in [
        ("1326", "ERROR_LOGON_FAILURE"),
        ("0x52E", "ERROR_LOGON_FAILURE"),
        ("0x8007052E", "ERROR_LOGON_FAILURE"),
        ("2147943726", "ERROR_LOGON_FAILURE"),
        ("-2147023570", "ERROR_LOGON_FAILURE"),
        ("0xC000006D", "STATUS_LOGON_FAILURE"),
        ("0xD000006D", "STATUS_LOGON_FAILURE"),
        ("0xC007052E", "ERROR_LOGON_FAILURE"),
        ("0x80070005", "ERROR_ACCESS_DENIED"),
        ("2147942405", "ERROR_ACCESS_DENIED"),
        ("0x800706BA", "RPC_S_SERVER_UNAVAILABLE"),
        ("3489792023", "RPC_NT_SERVER_UNAVAILABLE"),
        ("3489660941", "STATUS_INVALID_PARAMETER"),
        ("0xC0370106", "HCS_E_UNEXPECTED_EXIT"),
        ("0xC0370109", "HCS_E_CONNECTION_TIMEOUT"),
    ] {
        let code = Code(number(word).unwrap());
        assert_eq!(code.entry().map(|entry| entry.name), Some(expected), "{word}");
    }
    for (number, anatomy) in [
        (
            3_489_661_095,
            "an HRESULT that carries the NTSTATUS 0xC00000A7: an error in the system in general (facility 0x0), code 0xA7",
        ),
        (
            0xC000_00A7,
            "the NTSTATUS 0xC00000A7: an error in the system in general (facility 0x0), code 0xA7",
        ),
        (0x8007_FFFF, "an HRESULT that carries the Win32 error 65535"),
        (0xC007_1234, "an NTSTATUS that carries the Win32 error 4660"),
        (
            0x8009_9999,
            "the HRESULT 0x80099999: a failure in security (SSPI) (facility 0x9), code 0x9999",
        ),
        (0x8ABC_0001, "the HRESULT 0x8ABC0001: a failure in facility 0x2BC, code 0x1"),
        (
            0xC037_9999,
            "the older form of the HRESULT 0x80379999: a failure in the Host Compute Service (facility 0x37), code 0x9999",
        ),
        (
            0x4000_0017,
            "the NTSTATUS 0x40000017: information of the system in general (facility 0x0), code 0x17",
        ),
        (
            0xE043_4352,
            "the NTSTATUS 0xE0434352, which an application defined and not Windows (0xE0434352 is an exception of .NET)",
        ),
        (77, "by its size a Win32 error 77"),
        (0x1234_5678, "it has the form of no error code of Windows"),
    ] {
        assert_eq!(Code(number).anatomy(), anatomy, "{number:#x}");
        assert!(Code(number).explained().contains("not in the catalogue"), "{number:#x}");
    }
    assert_eq!(Code(1722).shown(), "1722 (0x6ba)");
    assert_eq!(Code(0x8007_052E).shown(), "2147943726 (0x8007052e, Win32 error 1326)");
    assert_eq!(Code(0x8007_052E).named(), "0x8007052E ERROR_LOGON_FAILURE");
    assert_eq!(Code(0xD000_00A7).shown(), "3489661095 (0xd00000a7, NTSTATUS 0xC00000A7)");
    assert!(Code(5).explained().starts_with("5 (0x5) ERROR_ACCESS_DENIED: "));
}

proptest! {
    #[test]
    fn every_number_has_a_form(number: u32) {
        let code = Code(number);
        prop_assert!(!code.anatomy().is_empty() && !code.explained().is_empty());
        prop_assert_eq!(code.innermost().innermost(), code.innermost());
    }

    #[test]
    fn every_number_is_explained_however_it_is_spelled(number: u32) {
        // Eight digits are a code without its 0x.
        prop_assume!(!(80_000_000..=99_999_999).contains(&number));
        let decimal = meanings(&number.to_string());
        prop_assert!(!decimal.is_empty());
        prop_assert_eq!(&meanings(&format!("{number:#x}")), &decimal);
        prop_assert_eq!(&meanings(&format!("0X{number:08X}")), &decimal);
        if number >= 0x8000_0000 {
            prop_assert_eq!(&meanings(&number.cast_signed().to_string()), &decimal);
            prop_assert_eq!(&meanings(&format!("{number:08x}")), &decimal);
        }
    }

    #[test]
    fn no_word_panics(word: String) {
        let _ = meanings(&word);
    }
}

#[test]
fn numbers_are_read_in_each_spelling() {
    for (word, expected) in [
        ("1722", Some(1722)),
        ("0x6ba", Some(1722)),
        ("0X6BA", Some(1722)),
        ("0x51F", Some(1311)),
        ("0x54B", Some(1355)),
        ("0x6FA", Some(1786)),
        ("0x6FB", Some(1787)),
        ("3489792023", Some(0xD002_0017)),
        ("-805175273", Some(0xD002_0017)),
        ("0xc0000022", Some(0xC000_0022)),
        ("0x1c0000022", None),
        ("", None),
        ("0x", None),
        ("RPC_S_SERVER_UNAVAILABLE", None),
    ] {
        assert_eq!(number(word), expected, "{word}");
    }
}

#[test]
fn one_number_of_two_sources_is_two_things() {
    assert_eq!(find(Source::Ccg, 1).map(|entry| entry.name), Some("plug-in loaded"));
    assert_eq!(find(Source::Api, 1), None);
    assert_eq!(find(Source::Kdc, 201).map(|entry| entry.name), Some("RC4 will be blocked: client"));
}

#[test]
fn a_word_is_a_number_of_any_source_or_of_one_or_a_symbol() {
    let shown = |word: &str| -> Vec<String> {
        let shown = |meaning| match meaning {
            Meaning::Known(entry, None) => entry.shown(),
            Meaning::Known(entry, Some(code)) => format!("{:#x} = {}", code.0, entry.shown()),
            Meaning::Unknown(code) => format!("? {:#x}", code.0),
            Meaning::UnknownEvent(source, id) => format!("? {}:{id}", source.prefix()),
        };
        meanings(word).into_iter().map(shown).collect()
    };
    for (word, expected) in [
        ("1722", &["1722 (0x6BA)"][..]),
        ("0x6ba", &["1722 (0x6BA)"]),
        ("winapi:1722", &["1722 (0x6BA)"]),
        ("-805175273", &["0xd0020017 = 0xC0020017"]),
        ("#3489660941", &["0xd000000d = 0xC000000D"]),
        ("80070005", &["0x80070005 = 5"]),
        ("c000006d", &["0xC000006D"]),
        ("(0xC000006D)", &[]),
        ("0xC000006D.", &["0xC000006D"]),
        ("status_access_denied", &["0xC0000022"]),
        ("8", &["8", "CCG:8"]),
        ("CCG:8", &["CCG:8"]),
        ("aks:1007", &["AKS:1007"]),
        ("hyperv:11507", &["HCS:11507"]),
        ("5719", &["NETLOGON:5719"]),
        ("netlogon:3210", &["NETLOGON:3210"]),
        ("KDC:201", &["KDC:201"]),
        ("kdcsvc:209", &["KDC:209"]),
        ("CCG:9", &["? CCG:9"]),
        ("0xC00000A7", &["? 0xc00000a7"]),
        ("77", &["? 0x4d"]),
        ("EKS:1", &[]),
        (":", &[]),
        ("", &[]),
        ("CCG:", &[]),
        ("plug-in loaded", &[]),
        ("99999999999", &[]),
    ] {
        assert_eq!(shown(word), expected, "{word}");
    }
    // Every entry is found by its displayed number, and by its symbol.
    for entry in all() {
        let shown = entry.shown();
        let word = shown.split(' ').next().unwrap_or_default();
        assert!(meanings(word).contains(&Meaning::Known(entry, None)), "{shown}");
        if entry.source == Source::Api {
            assert!(meanings(entry.name).contains(&Meaning::Known(entry, None)), "{shown}");
        }
    }
}

/// The numbers as Microsoft's metadata has them.
#[expect(clippy::cast_sign_loss, reason = "the types of the crate differ, the bits do not")]
#[expect(clippy::too_many_lines, reason = "one name a line")]
fn published() -> Vec<(&'static str, u32)> {
    use windows_sys::Win32::Foundation::*;
    use windows_sys::Win32::NetworkManagement::NetManagement::NERR_Success;
    use windows_sys::Win32::Security::Credentials::*;
    use windows_sys::Win32::System::Rpc::*;

    macro_rules! constants {
        ($($name:ident)*) => { vec![$((stringify!($name), $name as u32)),*] };
    }
    constants! {
        NERR_Success
        ERROR_FILE_NOT_FOUND
        ERROR_PATH_NOT_FOUND
        ERROR_ACCESS_DENIED
        ERROR_NOT_ENOUGH_MEMORY
        ERROR_INVALID_DATA
        ERROR_OUTOFMEMORY
        ERROR_GEN_FAILURE
        ERROR_NOT_SUPPORTED
        ERROR_BAD_NETPATH
        ERROR_NETNAME_DELETED
        ERROR_NETWORK_ACCESS_DENIED
        ERROR_BAD_NET_NAME
        ERROR_INVALID_PARAMETER
        ERROR_SEM_TIMEOUT
        ERROR_MOD_NOT_FOUND
        ERROR_PROC_NOT_FOUND
        ERROR_BAD_EXE_FORMAT
        ERROR_SERVICE_REQUEST_TIMEOUT
        ERROR_SERVICE_DOES_NOT_EXIST
        ERROR_SERVICE_LOGON_FAILED
        ERROR_NOT_FOUND
        ERROR_SESSION_CREDENTIAL_CONFLICT
        ERROR_CONNECTION_REFUSED
        ERROR_HOST_UNREACHABLE
        ERROR_DOWNGRADE_DETECTED
        ERROR_NO_LOGON_SERVERS
        ERROR_NO_SUCH_LOGON_SESSION
        ERROR_PRIVILEGE_NOT_HELD
        ERROR_NO_SUCH_USER
        ERROR_WRONG_PASSWORD
        ERROR_LOGON_FAILURE
        ERROR_ACCOUNT_RESTRICTION
        ERROR_INVALID_LOGON_HOURS
        ERROR_INVALID_WORKSTATION
        ERROR_PASSWORD_EXPIRED
        ERROR_ACCOUNT_DISABLED
        ERROR_NONE_MAPPED
        ERROR_CANT_ACCESS_DOMAIN_INFO
        ERROR_NO_SUCH_DOMAIN
        ERROR_LOGON_NOT_GRANTED
        ERROR_LOGON_TYPE_NOT_GRANTED
        ERROR_WRONG_TARGET_NAME
        ERROR_MUTUAL_AUTH_FAILED
        ERROR_TIME_SKEW
        ERROR_TIMEOUT
        RPC_S_SERVER_UNAVAILABLE
        RPC_S_SERVER_TOO_BUSY
        RPC_S_CALL_FAILED
        RPC_S_CALL_FAILED_DNE
        RPC_S_UNKNOWN_AUTHN_SERVICE
        EPT_S_NOT_REGISTERED
        ERROR_NO_TRUST_LSA_SECRET
        ERROR_NO_TRUST_SAM_ACCOUNT
        ERROR_TRUSTED_DOMAIN_FAILURE
        ERROR_TRUSTED_RELATIONSHIP_FAILURE
        ERROR_TRUST_FAILURE
        ERROR_NETLOGON_NOT_STARTED
        ERROR_ACCOUNT_EXPIRED
        ERROR_DOMAIN_TRUST_INCONSISTENT
        RPC_S_SEC_PKG_ERROR
        ERROR_PASSWORD_MUST_CHANGE
        ERROR_DOMAIN_CONTROLLER_NOT_FOUND
        ERROR_ACCOUNT_LOCKED_OUT
        ERROR_DS_NO_SUCH_OBJECT
        ERROR_DS_SERVER_DOWN
        DNS_ERROR_RCODE_SERVER_FAILURE
        DNS_ERROR_RCODE_NAME_ERROR
        DNS_INFO_NO_RECORDS
        E_NOINTERFACE
        E_FAIL
        CO_E_RUNAS_CREATEPROCESS_FAILURE
        CO_E_RUNAS_LOGON_FAILURE
        CO_E_LAUNCH_PERMSSION_DENIED
        E_UNEXPECTED
        RPC_E_SERVERFAULT
        RPC_E_DISCONNECTED
        RPC_E_ACCESS_DENIED
        CLASS_E_CLASSNOTAVAILABLE
        REGDB_E_CLASSNOTREG
        CO_E_CLASSSTRING
        CO_E_DLLNOTFOUND
        CO_E_SERVER_EXEC_FAILURE
        SEC_E_TARGET_UNKNOWN
        SEC_E_INTERNAL_ERROR
        SEC_E_SECPKG_NOT_FOUND
        SEC_E_INVALID_TOKEN
        SEC_E_LOGON_DENIED
        SEC_E_UNKNOWN_CREDENTIALS
        SEC_E_NO_CREDENTIALS
        SEC_E_NO_AUTHENTICATING_AUTHORITY
        SEC_E_WRONG_PRINCIPAL
        SEC_E_TIME_SKEW
        SEC_E_UNTRUSTED_ROOT
        SEC_E_CERT_EXPIRED
        SEC_E_NO_TGT_REPLY
        SEC_E_KDC_UNKNOWN_ETYPE
        SEC_E_NO_KERB_KEY
        SEC_E_DOWNGRADE_DETECTED
        SEC_E_MUTUAL_AUTH_FAILED
        CERT_E_EXPIRED
        CERT_E_UNTRUSTEDROOT
        HCS_E_TERMINATED_DURING_START
        HCS_E_IMAGE_MISMATCH
        HCS_E_HYPERV_NOT_INSTALLED
        HCS_E_INVALID_STATE
        HCS_E_UNEXPECTED_EXIT
        HCS_E_TERMINATED
        HCS_E_CONNECT_FAILED
        HCS_E_CONNECTION_TIMEOUT
        HCS_E_CONNECTION_CLOSED
        HCS_E_UNKNOWN_MESSAGE
        HCS_E_UNSUPPORTED_PROTOCOL_VERSION
        HCS_E_INVALID_JSON
        HCS_E_SYSTEM_NOT_FOUND
        HCS_E_SYSTEM_ALREADY_EXISTS
        HCS_E_SYSTEM_ALREADY_STOPPED
        HCS_E_PROTOCOL_ERROR
        HCS_E_INVALID_LAYER
        HCS_E_SERVICE_NOT_AVAILABLE
        HCS_E_OPERATION_TIMEOUT
        HCS_E_ACCESS_DENIED
        HCS_E_SERVICE_DISCONNECT
        STATUS_UNSUCCESSFUL
        STATUS_ACCESS_VIOLATION
        STATUS_INVALID_PARAMETER
        STATUS_NO_MEMORY
        STATUS_ACCESS_DENIED
        STATUS_OBJECT_NAME_NOT_FOUND
        STATUS_NO_LOGON_SERVERS
        STATUS_NO_SUCH_LOGON_SESSION
        STATUS_NO_SUCH_USER
        STATUS_WRONG_PASSWORD
        STATUS_LOGON_FAILURE
        STATUS_ACCOUNT_RESTRICTION
        STATUS_INVALID_LOGON_HOURS
        STATUS_INVALID_WORKSTATION
        STATUS_PASSWORD_EXPIRED
        STATUS_ACCOUNT_DISABLED
        STATUS_NONE_MAPPED
        STATUS_INVALID_IMAGE_FORMAT
        STATUS_IO_TIMEOUT
        STATUS_NOT_SUPPORTED
        STATUS_BAD_NETWORK_PATH
        STATUS_NETWORK_ACCESS_DENIED
        STATUS_BAD_NETWORK_NAME
        STATUS_CANT_ACCESS_DOMAIN_INFO
        STATUS_NO_SUCH_DOMAIN
        STATUS_INTERNAL_ERROR
        STATUS_NO_SUCH_PACKAGE
        STATUS_COMMITMENT_LIMIT
        STATUS_TIME_DIFFERENCE_AT_DC
        STATUS_DLL_NOT_FOUND
        STATUS_ENTRYPOINT_NOT_FOUND
        STATUS_CONTROL_C_EXIT
        STATUS_DLL_INIT_FAILED
        STATUS_LOGON_TYPE_NOT_GRANTED
        STATUS_NO_TRUST_LSA_SECRET
        STATUS_NO_TRUST_SAM_ACCOUNT
        STATUS_TRUSTED_DOMAIN_FAILURE
        STATUS_TRUSTED_RELATIONSHIP_FAILURE
        STATUS_TRUST_FAILURE
        STATUS_NETLOGON_NOT_STARTED
        STATUS_ACCOUNT_EXPIRED
        STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT
        STATUS_DOMAIN_TRUST_INCONSISTENT
        STATUS_PASSWORD_MUST_CHANGE
        STATUS_NOT_FOUND
        STATUS_DOMAIN_CONTROLLER_NOT_FOUND
        STATUS_ACCOUNT_LOCKED_OUT
        STATUS_CONNECTION_REFUSED
        STATUS_HOST_UNREACHABLE
        STATUS_MUTUAL_AUTHENTICATION_FAILED
        STATUS_KDC_UNKNOWN_ETYPE
        STATUS_NO_KERB_KEY
        STATUS_HEAP_CORRUPTION
        STATUS_DOWNGRADE_DETECTED
        STATUS_STACK_BUFFER_OVERRUN
        STATUS_AUTHENTICATION_FIREWALL_FAILED
        STATUS_NTLM_BLOCKED
        RPC_NT_SERVER_UNAVAILABLE
        RPC_NT_CALL_FAILED
    }
}

#[test]
fn status_codes_are_those_of_microsofts_metadata() {
    let published = published();
    for entry in all().filter(|entry| entry.source == Source::Api) {
        let number = published.iter().find(|(name, _)| *name == entry.name).map(|one| one.1);
        assert_eq!(number, Some(entry.number), "{}", entry.name);
    }
}

#[test]
fn events_of_netlogon_are_those_of_microsofts_metadata() {
    use windows_sys::Win32::NetworkManagement::NetManagement as events;

    let published = [
        events::NELOG_NetlogonAuthDCFail,
        events::NELOG_NetlogonAuthNoDomainController,
        events::NELOG_NetlogonAuthNoTrustLsaSecret,
        events::NELOG_NetlogonAuthNoTrustSamAccount,
        events::NELOG_NetlogonServerAuthFailed,
        events::NELOG_NetlogonServerAuthNoTrustSamAccount,
        events::NELOG_NetlogonRpcCallCancelled,
        events::NELOG_NetlogonServerAuthFailedNoAccount,
    ];
    let ours: Vec<u32> = Source::Netlogon.ids().collect();
    assert_eq!(ours, published);
}

#[test]
fn what_tells_of_something_that_works_asks_for_nothing() {
    for entry in all().filter(|entry| entry.source != Source::Api) {
        let nothing = entry.remedy.starts_with("Nothing to do");
        assert_eq!(entry.is_information(), nothing, "{}", entry.shown());
    }
}
