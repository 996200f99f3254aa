//! The remote of a repository, on the `git` binary.

mod call;
mod failure;
mod process;
mod push_outcome;
mod push_plan;
mod push_refusal;
mod push_report;
mod ref_listing;
mod text;
mod tracking;

pub(crate) mod credentials;
pub(crate) mod git_cli;
pub(crate) mod git_command;
pub(crate) mod remote_url;
pub(crate) mod settings;
pub(crate) mod ssh_identity;

use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind};

use git_command::GitCommand;

/// Runs a command on a local repository and fails unless it succeeds.
pub(crate) async fn run_locally(action: &str, command: &GitCommand, limit: Duration) -> Result<(), Error> {
    let output = process::run(command.to_process(), limit).await;
    match output.map_err(|cause| call::cannot_start(command, cause))? {
        Some(output) if output.status.success() => Ok(()),
        Some(output) => {
            let reason = text::clean(text::reason_of(&output.stderr), None);
            Err(Error::new(failure::classify(&output.stderr).kind, format!("can't {action}: {reason}")))
        }
        None => Err(Error::new(ErrorKind::TimedOut, format!("can't {action}: the deadline passed"))),
    }
}

/// Returns the object format of the remote as its listing shows, `None` where it has no reference.
pub(crate) async fn object_format(
    settings: &settings::RemoteSettings,
    limit: Duration,
) -> Result<Option<cfgupdater_core::ObjectFormat>, Error> {
    let listing = call::Call::start(settings, limit).await?.ls_remote(&[], std::iter::empty()).await?;
    let id =
        listing.stdout.split_whitespace().next().and_then(|id| id.parse::<cfgupdater_core::ObjectId>().ok());
    Ok(id.map(|id| id.format()))
}
