//! What is there, and what goes wrong.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::TOKEN;
use crate::composite::composite;

/// How many deliveries in a row may fail before GitLab disables a webhook.
const FAILURES: u32 = 4;

/// What goes wrong with every request, or with some.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None,
    /// Too many requests; when to come back in seconds, where that is said.
    RateLimited(Option<u64>),
    /// 503.
    Unavailable,
    /// A page of a list answers 502.
    PageFails(usize),
    /// A page of a list answers 404.
    PageIsMissing(usize),
    /// A page of a list ends in its middle.
    PageIsCut(usize),
    /// A list of statuses lacks its last item.
    PageIsShort,
    /// What lists say of their next page is lost on the way.
    PagesAreUntold,
    /// The API doesn't know this commit yet.
    CommitUnknown(String),
    /// 404 for the project.
    ProjectGone,
    /// 401, whoever asks.
    TokenRevoked,
    /// 403 for pipelines and statuses.
    ChecksForbidden,
    /// Whatever has this in its path is answered with a status.
    Answers(&'static str, u16),
}

/// One pipeline.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) id: u64,
    pub(crate) sha: String,
    pub(crate) branch: String,
    pub(crate) source: String,
    /// Whether it is a tag's, whose name then stands for the branch's.
    pub(crate) of_tag: bool,
    /// What it says, where that isn't made of its jobs.
    pub(crate) told: Option<String>,
}

/// A job, a bridge to another pipeline, or a status that somebody posted.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) pipeline: u64,
    pub(crate) name: String,
    pub(crate) status: String,
    /// Why it failed, in GitLab's words.
    pub(crate) failure_reason: Option<String>,
    pub(crate) allow_failure: bool,
    pub(crate) retried: bool,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Job,
    Bridge(u64),
    /// Posted by a user.
    Status(String),
}

/// One project on a GitLab.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what goes wrong is independent of each other")]
pub struct World {
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) jobs: Vec<Job>,
    /// The token that holds.
    pub token: String,
    /// A token that held once, and has expired.
    pub expired: Option<String>,
    /// When the token ends, as a date.
    pub expires_at: Option<String>,
    /// What goes wrong.
    pub trouble: Trouble,
    /// Each status of somebody gets a pipeline of its own, as happens when several are posted at once.
    pub duplicates_external: bool,
    /// How many posts of statuses meet another, and are answered 409.
    pub contended: u32,
    /// Lists are turned by numbers alone, as older versions do.
    pub numbers_only: bool,
    /// Method and target of every request.
    pub requests: Vec<String>,
    /// What the project says of itself beyond its names.
    pub project: Value,
    /// The protected branches.
    pub protected: Vec<Value>,
    /// The users who may push to protected branches, and so may post statuses of their commits.
    pub trusted: Vec<String>,
    /// The push rules, where there are any.
    pub push_rules: Option<Value>,
    /// The role of the token's account.
    pub access_level: u64,
    /// Where the webhook goes, where there is one.
    pub hook_url: Option<String>,
    /// Whether the webhook is sent for jobs.
    pub job_events: bool,
    hook_failures: u32,
    /// Where repositories are served from.
    pub git_root: Option<PathBuf>,
    /// Answers the next push, which is applied, with 502.
    pub break_next_push: bool,
    /// The passwords that pushes came with.
    pub pushes: Vec<String>,
    next_id: u64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            pipelines: Vec::new(),
            jobs: Vec::new(),
            token: TOKEN.to_owned(),
            expired: None,
            expires_at: None,
            trouble: Trouble::None,
            duplicates_external: false,
            contended: 0,
            numbers_only: false,
            requests: Vec::new(),
            project: json!({}),
            protected: Vec::new(),
            trusted: Vec::new(),
            push_rules: None,
            access_level: 40,
            hook_url: None,
            job_events: true,
            hook_failures: 0,
            git_root: None,
            break_next_push: false,
            pushes: Vec::new(),
            next_id: 100,
        }
    }
}

impl World {
    /// Makes a pipeline, which says what its jobs say together.
    pub fn pipeline(&mut self, sha: &str, branch: &str, source: &str) -> u64 {
        let id = self.id();
        let (sha, branch, source) = (sha.to_owned(), branch.to_owned(), source.to_owned());
        self.pipelines.push(Pipeline { id, sha, branch, source, of_tag: false, told: None });
        id
    }

    /// Returns the pipeline for a push, which is made where there is none.
    pub fn pipeline_of(&mut self, sha: &str, branch: &str) -> u64 {
        let fits = |known: &&Pipeline| known.sha == sha && known.branch == branch && known.source == "push";
        let known = self.pipelines.iter().find(fits).map(|known| known.id);
        known.unwrap_or_else(|| self.pipeline(sha, branch, "push"))
    }

