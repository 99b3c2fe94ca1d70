//! The credential plug-in of hosts that are not in the domain, and its input.

use std::io::Read as _;
use std::path::Path;

use gmsa_core::credspec::identifier::{braced_guid, is_guid};
use gmsa_core::credspec::plugin::{self, PLUGINS, Plugin};
use gmsa_core::windows::encoding::decode;
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::credspec::Create;
use crate::failure::Failure;

/// The class identifier of the plug-in, without braces, and its input.
pub fn of(args: &Create) -> Result<Option<(String, String)>, Failure> {
    let Some(wanted) = &args.host_plugin else { return Ok(None) };
    let known = plugin::by_id(wanted).filter(|plugin| !plugin.takes_password);
    let guid = match known {
        Some(known) => known.guid,
        None => {
            braced_guid(wanted).or_else(|| is_guid(wanted).then_some(wanted)).ok_or_else(|| {
                let known: Vec<_> = PLUGINS
                    .iter()
                    .filter(|plugin| !plugin.takes_password)
                    .map(|plugin| plugin.id)
                    .collect();
                Failure::Input(format!(
                    "{wanted} is not a plug-in: write {} or a GUID in braces",
                    known.join(", ")
                ))
            })?
        }
    };
    let input = match (&args.plugin_input_file, &args.plugin_secret, known) {
        (Some(file), ..) => from_file(args, file)?,
        (None, Some(secret), Some(known)) => {
            reference(known, secret, args.plugin_identity.as_deref())?
        }
        (None, Some(_), None) => {
            return Err(Failure::Input(format!(
                "failed to write the input of the plug-in {wanted}: its format is not known; give the input \
                with --plugin-input-file"
            )));
        }
        (None, None, known) => {
            let reference = known.map_or("", |_| "--plugin-secret or ");
            return Err(Failure::Input(format!(
                "failed to make a credential spec for the plug-in {wanted}: {reference}\
                 --plugin-input-file is missing"
            )));
        }
    };
    Ok(Some((guid.to_owned(), input)))
}

/// The input of a known plug-in: where the secret is, never the secret.
fn reference(plugin: &Plugin, secret: &str, identity: Option<&str>) -> Result<String, Failure> {
    let failed = |why: String| {
        Failure::Input(format!("failed to write the input of the plug-in {}: {why}", plugin.id))
    };
    let input = match (plugin.id, identity) {
        ("aks", Some(identity)) => format!("ObjectId={identity};SecretUri={secret}"),
        ("aks", None) => {
            return Err(failed(
                "--plugin-identity is missing, the object ID of the managed identity that may read it"
                    .to_owned(),
            ));
        }
        (_, Some(_)) => return Err(failed("it takes no --plugin-identity".to_owned())),
        ("aws", None) => json!({ "credentialArn": secret }).to_string(),
        (_, None) => secret.to_owned(),
    };
    if plugin.fits(&input) {
        return Ok(input);
    }
    // What was given may be a secret by mistake, and is not repeated.
    Err(failed(format!("what was given does not have the form {}", plugin.format)))
}

fn from_file(args: &Create, file: &Path) -> Result<String, Failure> {
    let from_stdin = |path: &Path| path.as_os_str() == "-";
    if from_stdin(file) && args.directory.password_file.as_deref().is_some_and(from_stdin) {
        return Err(Failure::Input(
            "standard input can have the password or the plug-in's input, not both".to_owned(),
        ));
    }
    let failed = |why: &dyn std::error::Error| {
        Failure::Input(format!("failed to read the plug-in's input {}: {why}", file.display()))
    };
    // PowerShell writes UTF-16 by default.
    let bytes = Zeroizing::new(read(file).map_err(|error| failed(&error))?);
    let input = decode(&bytes).map_err(|error| failed(&error))?;
    Ok(input.trim_end_matches(['\r', '\n']).to_owned())
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes)?;
        Ok(bytes)
    } else {
        std::fs::read(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        let given = |id, secret, identity| {
            reference(plugin::by_id(id).unwrap(), secret, identity).map_err(|e| e.to_string())
        };
        let vault = "https://v.vault.azure.net/secrets/s";
        assert_eq!(
            given("aks", vault, Some("4d2")).unwrap(),
            format!("ObjectId=4d2;SecretUri={vault}")
        );
        assert!(given("aks", vault, None).unwrap_err().contains("--plugin-identity is missing"));
        let arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:gmsa";
        assert_eq!(given("aws", arn, None).unwrap(), format!("{{\"credentialArn\":\"{arn}\"}}"));
        assert!(given("aws", arn, Some("x")).unwrap_err().contains("takes no --plugin-identity"));
        assert_eq!(given("rancher", "ns:secret", None).unwrap(), "ns:secret");
        for (id, identity) in [("aks", Some("4d2")), ("aws", None), ("rancher", None)] {
            let error = given(id, "alice@contoso.com:hunter2", identity).unwrap_err();
            assert!(error.contains("does not have the form"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
