//! The service's own check: are the generated files of a commit what rendering gives?

use std::sync::Arc;

use cfgupdater_core::{
    CheckRun, CheckState, Checks, Code, CommitId, Error, ErrorKind, GitRepo, Policy, Reason,
    RenderFailureKind, RequiredCheck, RequiredChecks, TreeId,
};

use super::{Observer, Reading};
use crate::rendering::{Outcome, Rendering, Stopped};

/// The name of the check.
const CHECK: &str = "cfgupdater/generated";

/// How a tree is rendered: with what is remembered, or anew.
type Render = fn(&Rendering, &dyn GitRepo, &Policy, TreeId) -> Result<Outcome, Stopped>;

/// What was found out about one commit.
enum Verified {
    UpToDate,
    Stale(String),
    /// It could not be found out here.
    Unknown(String),
}

impl Observer {
    /// Adds the check to the commits of auto, where it is configured; on stable, which people push to, it only finds.
    /// It never takes the place of the checks that somebody must require.
    pub(super) async fn verify(
        &self,
        reading: &Reading,
        required: &mut RequiredChecks,
        checks: &mut Checks,
    ) -> Result<Vec<Reason>, Error> {
        let nothing_required = required.checks.is_empty() && !required.allow_empty;
        if !self.policy.verify_generated || !self.rendering.is_there() || nothing_required {
            return Ok(Vec::new());
        }
        required.checks.insert(RequiredCheck::named(CHECK));
        let (mut findings, mut proof) = (Vec::new(), None);
        let ours = reading.chain.iter().filter(|commit| commit.intent.is_some()).map(|commit| commit.id);
        let stable = reading.branches.stable;
        for commit in ours.chain([stable]) {
            let verified = match self.verified(commit, Rendering::render_as_it_stands).await? {
                Verified::Stale(why) if commit != stable && !self.is_proof(stable, &mut proof).await? => {
                    Verified::Unknown(format!(
                        "{why}; nobody is blamed, since stable can't be rendered either"
                    ))
                }
                verified => verified,
            };
            let (state, said) = match verified {
                Verified::UpToDate => (CheckState::Success, None),
                Verified::Stale(why) if commit == stable => (CheckState::Success, Some(why)),
                Verified::Stale(why) => (CheckState::Failure, Some(why)),
                Verified::Unknown(why) if commit == stable => (CheckState::Success, Some(why)),
                Verified::Unknown(why) => (CheckState::Infrastructure(why.clone()), Some(why)),
            };
            let mut run = CheckRun::new(CHECK, 1, state);
            run.summary.clone_from(&said);
            checks.entry(commit).or_default().push(run);
            let subject = format!("commit {}", commit.short(10));
            findings.extend(said.map(|said| Reason::new(Code::Rendering, subject, said)));
        }
        Ok(findings)
    }

    /// Tells whether what is wrong with a commit proves anything: only if stable, rendered here and now, gives what it holds.
    /// Else it is the renderer that broke or became another one.
    async fn is_proof(&self, stable: CommitId, known: &mut Option<bool>) -> Result<bool, Error> {
        if known.is_none() {
            *known = Some(matches!(self.verified(stable, Rendering::render_anew).await?, Verified::UpToDate));
        }
        Ok(*known == Some(true))
    }

    async fn verified(&self, commit: CommitId, render: Render) -> Result<Verified, Error> {
        let (repo, policy) = (Arc::clone(&self.backends.repo), Arc::clone(&self.policy));
        let rendering = Arc::clone(&self.rendering);
        let interrupted =
            |error| Error::new(ErrorKind::Other, "verifying was interrupted").with_source(error);
        let verify = move || verify(&*repo, &commit, |tree| render(&rendering, &*repo, &policy, tree));
        tokio::task::spawn_blocking(verify).await.map_err(interrupted)?
    }
}

fn verify(
    repo: &dyn GitRepo,
    commit: &CommitId,
    render: impl Fn(TreeId) -> Result<Outcome, Stopped>,
) -> Result<Verified, Error> {
    let tree = repo.commit(commit)?.tree;
    let made = match render(tree) {
        Ok(outcome) => outcome.tree,
        Err(Stopped::Backend(error)) => return Err(error),
        Err(Stopped::Failed(failure)) if failure.kind == RenderFailureKind::Environment => {
            return Ok(Verified::Unknown(failure.message));
        }
        Err(Stopped::Failed(failure)) => {
            return Ok(Verified::Stale(format!("its files can't be rendered: {}", failure.message)));
        }
    };
    if made == tree {
        return Ok(Verified::UpToDate);
    }
    let changes = repo.diff(Some(&tree), &made)?;
    let first = changes.first().map(|change| String::from_utf8_lossy(&change.path).into_owned());
    Ok(Verified::Stale(format!(
        "{} generated files are not up to date, {} for one: render them and commit the result",
        changes.len(),
        first.unwrap_or_default()
    )))
}
