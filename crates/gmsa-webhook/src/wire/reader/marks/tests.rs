use proptest::prelude::*;

use super::*;

/// Each way to mark a text that this machine has.
fn levels() -> Vec<Level> {
    let best = Level::new();
    let mut levels = vec![Level::baseline(), best];
    #[cfg(target_arch = "x86_64")]
    {
        levels.extend(best.as_sse4_2().map(Simd::level));
        levels.extend(best.as_avx2().map(Simd::level));
    }
    levels
}

/// The tokens and backslashes of a text, found byte by byte; none if a string in it is not sound.
fn plainly(text: &[u8]) -> Option<(Vec<usize>, Vec<usize>)> {
    let (mut tokens, mut backslashes) = (Vec::new(), Vec::new());
    let (mut inside, mut escaped) = (false, false);
    for (at, &byte) in text.iter().enumerate() {
        if byte == b'\\' {
            backslashes.push(at);
        }
        if escaped {
            escaped = false;
            let hexadecimal = || {
                text.get(at + 1..at + 5).is_some_and(|all| all.iter().all(u8::is_ascii_hexdigit))
            };
            if byte != b'"' && !b"\\/bfnrt".contains(&byte) && !(byte == b'u' && hexadecimal()) {
                return None;
            }
            // Outside of strings a backslash and what it escapes are no JSON: tokens that nobody
            // expects.
            if !inside {
                tokens.push(at);
            }
            continue;
        }
        escaped = byte == b'\\';
        match byte {
            b'"' if inside => inside = false,
            b'"' => {
                inside = true;
                tokens.push(at);
            }
            0..=0x1f if inside => return None,
            _ if inside => {}
            b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => tokens.push(at),
        }
    }
    // Behind the text there is only white space, which makes no escape.
    (!inside && !escaped).then_some((tokens, backslashes))
}

fn bits(marked: &Marked<'_>, of: fn(&Marks) -> u64) -> Vec<usize> {
    let blocks = marked.marks.iter().enumerate();
    blocks
        .flat_map(|(number, marks)| {
            let bits = of(marks);
            (0..BLOCK).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| number * BLOCK + bit)
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn each_way_marks_what_stands_there(text in "[\\[{,: \n\"\"\"\"\\\\\\\\a1u0né\u{1}\u{7f}]{0,300}") {
        let expected = plainly(text.as_bytes());
        for level in levels() {
            let marked = Marked::with(level, text.as_bytes());
            let found = marked.as_ref().map(|marked| {
                (bits(marked, |marks| marks.tokens), bits(marked, |marks| marks.backslashes))
            });
            prop_assert_eq!(&found, &expected, "{:?} with {:?}", text, level);
        }
    }

    #[test]
    fn each_way_marks_sound_strings(text in "( |,|\n|\"(a|\\\\\"|\\\\\\\\|\\\\u00e9|é|\\{){0,70}\"){0,9}") {
        let expected = plainly(text.as_bytes());
        prop_assert!(expected.is_some(), "{:?}", text);
        for level in levels() {
            let marked = Marked::with(level, text.as_bytes());
            let found = marked.as_ref().map(|marked| {
                (bits(marked, |marks| marks.tokens), bits(marked, |marks| marks.backslashes))
            });
            prop_assert_eq!(&found, &expected, "{:?} with {:?}", text, level);
        }
    }
}
