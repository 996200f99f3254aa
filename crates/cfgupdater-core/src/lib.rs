//! The rules of cfgupdater, without I/O.
mod check;
mod error;
mod forge;
mod git_remote;
mod git_repo;
mod hex;
mod image;
mod name;
mod object_id;
mod release;
mod repo_path;
mod timestamp;

pub use check::{CheckRun, CheckState, RequiredCheck, RequiredChecks};
pub use error::{Error, ErrorKind, Retry, explain};
pub use forge::{
    Capabilities, Checks, Finding, Forge, ForgeAction, ForgeAnswer, GitCredentials, WebhookDelivery,
    WebhookMeaning,
};
pub use git_remote::{Expected, GitRemote, RefEdit, RefMap, RefOutcome};
pub use git_repo::{Commit, EntryKind, GitRepo, NewCommit, TreeChange, TreeEdit, TreeEntry, Walk};
pub use image::{Image, ImageMap, ImageRef, InvalidImage};
pub use name::{BranchName, InvalidName, RefName, RepoName, ServiceName, SetName, TargetName, WaveName};
pub use object_id::{BlobId, CommitId, InvalidObjectId, ObjectFormat, ObjectId, TreeId};
pub use release::{InvalidRelease, Release};
pub use repo_path::{InvalidPath, RepoPath};
pub use timestamp::{InvalidTimestamp, Timestamp};
