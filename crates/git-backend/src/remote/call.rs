//! One call to a remote: its deadline, its login, and the processes it runs.

use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind, GitCredentials, RefMap, RefName};
use tokio::time::{Instant, timeout_at};

use super::failure::{Failure, classify};
use super::git_command::GitCommand;
use super::process::{self, Output};
use super::ref_listing;
use super::remote_url::Transport;
use super::settings::RemoteSettings;
use super::text::{clean, reason_of, remote_messages};

/// Listing references needs no repository, so that it works while the mirror is damaged.
const NO_REPOSITORY: &str = "/dev/null";

/// A call under way.
pub(crate) struct Call<'a> {
    settings: &'a RemoteSettings,
    login: Option<GitCredentials>,
    deadline: Instant,
}

impl<'a> Call<'a> {
    /// Starts a call; the login is asked for now, within the deadline.
    pub(crate) async fn start(settings: &'a RemoteSettings, limit: Duration) -> Result<Self, Error> {
        let mut call = Self { settings, login: None, deadline: Instant::now() + limit };
        if let (Transport::Http(_), Some(source)) = (settings.url.transport(), &settings.credentials) {
            let login = timeout_at(call.deadline, source.credentials()).await;
            call.login = login.map_err(|_| call.timed_out("get a login for"))??;
        }
        Ok(call)
    }

    /// Waits for something else within the deadline.
    pub(crate) async fn wait<T>(&self, action: &str, what: impl Future<Output = T>) -> Result<T, Error> {
        timeout_at(self.deadline, what).await.map_err(|_| self.timed_out(action))
    }

    /// Returns how long the call may still take.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Builds a command that talks to the remote from `repository`.
    pub(crate) fn command(&self, repository: &std::path::Path) -> GitCommand {
        GitCommand::remote(self.settings, repository, self.login.as_ref())
    }

    /// Lists references of the remote.
    pub(crate) async fn list(&self, names: &[RefName]) -> Result<RefMap, Error> {
        if names.is_empty() {
            return Ok(RefMap::new());
        }
        let names_text = names.iter().map(RefName::as_str);
        let output = self.ls_remote(&[], names_text).await?;
        Ok(ref_listing::parse(&output.stdout, names))
    }

    /// Runs `git ls-remote`.
    pub(crate) async fn ls_remote(
        &self,
        options: &[&str],
        patterns: impl Iterator<Item = &str>,
    ) -> Result<Output, Error> {
        let command = self
            .command(NO_REPOSITORY.as_ref())
            .arg("ls-remote")
            .serving("upload-pack", "upload-pack", self.settings)
            .args(options)
            .arg("--")
            .arg(self.settings.url.as_str())
            .args(patterns);
        let output = self.run("list the references of", &command).await?;
        if output.status.success() { Ok(output) } else { Err(self.failed("list the references of", &output)) }
    }

    /// Runs a command to its end, however it ends, within the deadline.
    pub(crate) async fn run(&self, action: &str, command: &GitCommand) -> Result<Output, Error> {
        let output = self.run_for(self.remaining(), command).await?;
        output.ok_or_else(|| self.timed_out(action))
    }

    /// Runs a command for `limit` at most; `None` where it had to be ended.
    pub(crate) async fn run_for(
        &self,
        limit: Duration,
        command: &GitCommand,
    ) -> Result<Option<Output>, Error> {
        let output =
            process::run(command.to_process(), limit).await.map_err(|cause| cannot_start(command, cause))?;
        if let (Some(output), Some(login), Some(source)) = (&output, &self.login, &self.settings.credentials)
            && !output.status.success()
            && classify(&output.stderr).kind == ErrorKind::Unauthenticated
        {
            source.refused(login).await;
        }
        Ok(output)
    }

    /// Says why a command failed.
    pub(crate) fn failed(&self, action: &str, output: &Output) -> Error {
        let Failure { kind, advice, .. } = classify(&output.stderr);
        let reason = self.clean(reason_of(&output.stderr));
        let said = self.clean(&remote_messages(&output.stderr));
        let said = if said.is_empty() { said } else { format!(" (the remote says: {said})") };
        Error::new(kind, format!("can't {action} {}: {reason}{said}; {advice}", self.settings.url))
    }

    /// Makes text of git or the remote fit for a log.
    pub(crate) fn clean(&self, text: &str) -> String {
        clean(text, self.login.as_ref().map(|login| login.password.as_str()))
    }

    fn timed_out(&self, action: &str) -> Error {
        let message = format!(
            "can't {action} {}: the deadline passed; check that the remote answers",
            self.settings.url
        );
        Error::new(ErrorKind::TimedOut, message)
    }
}

/// Says that a process couldn't be started.
pub(crate) fn cannot_start(command: &GitCommand, cause: std::io::Error) -> Error {
    let message = format!(
        "can't run `{}`; install git 2.41 or newer, or configure where it is",
        command.program().display()
    );
    Error::new(ErrorKind::Other, message).with_source(cause)
}
