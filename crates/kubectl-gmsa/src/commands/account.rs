//! `kubectl gmsa account`: group managed service accounts in Active Directory.

mod change;
pub mod check;
mod create;
mod proof;
mod remove;
mod set;

use crate::cli::account::Account;
use crate::failure::Failure;

/// Runs one of the commands.
pub fn run(command: &Account) -> Result<u8, Failure> {
    match command {
        Account::Create(args) => create::run(args),
        Account::Check(args) => check::run(args),
        Account::Allow(args) => change::run(args, change::Direction::Allow),
        Account::Disallow(args) => change::run(args, change::Direction::Disallow),
        Account::Set(args) => set::run(args),
        Account::Remove(args) => remove::run(args),
    }
}
