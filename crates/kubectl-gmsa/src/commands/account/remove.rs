//! `kubectl gmsa account remove`

use crate::cli::account::Remove;
use crate::connect::{block_on, directory, objects};
use crate::credential_spec::{self, name_of, uses_account};
use crate::failure::Failure;
use crate::output::printer;
use crate::prompt::{ask, can_ask};

/// Removes the account, after a question.
pub fn run(args: &Remove) -> Result<u8, Failure> {
    block_on(async {
        let dry_run = args.dry_run.is_set();
        if !dry_run && !args.yes {
            can_ask("nothing was removed")?;
        }
        let directory = directory::open(&args.directory).await?;
        let dn = directory.remove(&args.account, true).await?;
        match users(args).await {
            Ok(users) if users.is_empty() => {
                printer::note("no credential spec of the cluster names it");
            }
            Ok(users) => printer::warning(&format!(
                "credential specs of the cluster still name it, and pods that use them lose their \
                 identity: {}",
                users.join(", ")
            )),
            Err(failure) => printer::warning(&format!(
                "whether credential specs still name it is not known: {failure}"
            )),
        }
        if dry_run {
            printer::data(&format!("would remove {dn}\n"))?;
            return Ok(0);
        }
        if !args.yes && !ask(&format!("remove {dn}? Pods that run as it lose their identity."))? {
            return Err(Failure::Missing("nothing was removed".to_owned()));
        }
        directory.remove(&args.account, false).await?;
        printer::data(&format!("removed {dn}\n"))?;
        Ok(0)
    })
}

/// The credential specs of the cluster that name the account.
async fn users(args: &Remove) -> Result<Vec<String>, Failure> {
    let specs = credential_spec::list(&objects(&args.cluster).await?).await?;
    let users = specs.iter().filter(|spec| uses_account(spec, &args.account));
    Ok(users.map(|spec| name_of(spec).to_owned()).collect())
}
