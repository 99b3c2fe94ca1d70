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
            1788,
            1789,
            0xC000_0022,
            0xC000_005E,
            0xC000_018A,
            0xC002_0017,
            0xD002_0017,
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
    (Source::Netlogon, &[5720]),
];

#[test]
fn the_catalogue_holds_what_users_meet_and_each_once_in_order() {
    let met: Vec<_> =
        MET.iter().flat_map(|(source, numbers)| numbers.iter().map(|n| (*source, *n))).collect();
    let ours: Vec<_> = ALL.iter().map(|entry| (entry.source, entry.number)).collect();
    assert_eq!(ours, met);
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
}

#[test]
fn a_word_is_a_number_of_any_source_or_of_one_or_a_symbol() {
    let shown = |word: &str| -> Vec<String> {
        meanings(word).into_iter().map(super::Entry::shown).collect()
    };
    assert_eq!(shown("1722"), ["1722 (0x6BA)"]);
    assert_eq!(shown("0x6ba"), ["1722 (0x6BA)"]);
    assert_eq!(shown("winapi:1722"), ["1722 (0x6BA)"]);
    assert_eq!(shown("-805175273"), ["0xD0020017"]);
    assert_eq!(shown("status_access_denied"), ["0xC0000022"]);
    assert_eq!(shown("CCG:8"), ["CCG:8"]);
    assert_eq!(shown("aks:1007"), ["AKS:1007"]);
    assert_eq!(shown("hyperv:11507"), ["HCS:11507"]);
    for nothing in ["CCG:9", "EKS:1", ":", "", "CCG:", "plug-in loaded", "99999999999"] {
        assert_eq!(shown(nothing), [""; 0], "{nothing}");
    }
    // Every entry is found by what is shown of it.
    for entry in ALL {
        let shown = entry.shown();
        let word = shown.split(' ').next().unwrap_or_default();
        assert!(meanings(word).contains(&entry), "{shown}");
    }
}

#[test]
fn what_tells_of_something_that_works_asks_for_nothing() {
    for entry in ALL.iter().filter(|entry| entry.source != Source::Api) {
        let nothing = entry.remedy.starts_with("Nothing to do");
        assert_eq!(entry.is_information(), nothing, "{}", entry.shown());
    }
}

#[test]
fn the_page_in_the_documentation_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/codes.md");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == codes_page(), "docs/codes.md differs: run `cargo xtask generate`");
}
