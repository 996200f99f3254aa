//! The `cfgupdater` command: runs the service, talks to one, and shows what it does.

mod args;
mod client;
mod commands;
mod demo;
mod exit;
mod logging;
mod output;
mod secret;
mod signals;
mod span;
mod text;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::exit::Failure;

fn main() -> ExitCode {
    // Tokens are in the environment and keys in memory, and there are commands of other people to run.
    if let Err(error) = cfgupdater_server::keep_to_ourselves() {
        output::note(&format!("cfgupdater: other processes of this user may read its memory: {error}"));
    }
    let cli = Cli::parse();
    if matches!(cli.command, args::Command::JobKeeper) {
        return cfgupdater_server::keep_job();
    }
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::note(&format!("cfgupdater: {failure}"));
            ExitCode::from(failure.exit.code())
        }
    }
}

fn run(cli: Cli) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("the runtime can't be started: {error}")))?;
    let ended = runtime.block_on(commands::run(cli.command));
    // A git process or a check that ignores its deadline must not keep the command from ending.
    runtime.shutdown_background();
    ended
}
