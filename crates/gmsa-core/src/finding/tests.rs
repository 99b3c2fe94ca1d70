use std::collections::BTreeSet;

use super::*;

#[test]
fn codes_are_found_by_their_ids() {
    for code in Code::ALL {
        assert_eq!(Code::from_id(code.id()), Some(*code));
        assert_eq!(code.page(), format!("docs/findings.md#{}", code.id()));
    }
    assert_eq!(Code::from_id("Sid-Not-Domain"), None);
    assert_eq!(Code::from_id(""), None);
}

#[test]
fn ids_are_the_variants_names_in_kebab_case() {
    let mut seen = BTreeSet::new();
    for code in Code::ALL {
        let mut kebab = String::new();
        for character in format!("{code:?}").chars() {
            if character.is_ascii_uppercase() && !kebab.is_empty() {
                kebab.push('-');
            }
            kebab.push(character.to_ascii_lowercase());
        }
        assert_eq!(code.id(), kebab);
        assert!(seen.insert(code.id()), "{code} is there twice");
    }
}

#[test]
fn summaries_and_remedies_are_sentences() {
    for code in Code::ALL {
        for text in [code.summary(), code.remedy()] {
            assert!(text.ends_with('.') && !text.contains('\n'), "{code}: {text}");
            assert_eq!(text.matches('`').count() % 2, 0, "{code}: {text}");
        }
    }
}

#[test]
fn severities_are_read_and_written() {
    for severity in Severity::ALL {
        assert_eq!(severity.to_string().parse(), Ok(severity));
    }
    assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Info);
    let error = "Error\u{1b}".parse::<Severity>().unwrap_err().to_string();
    assert_eq!(error, r#"failed to read the severity "Error\u{1b}": write error, warning or info"#);
}
