//! What operators write on the command line.

use cfgupdater_core::{CommitId, IntentId, Release, TargetName, Timestamp, WaveName};
use clap::Args;

use super::{ConnectionArgs, ShowArgs};

/// What all calls of operators have.
#[derive(Debug, Args)]
pub(crate) struct OperateArgs {
    /// Why; the audit trail keeps it
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Names this call, so that repeating the command doesn't repeat what it does; a new one each time without it
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WaveArgs {
    /// The wave
    #[arg(long, value_name = "NAME")]
    pub(crate) wave: WaveName,
    #[command(flatten)]
    pub(crate) operate: OperateArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ApproveArgs {
    /// The release that was looked at, in full; the one that waits without it
    #[arg(long = "release", value_name = "RELEASE")]
    pub(crate) release: Option<Release>,
    #[command(flatten)]
    pub(crate) wave: WaveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RollbackArgs {
    /// The commit of the stable branch whose images the wave goes back to, in full
    #[arg(long, value_name = "COMMIT")]
    pub(crate) to: CommitId,
    #[command(flatten)]
    pub(crate) wave: WaveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct WaiveArgs {
    /// The target
    #[arg(long, value_name = "NAME")]
    pub(crate) target: TargetName,
    /// Until when, RFC 3339; for good without it, and a time that has passed ends a waiver
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) wave: WaveArgs,
}

#[derive(Debug, Args)]
pub(crate) struct IntentArgs {
    /// The intent, as `announce`, `status` and `log` show it, in full
    #[arg(long, value_name = "ID")]
    pub(crate) intent: IntentId,
    #[command(flatten)]
    pub(crate) operate: OperateArgs,
}
