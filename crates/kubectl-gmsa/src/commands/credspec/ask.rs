//! What `create` needs to know: from the flags, and on a terminal from the person before it.

use std::io::{self, IsTerminal as _, Write as _};

use gmsa_core::credspec::DomainFacts;
use gmsa_core::credspec::identifier::{braced_guid, is_domain_sid, is_guid};
use gmsa_core::credspec::name::{has_usable_character, is_valid_name, made_valid};
use gmsa_core::printable::printable;
use gmsa_directory::account::valid_name;

use crate::cli::credspec::Create;
use crate::cli::shared::DirectoryFlags;
use crate::failure::Failure;
use crate::output::printer;

/// The longest NetBIOS name of a domain.
const NETBIOS_LENGTH: usize = 15;

/// Everything that a credential spec is made from, but the plug-in.
pub struct Wish {
    pub name: Name,
    pub account: String,
    pub facts: Facts,
}

/// The source of the facts about the domain.
pub enum Facts {
    Given(DomainFacts),
    Directory(Box<DirectoryFlags>),
}

/// Takes the values of the flags and asks for the others. Without a terminal the error lists everything
/// that is missing.
pub fn wish(args: &Create) -> Result<Wish, Failure> {
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return asked(args);
    }
    let mut missing = Vec::new();
    let mut need = |given: bool, flag: &'static str| {
        if !given {
            missing.push(flag);
        }
    };
    need(args.name.is_some(), "NAME");
    need(args.account.is_some(), "--account");
    if !args.from_ad {
        need(args.directory.domain.is_some(), "--domain");
        need(args.netbios.is_some(), "--netbios");
        need(args.sid.is_some(), "--sid");
        need(args.guid.is_some(), "--guid");
    }
    if !missing.is_empty() {
        let all = if args.from_ad { "" } else { " (or --from-ad for all of the domain)" };
        let are = if missing.len() == 1 { "is" } else { "are" };
        return Err(Failure::Input(format!(
            "failed to make a credential spec: {} {are} missing{all}; there is no terminal to ask for it",
            missing.join(", ")
        )));
    }
    let given = |value: &Option<String>| value.clone().unwrap_or_default();
    let facts = if args.from_ad {
        Facts::Directory(Box::new(args.directory.clone()))
    } else {
        let dns_name = given(&args.directory.domain);
        Facts::Given(DomainFacts {
            sid: given(&args.sid),
            guid: bare_guid(&given(&args.guid)).to_owned(),
            forest: args.forest.clone().unwrap_or_else(|| dns_name.clone()),
            netbios_name: given(&args.netbios),
            dns_name,
        })
    };
    Ok(Wish { name: named(&given(&args.name))?, account: given(&args.account), facts })
}

/// The name, made valid with a note.
fn named(name: &str) -> Result<Name, Failure> {
    let valid = made_valid(name);
    if is_valid_name(name) {
        return Ok(Name { valid, instead_of: None });
    }
    if has_usable_character(name) {
        printer::note(&format!(
            "\"{}\" is not a name in Kubernetes (lower-case letters, digits, - and .): the credential spec is \
             called {valid}",
            printable(name)
        ));
        return Ok(Name { valid, instead_of: Some(name.to_owned()) });
    }
    Err(Failure::Input(format!(
        "failed to name the credential spec \"{}\": nothing of it can be in a name in Kubernetes; give one \
         of lower-case letters, digits, - and .",
        printable(name)
    )))
}

/// A name that a credential spec can have.
pub struct Name {
    pub valid: String,
    /// What was given instead.
    pub instead_of: Option<String>,
}

/// A copied class identifier has braces; the domain's GUID is written without.
fn bare_guid(guid: &str) -> &str {
    braced_guid(guid).unwrap_or(guid)
}

fn asked(args: &Create) -> Result<Wish, Failure> {
    let account = match &args.account {
        Some(account) => account.clone(),
        None => ask("Account that the container runs as", None, |answer| {
            valid_name(answer).map(str::to_owned).map_err(|error| error.to_string())
        })?,
    };
    let name = if let Some(name) = &args.name {
        named(name)?
    } else {
        let usual = made_valid(account.trim_end_matches('$'));
        named(&ask("Name of the credential spec", Some(&usual), |name| Ok(name.to_owned()))?)?
    };
    let by_hand = [&args.netbios, &args.sid, &args.guid];
    let complete = args.directory.domain.is_some() && by_hand.iter().all(|fact| fact.is_some());
    let from_ad = args.from_ad
        || (!complete
            && by_hand.iter().all(|fact| fact.is_none())
            && yes("Take the facts of the domain from Active Directory")?);
    let facts = if from_ad {
        Facts::Directory(Box::new(directory(&args.directory)?))
    } else {
        Facts::Given(domain(args)?)
    };
    Ok(Wish { name, account, facts })
}

