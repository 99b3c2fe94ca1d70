//! The plugin `kubectl gmsa`.

mod access_map;
mod checks;
mod cli;
mod commands;
mod connect;
mod credential_spec;
mod failure;
mod from_ad;
mod installation;
mod output;
mod prompt;
mod rights;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

pub use access_map::report::schema as access_schema;
pub use cli::command;
pub use commands::account::check::schema as account_check_schema;
pub use commands::audit::schema as audit_schema;
pub use commands::credspec::lint::schema as credspec_lint_schema;
pub use commands::doctor::schema as doctor_schema;
pub use commands::review::on_a_terminal as review_on_a_terminal;
pub use commands::review::schema as review_schema;
pub use commands::status::schema as status_schema;

use cli::{Cli, Command};
use failure::Failure;
use output::printer;

/// Runs the command line and returns its exit code: 0 done and nothing found, 1 something denied
/// or found, 2 bad usage or input, 3 the cluster or the directory could not be reached or
/// refused.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if args.first().is_some_and(|program| commands::completion::is_asked_by_kubectl(program)) {
        return ended(commands::completion::for_kubectl(args));
    }
    let read = Cli::try_parse_from(args).and_then(|mut cli| cli.settle().map(|()| cli));
    let cli = match read {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // There is nowhere to report that printing failed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let done = match &cli.command {
        Command::Review(args) => commands::review::run(args),
        Command::Install(args) => commands::install::run(args),
        Command::Uninstall(args) => commands::uninstall::run(args),
        Command::Status(args) => commands::status::run(args),
        Command::Credspec(command) => commands::credspec::run(command),
        Command::Account(command) => commands::account::run(command),
        Command::Grant(args) => rights::grant(args),
        Command::Revoke(args) => commands::revoke::run(args),
        Command::Access(args) => commands::access::run(args),
        Command::Doctor(args) => commands::doctor::run(args),
        Command::Report(args) => commands::report::run(args),
        Command::Audit(args) => commands::audit::run(args),
        Command::Completion(args) => commands::completion::run(args),
        Command::Version => commands::version::run(),
    };
    ended(done)
}

fn ended(done: Result<u8, Failure>) -> ExitCode {
    match done {
        Ok(code) => ExitCode::from(code),
        Err(Failure::Closed) => ExitCode::SUCCESS,
        Err(failure) => {
            printer::error(&failure.to_string());
            ExitCode::from(failure.code())
        }
    }
}
