use ldap3::LdapResult;

use super::*;

fn result(rc: u32, text: &str) -> LdapResult {
    LdapResult {
        rc,
        matched: String::new(),
        text: text.to_owned(),
        refs: Vec::new(),
        ctrls: Vec::new(),
    }
}

#[test]
fn refused_logons() {
    let text = |code: &str| {
        format!(
            "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data {code}, v1db1"
        )
    };
    for (code, why) in [
        ("52e", "the user or the password is wrong (data 52e)"),
        ("52E", "the user or the password is wrong (data 52e)"),
        ("775", "the account is locked"),
        ("533", "disabled"),
        ("532", "expired"),
        ("773", "must be changed"),
        ("999", "LDAP result 49, 80090308"),
    ] {
        let error = bind("dc1:636", "alice", &result(49, &text(code))).to_string();
        assert!(error.starts_with("failed to log on to dc1:636 as alice: "), "{error}");
        assert!(error.contains(why), "{error}");
    }
    let error = bind("dc1:389", "alice", &result(8, "")).to_string();
    assert!(error.contains("stronger way"), "{error}");
}

#[test]
fn refused_operations() {
    let no_key = "00002020: setup_primary_gmsa: 8009000D: failed to find a key";
    for (rc, text, why) in [
        (32, no_key, "no KDS root key"),
        (32, "No such Base DN", "does not exist"),
        (1, "000004DC: LdapErr: DSID-0C090A5C", "no user is logged on"),
        (10, "0000202B: RefErr", "another domain"),
        (19, "spn collision", "an SPN that another account has"),
        (50, "insufficient access rights", "lacks the right"),
        (68, "already exists", "an object of that name"),
        (65, "", "missing (LDAP result 65)"),
        (1, "00002020: Operation unavailable without authentication", "--bind-user"),
        (16, "", "something else changed it"),
        (19, "00002082: interval cannot be modified", "an interval that cannot be changed later"),
        (20, "", "something else changed it"),
        (34, "", "name is not valid"),
        (51, "", "use another with --dc"),
        (53, "0000202b: 8009000d", "no KDS root key"),
        (53, "unwilling", "will not do it"),
        (10, "", "with --dc"),
        (80, "odd\n\0thing", "LDAP result 80, odd thing; see the text"),
    ] {
        let error = operation("dc1:636", "create CN=web", &result(rc, text)).to_string();
        assert!(error.starts_with("failed to create CN=web on dc1:636: "), "{error}");
        assert!(error.contains(why), "{error}");
    }
}