/// Which directory, and as whom; the password is asked for when it is needed.
fn directory(given: &DirectoryFlags) -> Result<DirectoryFlags, Failure> {
    let mut flags = given.clone();
    if flags.dc.is_none() && flags.domain.is_none() {
        flags.domain = Some(ask("Domain", None, dns_name)?);
    }
    if flags.bind_user.is_none() && !flags.kerberos {
        let question = "User to log on as, user@domain or DOMAIN\\user";
        flags.bind_user = Some(ask(question, None, |user| Ok(user.to_owned()))?);
    }
    Ok(flags)
}

fn domain(args: &Create) -> Result<DomainFacts, Failure> {
    let or_ask = |given: &Option<String>, question: &str, usual: Option<&str>, check: Check| {
        given.clone().map_or_else(|| ask(question, usual, check), Ok)
    };
    let dns_name = or_ask(&args.directory.domain, "DNS name of the domain", None, dns_name)?;
    let first = dns_name.split('.').next().unwrap_or_default();
    let usual: String = first.to_uppercase().chars().take(NETBIOS_LENGTH).collect();
    let netbios_name = or_ask(&args.netbios, "NetBIOS name of the domain", Some(&usual), netbios)?;
    let sid = or_ask(&args.sid, "SID of the domain (Get-ADDomain)", None, sid)?;
    let guid = or_ask(&args.guid, "ObjectGUID of the domain (Get-ADDomain)", None, guid)?;
    let forest = or_ask(
        &args.forest,
        "DNS name of the forest's root domain",
        Some(&dns_name),
        self::dns_name,
    )?;
    Ok(DomainFacts { sid, guid: bare_guid(&guid).to_owned(), dns_name, forest, netbios_name })
}

type Check = fn(&str) -> Result<String, String>;

fn dns_name(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('.');
    if text.contains('.') && !text.contains(char::is_whitespace) {
        return Ok(text.to_owned());
    }
    Err("that is not a DNS name of a domain, such as contoso.com".to_owned())
}

fn netbios(text: &str) -> Result<String, String> {
    if text.chars().count() <= NETBIOS_LENGTH && !text.contains(['.', '\\', ' ']) {
        return Ok(text.to_owned());
    }
    Err("a NetBIOS name has at most 15 characters and no dot, such as CONTOSO".to_owned())
}

fn sid(text: &str) -> Result<String, String> {
    if is_domain_sid(text) {
        return Ok(text.to_owned());
    }
    Err("that is not a SID of a domain, which is written S-1-5-21-1-2-3; an account's has a fourth number"
        .to_owned())
}

fn guid(text: &str) -> Result<String, String> {
    if is_guid(bare_guid(text)) {
        return Ok(text.to_owned());
    }
    Err("that is not a GUID, which is written as 8-4-4-4-12 hexadecimal digits".to_owned())
}

fn yes(question: &str) -> Result<bool, Failure> {
    let answer = ask(&format!("{question}, yes or no"), Some("yes"), |answer| {
        match answer.to_lowercase().as_str() {
            "y" | "yes" => Ok("yes".to_owned()),
            "n" | "no" => Ok(String::new()),
            _ => Err("write yes or no".to_owned()),
        }
    })?;
    Ok(!answer.is_empty())
}

/// Asks until the answer is valid. An empty one means the default, if there is one.
fn ask(
    question: &str,
    usual: Option<&str>,
    check: impl Fn(&str) -> Result<String, String>,
) -> Result<String, Failure> {
    loop {
        let mut shown = io::stderr().lock();
        let usual_shown = usual.map(|usual| format!(" [{usual}]")).unwrap_or_default();
        // Who cannot see the question gives no answer.
        let _ = write!(shown, "{question}{usual_shown}: ");
        let _ = shown.flush();
        drop(shown);
        let mut line = String::new();
        let read = io::stdin().read_line(&mut line).map_err(|error| {
            Failure::Input(format!("failed to read an answer from the terminal: {error}"))
        })?;
        if read == 0 {
            return Err(Failure::Input(
                "failed to make a credential spec: the answers ended; nothing was made".to_owned(),
            ));
        }
        let answer = Some(line.trim()).filter(|answer| !answer.is_empty()).or(usual);
        match answer.map(&check) {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(why)) => printer::note(&why),
            None => printer::note("an answer is needed"),
        }
    }
}