    /// Makes a pipeline of a tag that has a branch's name.
    pub fn pipeline_of_tag(&mut self, sha: &str, tag: &str) -> u64 {
        let id = self.pipeline(sha, tag, "push");
        self.pipelines.iter_mut().filter(|known| known.id == id).for_each(|known| known.of_tag = true);
        id
    }

    /// Makes a pipeline say something, whatever its jobs say.
    pub fn tell(&mut self, pipeline: u64, status: &str) {
        let found = self.pipelines.iter_mut().find(|known| known.id == pipeline);
        found.expect("a pipeline that there is").told = Some(status.to_owned());
    }

    /// Begins an attempt of a job, in the place of those before.
    pub fn job(&mut self, pipeline: u64, name: &str, status: &str) -> u64 {
        self.add(pipeline, name, status, Kind::Job)
    }

    /// Begins an attempt of a bridge to another pipeline.
    pub fn bridge(&mut self, pipeline: u64, name: &str, status: &str, to: u64) -> u64 {
        self.add(pipeline, name, status, Kind::Bridge(to))
    }

    /// Changes what a job says.
    pub fn update_job(&mut self, id: u64, status: &str) {
        let found = self.jobs.iter_mut().find(|job| job.id == id);
        status.clone_into(&mut found.expect("a job that there is").status);
    }

    /// Makes a job fail for a reason, in GitLab's words.
    pub fn fail_job(&mut self, id: u64, reason: &str) {
        self.update_job(id, "failed");
        let failed = self.jobs.iter_mut().filter(|job| job.id == id);
        failed.for_each(|job| job.failure_reason = Some(reason.to_owned()));
    }

    /// Makes a pipeline for a push with one job.
    pub fn run(&mut self, sha: &str, branch: &str, status: &str) -> u64 {
        let pipeline = self.pipeline(sha, branch, "push");
        self.job(pipeline, "ci", status);
        pipeline
    }

    /// Posts a status as a user. GitLab keeps it in the newest pipeline of the branch, or makes an external one for it.
    pub fn status(&mut self, sha: &str, branch: &str, name: &str, state: &str, by: &str) -> u64 {
        let fits = |known: &&Pipeline| known.sha == sha && known.branch == branch;
        let known = self.pipelines.iter().rev().filter(fits).find(|known| known.source != "parent_pipeline");
        let known = known.filter(|known| known.source != "external" || !self.duplicates_external);
        let pipeline = known.map(|known| known.id);
        let pipeline = pipeline.unwrap_or_else(|| self.pipeline(sha, branch, "external"));
        self.add(pipeline, name, state, Kind::Status(by.to_owned()))
    }

    /// Exchanges the token; the old one has expired.
    pub fn rotate(&mut self, token: &str) {
        self.expired = Some(std::mem::replace(&mut self.token, token.to_owned()));
    }

    /// Takes note of how a delivery to the webhook was answered.
    pub fn delivered(&mut self, status: u16) {
        self.hook_failures = if (200..300).contains(&status) { 0 } else { self.hook_failures + 1 };
    }

    /// Tells whether GitLab still delivers.
    pub fn hook_is_enabled(&self) -> bool {
        self.hook_failures < FAILURES
    }

    /// Tells whether a branch is protected by its name; stars are left to the adapter.
    pub(crate) fn is_protected(&self, branch: &str) -> bool {
        self.protected.iter().any(|rule| rule["name"] == branch)
    }

    /// Counts the requests whose target contains `part`.
    pub fn requests_of(&self, part: &str) -> usize {
        self.requests.iter().filter(|request| request.contains(part)).count()
    }

    /// Whatever has the name is taken out of what the pipeline says: jobs and bridges too, and what others posted.
    fn add(&mut self, pipeline: u64, name: &str, status: &str, kind: Kind) -> u64 {
        let id = self.id();
        let same = |job: &&mut Job| job.pipeline == pipeline && job.name == name;
        self.jobs.iter_mut().filter(same).for_each(|job| job.retried = true);
        let (name, status) = (name.to_owned(), status.to_owned());
        let failure_reason = (kind == Kind::Job).then(|| "script_failure".to_owned());
        let (allow_failure, retried) = (false, false);
        self.jobs.push(Job { id, pipeline, name, status, failure_reason, allow_failure, retried, kind });
        id
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Says what a pipeline says.
    pub(crate) fn status_of(&self, pipeline: &Pipeline) -> String {
        if let Some(told) = &pipeline.told {
            return told.clone();
        }
        let latest = self.jobs.iter().filter(|job| job.pipeline == pipeline.id && !job.retried);
        composite(&latest.filter(|job| !job.allow_failure).map(|job| job.status.as_str()).collect())
            .to_owned()
    }
}
