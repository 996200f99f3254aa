//! Which backends a repository of the configuration gets.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cfgupdater::core::{
    BranchName, CommitId, Error, ErrorKind, Finding, Forge, GitRemote, Policy, RefName, RepoName, explain,
};
use cfgupdater::{Backends, Engine, RepoHandle};
use cfgupdater_git_backend::{Mirror, MirrorSettings, SigningKey};

use crate::config::{Config, Mode, Repo};
use crate::deploy;
use crate::forges::{Connection, Site};
use crate::git_access::remote_settings;
use crate::opening::Place;
use crate::renderers;
use crate::slot::Slot;

/// How long opening a repository may take.
const DEADLINE: Duration = Duration::from_mins(2);

/// A repository whose backends are there.
pub(crate) struct Opened {
    name: RepoName,
    policy: Policy,
    backends: Backends,
    /// Where the forge finds whom to nudge.
    told: Arc<OnceLock<RepoHandle>>,
}

impl Opened {
    /// Starts its task.
    pub(crate) fn start(self, engine: &mut Engine) -> Result<RepoHandle, Error> {
        let handle = engine.start(self.name, self.policy, self.backends)?;
        Ok(self.told.get_or_init(|| handle).clone())
    }
}

/// Makes the backends of one repository.
pub(crate) async fn open(config: &Config, repo: &Repo, place: &Place, slot: &Slot) -> Result<Opened, Error> {
    let name = repo.name.get_ref();
    // The forge says when to look, and is there before the task that looks.
    let told: Arc<OnceLock<RepoHandle>> = Arc::default();
    let look = Arc::clone(&told);
    let mut site = site(repo, place.data.join("scratch").join(name.as_str()));
    site.evidence_url = format!("{}/v1/repos/{name}/checks", place.public_url.trim_end_matches('/'));
    site.look = Arc::new(move || look.get().into_iter().for_each(RepoHandle::look));
    let directory = place.data.join("mirrors").join(format!("{name}.git"));
    let connection = repo.forge.connect(config, &site)?;
    if let Connection::Ready(forge) = &connection {
        slot.connected(Arc::clone(forge));
    }
    let (mirror, forge) = backends(config, repo, connection, &directory).await?;
    let stable = stable_branch(repo, &*mirror).await?;
    let mut policy = repo.policy(stable);
    policy.required = policy.required.map(|required| repo.forge.complete(config, required));
    let tools = deploy::tools(config, repo, &policy)?;
    let scratch = place.data.join("render").join(name.as_str());
    let renderer = renderers::renderer(repo, mirror.clone(), scratch);
    let renderer = renderer.map(|renderer| place.slots.share(renderer));
    let mut backends = Backends::new(mirror.clone(), mirror, forge).with_deployments(tools);
    backends.renderer = renderer;
    Ok(Opened { name: name.clone(), policy, backends, told })
}

/// Describes where the forge of a repository works; it makes nobody look.
fn site(repo: &Repo, scratch: PathBuf) -> Site {
    Site {
        repo: repo.name.get_ref().clone(),
        url: repo.url.get_ref().clone(),
        stable: repo.stable.clone(),
        auto: repo.auto.clone().unwrap_or_else(Policy::default_auto),
        state: repo.state.clone().unwrap_or_else(Policy::default_state),
        probe: repo.probe.clone().unwrap_or_else(Policy::default_probe),
        required: repo.required().map(|required| required.checks).unwrap_or_default(),
        signs_commits: repo.commit.ssh_signing_key_file.is_some(),
        scratch,
        evidence_url: String::new(),
        look: Arc::new(|| ()),
    }
}

/// Opens the mirror, to which git may log in with what the forge gives, and makes the forge that is kept in it.
async fn backends(
    config: &Config,
    repo: &Repo,
    connection: Connection,
    directory: &Path,
) -> Result<(Arc<Mirror>, Arc<dyn Forge>), Error> {
    let login = match &connection {
        Connection::Ready(forge) => Some(forge),
        Connection::InRepository(_) => None,
    };
    let remote = remote_settings(config, repo, login)?;
    let mut settings = MirrorSettings::new(directory, remote);
    if let Some(key) = &repo.commit.ssh_signing_key_file {
        settings = settings.with_signing_key(SigningKey::new(config.absolute(key.get_ref())));
    }
    let mirror = Arc::new(Mirror::open(settings, DEADLINE).await?);
    let forge = match connection {
        Connection::Ready(forge) => forge,
        Connection::InRepository(make) => make(mirror.clone(), mirror.clone()),
    };
    Ok((mirror, forge))
}

/// Returns the configured stable branch, or the one that the remote's HEAD names.
async fn stable_branch(repo: &Repo, remote: &dyn GitRemote) -> Result<BranchName, Error> {
    if let Some(configured) = &repo.stable {
        return Ok(configured.clone());
    }
    let head = remote.head_branch(DEADLINE).await?;
    let branch = head.as_ref().and_then(|head| head.as_str().strip_prefix("refs/heads/"));
    branch.and_then(|branch| branch.parse().ok()).ok_or_else(|| {
        let message = "the remote's HEAD names no branch; name the stable branch in the configuration";
        Error::new(ErrorKind::Invalid, message)
    })
}

/// Asks the remote and the forge of one repository what would not work.
pub(crate) async fn preflight(config: &Config, repo: &Repo) -> Vec<Finding> {
    match examine(config, repo).await {
        Ok(findings) => findings,
        Err(error) => {
            let problem = format!("{} can't be used: {}", repo.url.get_ref(), explain(&error));
            vec![Finding::fatal(problem, "check the url and who may read it")]
        }
    }
}

/// Finds out whether the account may push; one that only observes needs no right to.
async fn rights(repo: &Repo, mirror: &Mirror, tip: CommitId) -> Option<Finding> {
    let refused = mirror.may_push(tip, DEADLINE).await.err()?;
    let problem = format!("{} takes no pushes from this account: {}", repo.url.get_ref(), explain(&refused));
    let remedy = "let it push the stable branch, auto, cfgupdater/* and refs/notes/cfgupdater/*";
    Some(if repo.mode == Mode::Observe {
        Finding::warning(problem, "enough for mode = \"observe\"; before it acts, let it push")
    } else {
        Finding::fatal(problem, remedy)
    })
}

async fn examine(config: &Config, repo: &Repo) -> Result<Vec<Finding>, Error> {
    let scratch =
        |error| Error::new(ErrorKind::Other, "no temporary directory could be made").with_source(error);
    let directory = tempfile::tempdir().map_err(scratch)?;
    let site = site(repo, directory.path().join("scratch"));
    let connection = repo.forge.connect(config, &site)?;
    let (mirror, forge) = backends(config, repo, connection, &directory.path().join("mirror.git")).await?;
    let stable = stable_branch(repo, &*mirror).await?;
    let name: RefName = stable.to_ref();
    let mut findings = Vec::new();
    if let Err(clash) = repo.policy(stable.clone()).check() {
        findings.push(Finding::fatal(clash.to_string(), "the remote's HEAD may name one of them as stable"));
    }
    if let Some(tip) = mirror.fetch(std::slice::from_ref(&name), DEADLINE).await?.get(&name) {
        findings.extend(rights(repo, &mirror, *tip).await);
        let scratch = directory.path().join("render");
        findings.extend(renderers::preflight(repo, mirror.clone(), *tip, scratch).await?);
    } else {
        let problem = format!("{} has no stable branch `{stable}`", repo.url.get_ref());
        findings.push(Finding::fatal(problem, "push it first, or name another one as `stable`"));
    }
    findings.extend(forge.preflight().await?);
    Ok(findings)
}
