//! Prompts: passwords, which may also come from a file or the environment but
//! never from an argument, and whether to go on.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::Path;

use secrecy::SecretString;
use zeroize::Zeroizing;

use crate::failure::Failure;
use crate::output::printer;

/// The environment variable with the password.
const VARIABLE: &str = "GMSA_BIND_PASSWORD";
/// The longest password that Windows accepts has 256 characters; more is another file.
const LONGEST: u64 = 4096;

/// The password of a user: from the file, else from the environment, else asked for.
pub fn password(file: Option<&Path>, user: &str) -> Result<SecretString, Failure> {
    if let Some(path) = file {
        return from_file(path);
    }
    if let Ok(password) = std::env::var(VARIABLE) {
        return Ok(password.into());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Input(format!(
            "failed to get the password of {user}: give --password-file, or set {VARIABLE}"
        )));
    }
    let asked = rpassword::prompt_password(format!("Password of {user}: "));
    asked.map(SecretString::from).map_err(|error| {
        Failure::Input(format!("failed to read the password of {user} from the terminal: {error}"))
    })
}

/// The first line of a file; `-` is standard input.
pub fn from_file(path: &Path) -> Result<SecretString, Failure> {
    let shown = path.display();
    let failed =
        |why: &str| Failure::Input(format!("failed to read a password from {shown}: {why}"));
    let text = if path.as_os_str() == "-" {
        read(io::stdin().lock())
    } else {
        File::open(path).and_then(read)
    };
    let text = text.map_err(|error| failed(&error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // Editors and tools end a file with one line break or two, of either kind.
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(failed("it is empty"));
    }
    if password.contains('\n') {
        return Err(failed("it has more than one line"));
    }
    Ok(password.into())
}

fn read(source: impl Read) -> io::Result<Zeroizing<String>> {
    // Made large enough at once: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(8192));
    source.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if !u64::try_from(bytes.len()).is_ok_and(|length| length <= LONGEST) {
        return Err(io::Error::other("it is too long for a password"));
    }
    let text = match bytes.as_slice() {
        // What `>` writes in Windows PowerShell.
        [0xff, 0xfe, wide @ ..] => from_utf16(wide),
        plain => std::str::from_utf8(plain).ok().map(|text| Zeroizing::new(text.to_owned())),
    };
    text.ok_or_else(|| io::Error::other("it is not text in UTF-8 or UTF-16"))
}

fn from_utf16(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let (units, rest) = bytes.as_chunks::<2>();
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for character in char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit))) {
        text.push(character.ok()?);
    }
    rest.is_empty().then_some(text)
}

/// Fails where nobody can be asked. `nothing` says what did not happen then.
pub fn can_ask(nothing: &str) -> Result<(), Failure> {
    if io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "{nothing}: there is no terminal to ask for confirmation; give --yes"
    )))
}

/// Whether the answer to a question is yes.
pub fn ask(question: &str) -> Result<bool, Failure> {
    printer::note(&format!("{question} [y/N]"));
    let mut answer = String::new();
    io::stdin()
        .read_line(&mut answer)
        .map_err(|error| Failure::Input(format!("failed to read the answer: {error}")))?;
    Ok(["y", "yes"].iter().any(|yes| answer.trim().eq_ignore_ascii_case(yes)))
}

/// Continues if the answer is yes. `nothing` says what did not happen otherwise.
pub fn confirm(question: &str, nothing: &str) -> Result<(), Failure> {
    can_ask(nothing)?;
    if ask(question)? { Ok(()) } else { Err(Failure::Input(nothing.to_owned())) }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn files() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("password");
        for (text, expected) in [
            ("secret", Some("secret")),
            ("secret\n", Some("secret")),
            ("\u{feff} se cret \r\n", Some(" se cret ")),
            ("", None),
            ("\n", None),
            ("secret\n\n", Some("secret")),
            ("secret\r\n\r\n", Some("secret")),
            ("\nsecret\n", None),
            ("one\ntwo\n", None),
        ] {
            std::fs::write(&path, text).unwrap();
            let password = from_file(&path).ok();
            assert_eq!(password.as_ref().map(ExposeSecret::expose_secret), expected, "{text:?}");
        }
        let wide = |text: &str| -> Vec<u8> {
            format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
        };
        std::fs::write(&path, wide("sécret\r\n")).unwrap();
        assert_eq!(from_file(&path).unwrap().expose_secret(), "sécret");
        let cut = wide("secret");
        std::fs::write(&path, &cut[..cut.len() - 1]).unwrap();
        let error = from_file(&path).unwrap_err().to_string();
        assert!(
            error.contains("not text in UTF-8 or UTF-16") && !error.contains("secre"),
            "{error}"
        );
        std::fs::write(&path, "long".repeat(2000)).unwrap();
        let error = from_file(&path).unwrap_err().to_string();
        assert!(error.contains("too long") && !error.contains("longlong"), "{error}");
        std::fs::write(&path, [b'a', 0xff]).unwrap();
        assert!(from_file(&path).is_err());
        assert!(from_file(&directory.path().join("absent")).is_err());
    }
}
