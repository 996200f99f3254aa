//! The bodies of the HTTP API. Clients read them with the same types.

mod answers;
mod calls;
mod status;

pub use answers::{Announced, CheckReported, Operated, Reported};
pub use calls::{Approval, Because, Deployment, Images, RollBack, Status, StatusState, Waiver};
pub use status::{
    Branch, ChainEntry, CheckView, IntentView, Log, PreflightFinding, RepoStatus, Target, TargetReport, Wave,
    WaveSet, Why,
};
