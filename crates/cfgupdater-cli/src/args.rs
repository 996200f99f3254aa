//! What can be written on the command line.

mod image;
mod operate;
mod read;

use std::path::PathBuf;
use std::time::Duration;

use cfgupdater_core::{AppSha, CommitId, Release, RepoName, SetName, TargetName, Timestamp, WaveName};
use cfgupdater_server::parse_duration;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

use crate::client::Until;
use crate::logging::LogFormat;

pub(crate) use image::{BuildArgs, Driver, ImageArgs, ImageCommand, RegistryArgs};
pub(crate) use operate::{ApproveArgs, IntentArgs, OperateArgs, RollbackArgs, WaiveArgs, WaveArgs};
pub(crate) use read::{LogArgs, ReadArgs, StatusArgs};

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 usage, 3 evicted or superseded, 4 wait timed out, 5 unavailable.

The token of a call comes from the file named by --token-file or from the variable CFGUPDATER_TOKEN.";

/// Owns the automatic commits of a `GitOps` configuration repository.
#[derive(Debug, Parser)]
#[command(name = "cfgupdater", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Tell a story on a repository of its own: releases, checks, an eviction, promotions
    Demo(DemoArgs),
    /// Run the service
    Serve(ServeArgs),
    /// Find every mistake in a configuration file, and what stands in the way of serving it
    CheckConfig(CheckConfigArgs),
    /// Announce a set of images, as an application's CI does
    Announce(AnnounceArgs),
    /// Report what a target runs, as a deploy tool does
    Deployed(DeployedArgs),
    /// Show branches, waves and what waits; with --wait, wait for an intent
    Status(StatusArgs),
    /// Say why what waits waits
    Why(ReadArgs),
    /// Show the audit trail, newest first
    Log(LogArgs),
    /// Close a wave: nothing lands in it
    Hold(WaveArgs),
    /// Open a held wave again
    Release(WaveArgs),
    /// Let a proven release into a wave that asks for approval
    Approve(ApproveArgs),
    /// Hold a wave and take its images back to what they were at a commit
    Rollback(RollbackArgs),
    /// Stop waiting for a target
    Waive(WaiveArgs),
    /// Stop all landing
    Pause(OperateArgs),
    /// Let landing go on
    Resume(OperateArgs),
    /// Take an intent back that hasn't landed
    Withdraw(IntentArgs),
    /// Try an intent again that was evicted, refused or withdrawn
    Retry(IntentArgs),
    /// Build the images of an application
    Image(ImageArgs),
    /// Accept the repository as it is after stable was rewound, or the state lost or edited
    Accept(OperateArgs),
    /// Evaluate Jsonnet for the service, which starts this itself
    #[command(hide = true)]
    JsonnetWorker,
    /// Run one command for the service, which starts this itself
    #[command(hide = true)]
    JobKeeper,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("after").args(["once", "keep"]))]
pub(crate) struct DemoArgs {
    /// End after the story (the default)
    #[arg(long)]
    pub(crate) once: bool,
    /// Leave the service running after the story, until Ctrl-C
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// How log lines look; the variable `CFGUPDATER_LOG` says which are written
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) log: LogFormat,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").args(["file", "config"]).required(true))]
pub(crate) struct CheckConfigArgs {
    /// The configuration file
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The same, spelt as for `serve`
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl CheckConfigArgs {
    /// Returns the file, however it was named; clap sees to it that one is.
    pub(crate) fn path(self) -> PathBuf {
        self.file.or(self.config).unwrap_or_default()
    }
}

/// Which service, and as whom.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// Where the service is
    #[arg(long, env = "CFGUPDATER_SERVER", value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(crate) server: String,
    /// The repository, as the service's configuration names it
    #[arg(long, env = "CFGUPDATER_REPO", value_name = "NAME")]
    pub(crate) repo: RepoName,
    /// A file that holds the token; without it, the variable `CFGUPDATER_TOKEN` does
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Certificates to trust in addition to the system's, PEM
    #[arg(long, env = "CFGUPDATER_CA_FILE", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// How long to repeat a call while the service is unavailable; repeating is always safe
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = parse_duration)]
    pub(crate) retry_for: Duration,
}

/// How results are shown.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct ShowArgs {
    /// Print the service's answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to wait for.
#[derive(Debug, Clone, Args)]
pub(crate) struct WaitArgs {
    /// Wait for what becomes of the intent
    #[arg(long)]
    pub(crate) wait: bool,
    /// `landed`, or `wave=NAME`: until that wave has the release on stable, or one announced after it
    #[arg(long, requires = "wait", value_name = "GOAL", default_value = "landed")]
    pub(crate) until: Until,
    /// How long to wait at most
    #[arg(long, requires = "wait", value_name = "DURATION", default_value = "30m", value_parser = parse_duration)]
    pub(crate) timeout: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct AnnounceArgs {
    /// The images: a JSON file of {"Service": {"Digest": "…", "Tag": "…"}}, or - for standard input
    #[arg(value_name = "IMAGES")]
    pub(crate) images: PathBuf,
    /// The application's commit that was built, in full
    #[arg(long, value_name = "SHA")]
    pub(crate) app_sha: AppSha,
    /// The image set; needed where several are configured
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<SetName>,
    /// Orders announcements where their arrival doesn't, such as the number of the build
    #[arg(long, value_name = "N")]
    pub(crate) sequence: Option<u64>,
    /// Tells a new run of the same build from a repeated call: pass CI's run attempt
    #[arg(long, value_name = "N")]
    pub(crate) attempt: Option<u32>,
    /// Say what would be done, and do nothing
    #[arg(long, conflicts_with = "wait")]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

/// How a deployment went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Went {
    /// The target runs it.
    Succeeded,
    /// It doesn't.
    Failed,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").args(["revision", "deployed_release"]).required(true))]
pub(crate) struct DeployedArgs {
    /// The wave
    #[arg(long, value_name = "NAME")]
    pub(crate) wave: WaveName,
    /// The target
    #[arg(long, value_name = "NAME")]
    pub(crate) target: TargetName,
    /// How it went
    #[arg(long, value_enum, value_name = "STATUS")]
    pub(crate) status: Went,
    /// The commit of the configuration repository that was deployed, in full
    #[arg(long, value_name = "SHA")]
    pub(crate) revision: Option<CommitId>,
    /// The release that was deployed, in full
    #[arg(long = "release", id = "deployed_release", value_name = "RELEASE")]
    pub(crate) release: Option<Release>,
    /// The image set; all of the target's without it
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<SetName>,
    /// When the target saw it, RFC 3339
    #[arg(long, value_name = "TIME")]
    pub(crate) observed_at: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[cfg(test)]
mod tests;
