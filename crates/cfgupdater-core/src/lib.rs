#![doc = include_str!("../README.md")]
//!
//! # In this crate
//!
//! The rules of cfgupdater, without I/O.
//!
//! Everything that decides anything is here, as functions of values: [`plan`] turns a [`Snapshot`] of a repository
//! into one effect, and [`Reconciler`] is the loop around it as a value. The traits [`GitRepo`], [`GitRemote`],
//! [`Forge`], [`Registry`], [`Renderer`] and [`Deployments`] are what a backend implements.

mod admission;
mod awaited;
mod branch_names;
mod call;
mod check;
mod deployment;
mod deployments;
mod end;
mod error;
mod evict;
mod failure;
mod fault;
mod forge;
mod freeze;
mod gate;
mod git_remote;
mod git_repo;
mod hex;
mod history;
mod image;
mod intent;
mod land;
mod layout;
mod message;
mod name;
mod object_id;
mod operate;
mod path_set;
mod plan;
mod policy;
mod poll;
mod preview;
mod projection;
mod promote;
mod push_pace;
mod reason;
mod reconciler;
mod record;
mod registry;
mod release;
mod release_file;
mod render;
mod repo_path;
mod snapshot;
mod state;
mod state_files;
mod state_message;
mod suspects;
#[cfg(test)]
mod testing;
mod timeout;
mod timestamp;
mod trailers;
mod unrendered;
mod verdict;
mod verify_generated;
mod verify_images;
mod yaml;

pub use admission::{Admission, admit};
pub use awaited::awaited;
pub use branch_names::{PARKED, check_branches};
pub use call::{
    Announced, Answer, Call, Claim, DeploymentReport, OperationAnswer, Outcome, Previewed, Refusal,
    RefusalKind, ReportAnswer, Request, Sighting,
};
pub use check::{CheckRun, CheckState, RequiredCheck, RequiredChecks};
pub use deployment::is_news;
pub use deployments::{Deployments, Place};
pub use end::{By, CheckOutcome, End, Evidence};
pub use error::{Error, ErrorKind, Retry, explain};
pub use evict::{Blame, blame};
pub use failure::{During, Failure, Reaction, reaction};
pub use forge::{
    ApiUsage, Capabilities, Checks, Finding, Forge, ForgeAction, ForgeAnswer, GitCredentials,
    WebhookDelivery, WebhookMeaning,
};
pub use freeze::{FreezeWindow, InvalidFreezeWindow};
pub use git_remote::{Expected, GitRemote, RefEdit, RefMap, RefOutcome};
pub use git_repo::{Commit, EntryKind, GitRepo, NewCommit, TreeChange, TreeEdit, TreeEntry, Walk};
pub use history::{History, HistoryCommit, Introduction, Slot};
pub use image::{Image, ImageChange, ImageMap, ImageRef, InvalidImage};
pub use intent::{Action, Announcement, Intent, IntentId, InvalidIntentId, promotion_id, rollback_id};
pub use land::{Candidate, landable};
pub use layout::{DEFAULT_PATH, Form, Layout, LayoutError, ReleaseIdentity, decode_images, encode_images};
pub use message::{Autocommit, FORMAT_VERSION};
pub use name::{BranchName, InvalidName, RefName, RepoName, ServiceName, SetName, TargetName, WaveName};
pub use object_id::{AppSha, BlobId, CommitId, InvalidObjectId, ObjectFormat, ObjectId, TreeId};
pub use operate::{InvalidOperationKey, Operation, OperationKey};
pub use path_set::{InvalidPattern, PathPattern, PathSet};
pub use plan::{AutoEdit, Decision, Effect, Plan, Reply, Scope, Transaction, decide, plan};
pub use policy::{Identity, Landing, Mode, Policy, SetPolicy, TargetPolicy, WavePolicy};
pub use poll::{Pace, Polls};
pub use projection::{Projection, project};
pub use promote::{Progress, Step};
pub use reason::{Code, Reason};
pub use reconciler::{CallId, Command, Input, Reconciler, Written};
pub use record::{Built, DeploymentStatus, Entry, Note, Record, Report};
pub use registry::{Descriptor, ImageDigest, InvalidDigest, Manifest, Registry};
pub use release::{InvalidRelease, Release};
pub use release_file::{InvalidReleaseFile, ReleaseFile};
pub use render::{Culprit, RenderFailure, RenderFailureKind, RenderRequest, Rendered, Renderer, culprit};
pub use repo_path::{InvalidPath, RepoPath};
pub use snapshot::{Branches, ChainCommit, Fault, Relation, Revision, Snapshot};
pub use state::{
    Accepted, Approval, Performed, SequenceFloor, State, TargetReports, Waiver, WaveState, Word,
};
pub use state_files::{
    ENTRY_PATH, InvalidState, StateFiles, decode_entry, decode_state, encode_entry, encode_state, intent_path,
};
pub use state_message::state_message;
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use unrendered::{RENDER_CHECK, RenderingFailure};
pub use verdict::{CheckVerdict, Verdict, by_check, verdict};
pub use verify_generated::{Compared, GENERATED_CHECK, ToRender, Verification};
pub use verify_images::{RegistryAnswers, VerifyImages, verify_images};
