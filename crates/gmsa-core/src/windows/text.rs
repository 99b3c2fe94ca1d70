//! The texts of Windows programs: their encodings, and the status codes in them.

use super::codes::{self, Code};

/// The upper half of code page 850, in which console programs of Western Europe write.
const CP850: &str = "\
ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";
/// Code page 1252 from 0x80 to 0x9f; above that it is Latin-1.
const CP1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// A smaller decimal number in a text may mean anything.
const SMALLEST_DECIMAL: u32 = 1000;
/// What Windows calls its releases, which are not codes.
const WINDOWS_VERSIONS: [u32; 8] = [1607, 1703, 1709, 1803, 1809, 1903, 1909, 2004];

/// The text of an output: UTF-16 with or without a byte order mark, UTF-8, else the code page of
/// the two, 850 and 1252, in which more of its bytes are letters.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    if let Some(rest) = bytes.strip_prefix(&[0xff, 0xfe]) {
        return utf16(rest, u16::from_le_bytes);
    }
    if let Some(rest) = bytes.strip_prefix(&[0xfe, 0xff]) {
        return utf16(rest, u16::from_be_bytes);
    }
    let odd = bytes.iter().skip(1).step_by(2);
    let zeros = odd.clone().filter(|byte| **byte == 0).count();
    if zeros > 0 && zeros * 3 >= odd.count() {
        return utf16(bytes, u16::from_le_bytes);
    }
    let plain = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    match std::str::from_utf8(plain) {
        Ok(text) => text.to_owned(),
        Err(_) => code_page(plain),
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.chunks_exact(2).map(|pair| match pair {
        [first, second] => unit([*first, *second]),
        _ => 0,
    });
    char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

fn code_page(bytes: &[u8]) -> String {
    let oem = bytes.iter().filter(|byte| (0x80..=0xa5).contains(*byte)).count();
    let ansi = bytes.iter().filter(|byte| **byte >= 0xc0).count();
    let upper: Vec<char> = if oem >= ansi {
        CP850.chars().collect()
    } else {
        CP1252.chars().chain((0xa0..=0xff_u8).map(char::from)).collect()
    };
    let character = |byte: &u8| match byte.checked_sub(0x80) {
        None => char::from(*byte),
        Some(place) => upper.get(usize::from(place)).copied().unwrap_or('?'),
    };
    bytes.iter().map(character).collect()
}

/// The status codes that a text mentions, each once, in order.
///
/// Taken are hexadecimal numbers that the catalogue has or that can only be errors, numbers in
/// brackets (`(0x52e)`) and behind `winapi error`, whether the catalogue has them or not, and
/// decimal numbers that are large enough, and known or unmistakable. A number that belongs to
/// something else, such as the tag of an image or a port, is passed over.
#[must_use]
pub fn mentioned(text: &str) -> Vec<Code> {
    let mut found: Vec<Code> = Vec::new();
    for (start, word) in words(text) {
        let before = text.get(..start).unwrap_or_default();
        let after = text.get(start + word.len()..).unwrap_or_default();
        if let Some(code) = status_code(before, word, after)
            && !found.contains(&code)
        {
            found.push(code);
        }
    }
    found
}

/// The words of letters and digits, with their places in bytes; a sign belongs to its number.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let apart = |character: char| !character.is_ascii_alphanumeric();
    let mut next = 0;
    text.split_inclusive(apart).filter_map(move |piece| {
        let start = next;
        next += piece.len();
        let word = piece.trim_end_matches(apart);
        let signed = text
            .get(..start)?
            .strip_suffix('-')
            .is_some_and(|rest| !rest.ends_with(char::is_alphanumeric));
        if signed && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some((start - 1, text.get(start - 1..start + word.len())?));
        }
        (!word.is_empty()).then_some((start, word))
    })
}

fn status_code(before: &str, word: &str, after: &str) -> Option<Code> {
    let number = codes::number(word).filter(|number| *number != 0)?;
    let code = Code(number);
    let hexadecimal = word.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
    let announced = {
        let before = before.trim_end_matches(['#', ' ', ':', '"']).to_ascii_lowercase();
        before.ends_with("winapi error")
    };
    let known = code.entry().is_some();
    if hexadecimal {
        let bracketed = before.ends_with('(') && after.starts_with(')');
        return (known || code.is_unmistakable() || bracketed || announced).then_some(code);
    }
    if announced {
        return Some(code);
    }
    // `image:1909`, `host:1722`, `10.0.17763.1326`, `a/1311` are not codes.
    let apart = !before.ends_with([':', '.', '/', '_', '@', '-']);
    let whole = !after.starts_with(['/', '_', ':', '-'])
        && !after
            .strip_prefix('.')
            .is_some_and(|rest| rest.starts_with(|one: char| one.is_ascii_alphanumeric()));
    let large = number >= SMALLEST_DECIMAL && !WINDOWS_VERSIONS.contains(&number);
    (large && apart && whole && (known || word.starts_with('-') && code.is_unmistakable()))
        .then_some(code)
}

/// A file or a path that is not there, as a system code and as an HRESULT.
const NOT_THERE: [u32; 4] = [2, 3, 0x8007_0002, 0x8007_0003];

/// Whether the words of a runtime that did not start a program can mean that the program is not
/// there: they have no number, or that of a missing file. With another one something else failed.
#[must_use]
pub fn may_be_missing(words: &str) -> bool {
    let mut numbers = words
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| word.starts_with("0x"))
        .filter_map(codes::number)
        .peekable();
    numbers.peek().is_none() || numbers.any(|number| NOT_THERE.contains(&number))
}

#[cfg(test)]
mod tests;
