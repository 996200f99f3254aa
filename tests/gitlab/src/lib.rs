//! A GitLab for tests: one project, its pipelines, statuses and settings, a token, and git over HTTP.
//!
//! It keeps state and goes wrong as told. It lives below a subpath and writes another name for itself into its links, as
//! self-managed ones behind a proxy do.
//!
//! What it does as GitLab does, and where that is written there:
//!
//! - A status hides whatever has its name in its pipeline, jobs and bridges too:
//!   `app/services/ci/pipelines/add_job_service.rb`.
//! - Jobs and bridges are listed with all attempts where `include_retried` is asked for: `app/finders/ci/jobs_finder.rb`.
//! - The words of jobs make that of a pipeline: `lib/gitlab/ci/status/composite.rb`.
//! - A status goes to the newest pipeline of its branch, needs rights to that branch, and meets others in a lock:
//!   `app/services/ci/create_commit_status_service.rb`.
//! - Why jobs fail: `app/models/concerns/enums/ci/commit_status.rb`.
//!
//! What it does not as GitLab does: it turns lists of pipelines and jobs by keys where it is asked to, which GitLab's
//! `lib/api/ci/pipelines.rb` does not, so that both ways are tested. A status that is posted again while it runs is made
//! anew, where GitLab changes the one that runs. A pipeline's word follows its jobs at once. Stars in the names of protected
//! branches mean nothing to who posts statuses. Push rules and protected branches are told and not obeyed: hooks of the
//! repositories do that.

mod answers;
mod api;
mod composite;
mod paging;
mod server;
mod world;

pub use server::FakeGitlab;
pub use world::{Trouble, World};

/// The project that there is.
pub const PROJECT: &str = "acme/cfg";

/// The number of the project.
pub const PROJECT_ID: u64 = 4711;

/// The number of the account that the token belongs to.
pub const BOT_ID: u64 = 77;

/// The token that holds at first.
pub const TOKEN: &str = "glpat-canaryofthebot";
