use proptest::prelude::*;

use super::*;

#[test]
fn the_sid_tells_who_it_is_in_any_language() {
    for (output, expected) in [
        (
            "\"nt-autorit\u{e4}t\\system\",\"S-1-5-18\"\r\n",
            Some(("S-1-5-18", Some(("LocalSystem", OnNetwork::Yes)))),
        ),
        (
            "nt authority\\network service S-1-5-20\r\n",
            Some(("S-1-5-20", Some(("NetworkService", OnNetwork::Yes)))),
        ),
        (
            "user manager\\containeruser S-1-5-93-2-2",
            Some(("S-1-5-93-2-2", Some(("ContainerUser", OnNetwork::Disputed)))),
        ),
        (
            "iis apppool\\web S-1-5-82-1-2-3",
            Some(("S-1-5-82-1-2-3", Some(("an IIS application pool", OnNetwork::Yes)))),
        ),
        (
            "contoso\\x S-1-5-21-1-2-3-1104",
            Some(("S-1-5-21-1-2-3-1104", Some(("a user of the image", OnNetwork::No)))),
        ),
        ("builtin S-1-5-21-1-2-3-500", Some(("S-1-5-21-1-2-3-500", None))),
        (
            "nt service\\w3svc S-1-5-80-1-2-3-4-5",
            Some(("S-1-5-80-1-2-3-4-5", Some(("the account of a service", OnNetwork::Yes)))),
        ),
        ("S-1- S-1-x S-1-5-", None),
        ("", None),
    ] {
        let found = sid(output);
        assert_eq!(found.map(|sid| (sid, known(sid))), expected, "{output}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text: String) {
        let _ = sid(&text).map(known);
    }
}
