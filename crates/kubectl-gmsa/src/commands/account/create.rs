//! `kubectl gmsa account create`

use gmsa_core::windows::encryption_types::{self, Standing};
use gmsa_directory::account::NewAccount;

use crate::cli::account::{Create, EncryptionType};
use crate::connect::{block_on, directory};
use crate::failure::Failure;
use crate::output::printer;

/// Checks, and makes the account.
pub fn run(args: &Create) -> Result<u8, Failure> {
    block_on(async {
        let directory = directory::open(&args.directory).await?;
        let wish = NewAccount {
            name: args.account.clone(),
            dns_host_name: args.dns_host_name.clone(),
            container: args.container.clone(),
            service_principal_names: args.spn.clone(),
            interval_days: args.interval_days,
            encryption_types: bits(&args.encryption),
            enabled: !args.disabled,
            allowed: directory::principals(&directory, &args.principals).await?,
        };
        let planned = directory.plan(&wish).await?;
        let encryption = encryption_types::judge(Some(wish.encryption_types));
        if encryption.standing > Standing::Good {
            printer::warning(&encryption.message);
        }
        for warning in &planned.warnings {
            printer::warning(warning);
        }
        if args.dry_run.is_set() {
            printer::data(&planned.ldif())?;
            return Ok(0);
        }
        directory.create(&planned).await?;
        printer::data(&format!("created {}\n", planned.dn))?;
        if wish.allowed.is_empty() {
            printer::note(
                "nobody may read its password yet: `kubectl gmsa account allow` lets hosts do so",
            );
        }
        printer::note(&format!(
            "a credential spec for it is made with `kubectl gmsa credspec create --from-ad --account {}`",
            wish.name.trim_end_matches('$')
        ));
        Ok(0)
    })
}

/// All of them together.
pub fn bits(encryption: &[EncryptionType]) -> i64 {
    encryption.iter().fold(0, |bits, one| bits | bit(*one))
}

/// The value of `msDS-SupportedEncryptionTypes` (MS-KILE, section 2.2.7).
const fn bit(encryption: EncryptionType) -> i64 {
    match encryption {
        EncryptionType::Rc4 => encryption_types::RC4,
        EncryptionType::Aes128 => encryption_types::AES128,
        EncryptionType::Aes256 => encryption_types::AES256,
    }
}
