//! The texts of Windows' programs: in whatever encoding they come, and the numbers in them.

use super::codes::{self, Entry, Source};

/// The upper half of code page 850, in which console programs of Western Europe write.
const CP850: &str = "\
ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";
/// Code page 1252 from 0x80 to 0x9f; above that it is Latin-1.
const CP1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// A smaller decimal number in a text may mean anything.
const SMALLEST_DECIMAL: u32 = 1000;

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

/// The codes of systems that a text mentions, each once, in order: hexadecimal, or decimal if they
/// are large enough to mean nothing else.
#[must_use]
pub fn mentioned(text: &str) -> Vec<&'static Entry> {
    let mut found: Vec<&'static Entry> = Vec::new();
    let apart = |character: char| !(character.is_ascii_alphanumeric() || character == '-');
    for word in text.split(apart) {
        for part in std::iter::once(word).chain(word.split('-')) {
            let Some(number) = codes::number(part).filter(|number| *number != 0) else { continue };
            let hexadecimal = part.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("0x"));
            if !hexadecimal && number < SMALLEST_DECIMAL {
                continue;
            }
            if let Some(entry) = codes::find(Source::Api, number)
                && !found.contains(&entry)
            {
                found.push(entry);
            }
        }
    }
    found
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

/// A number with its name and what it means, as evidence shows it.
#[must_use]
pub fn explained(number: u32) -> String {
    match codes::find(Source::Api, number) {
        Some(entry) => format!("{number} (0x{number:x}) {}: {}", entry.name, entry.meaning),
        None => format!("{number} (0x{number:x}): not in the catalogue"),
    }
}

#[cfg(test)]
mod tests;
