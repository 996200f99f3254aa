//! Which backends a repository of the configuration gets.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cfgupdater::core::{
    BranchName, CommitId, Error, ErrorKind, Finding, Forge, GitRemote, Policy, RefName, RepoName, explain,
};
use cfgupdater::{Backends, Engine, RepoHandle};
use cfgupdater_forge_local::{CheckCommand, LocalForge, LocalForgeSettings};
use cfgupdater_git_backend::{Mirror, MirrorSettings, RemoteSettings, RemoteUrl, SshIdentity, TokenFile};

use crate::config::{Config, Mode, Repo};
use crate::opening::Place;

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
    pub(crate) fn start(self, engine: &mut Engine) -> RepoHandle {
        let handle = engine.start(self.name, self.policy, self.backends);
        self.told.get_or_init(|| handle).clone()
    }
}

/// Makes the backends of one repository.
pub(crate) async fn open(config: &Config, repo: &Repo, place: &Place) -> Result<Opened, Error> {
    let name = repo.name.get_ref();
    let directory = place.data.join("mirrors").join(format!("{name}.git"));
    let settings = MirrorSettings::new(directory, remote_settings(config, repo)?);
    let mirror = Arc::new(Mirror::open(settings, DEADLINE).await?);
    let stable = stable_branch(repo, &*mirror).await?;
    // The forge says when to look, and is there before the task that looks.
    let told: Arc<OnceLock<RepoHandle>> = Arc::default();
    let look = Arc::clone(&told);
    let on_change = Arc::new(move || look.get().into_iter().for_each(RepoHandle::look));
    let evidence = format!("{}/v1/repos/{name}/checks", place.public_url.trim_end_matches('/'));
    let settings = forge_settings(repo, place.data.join("scratch").join(name.as_str()), evidence);
    let forge: Arc<dyn Forge> =
        Arc::new(LocalForge::new(mirror.clone(), mirror.clone(), settings, on_change));
    let backends = Backends::new(mirror.clone(), mirror, forge);
    Ok(Opened { name: name.clone(), policy: repo.policy(stable), backends, told })
}

fn remote_settings(config: &Config, repo: &Repo) -> Result<RemoteSettings, Error> {
    let url: RemoteUrl = repo.url.get_ref().parse()?;
    let absolute = |path: &PathBuf| {
        let path = config.directory.join(path);
        std::path::absolute(&path).unwrap_or(path)
    };
    let mut settings = RemoteSettings::new(url).with_inherited_proxy();
    if let Some(token) = &repo.git.token_file {
        let username = repo.git.username.clone().unwrap_or_else(|| "x-access-token".to_owned());
        settings = settings.with_credentials(Arc::new(TokenFile::new(username, absolute(token))));
    }
    if let Some(key) = &repo.git.ssh_key_file {
        let mut identity = SshIdentity::new(absolute(key))?;
        if let Some(hosts) = &repo.git.known_hosts_file {
            identity = identity.with_known_hosts(absolute(hosts))?;
        }
        settings = settings.with_ssh(identity);
    }
    if let Some(file) = &repo.git.ca_file {
        settings = settings.with_ca_file(absolute(file));
    }
    Ok(settings)
}

fn forge_settings(repo: &Repo, scratch: PathBuf, evidence: String) -> LocalForgeSettings {
    let replica = format!("replica-{}", std::process::id());
    let mut settings = LocalForgeSettings::new(scratch, evidence, replica);
    settings.runs = repo
        .forge
        .run
        .iter()
        .map(|run| {
            let mut command = CheckCommand::new(run.context.get_ref().clone(), run.command.get_ref().clone());
            command.timeout = run.timeout.map_or(command.timeout, |timeout| timeout.0);
            command
        })
        .collect();
    settings
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
    let settings = MirrorSettings::new(directory.path().join("mirror.git"), remote_settings(config, repo)?);
    let mirror = Arc::new(Mirror::open(settings, DEADLINE).await?);
    let stable = stable_branch(repo, &*mirror).await?;
    let name: RefName = stable.to_ref();
    let mut findings = Vec::new();
    if let Some(tip) = mirror.fetch(std::slice::from_ref(&name), DEADLINE).await?.get(&name) {
        findings.extend(rights(repo, &mirror, *tip).await);
    } else {
        let problem = format!("{} has no stable branch `{stable}`", repo.url.get_ref());
        findings.push(Finding::fatal(problem, "push it first, or name another one as `stable`"));
    }
    let settings = forge_settings(repo, directory.path().join("scratch"), String::new());
    let forge = LocalForge::new(mirror.clone(), mirror, settings, Arc::new(|| ()));
    findings.extend(forge.preflight().await?);
    Ok(findings)
}
