//! What reads, and what it may wait for.

use cfgupdater_core::{AppSha, IntentId, SetName};
use clap::{ArgGroup, Args};

use super::{ConnectionArgs, ShowArgs, WaitArgs};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("awaited").args(["intent", "app_sha"]).requires("wait"))]
pub(crate) struct StatusArgs {
    /// Wait for this intent, as `announce` printed it; without it and --app-sha, for the newest announcement
    #[arg(long, value_name = "ID")]
    pub(crate) intent: Option<IntentId>,
    /// Wait for the newest announcement of this application commit, also one yet to come
    #[arg(long, value_name = "SHA")]
    pub(crate) app_sha: Option<AppSha>,
    /// Wait for an announcement of this image set
    #[arg(long, value_name = "NAME", requires = "wait", conflicts_with = "intent")]
    pub(crate) set: Option<SetName>,
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReadArgs {
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// How many transitions to show
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: usize,
    /// Go on after this one: what the page before called `next`
    #[arg(long, value_name = "NEXT")]
    pub(crate) after: Option<String>,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}
