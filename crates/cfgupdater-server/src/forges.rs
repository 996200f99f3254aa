//! [`Forges`]: the kinds of forge that a configuration may name.

#[cfg(feature = "github")]
mod github;
#[cfg(feature = "gitlab")]
mod gitlab;
mod local;
mod section;
#[cfg(any(feature = "github", feature = "gitlab"))]
mod shared;

use std::collections::BTreeSet;
use std::fmt::{self, Debug};
use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater::core::{
    BranchName, Error, Forge, GitRemote, GitRepo, RepoName, RequiredCheck, RequiredChecks,
};

#[cfg(feature = "github")]
pub use github::GithubKind;
#[cfg(feature = "gitlab")]
pub use gitlab::GitlabKind;
pub use local::LocalKind;
pub use section::{CheckRunner, ForgeSection};

/// A kind of forge: what `kind` in `[repo.forge]` selects. Whoever embeds the service adds kinds of their own.
pub trait ForgeKind: Debug + Send + Sync {
    /// Returns the word that the configuration calls it by.
    fn name(&self) -> &str;

    /// Returns the keys of `[repo.forge]` that mean something to it; others are refused.
    fn keys(&self) -> &[&str];

    /// Lists what is wrong with a section, each with what to do about it.
    fn mistakes(&self, section: &ForgeSection) -> Vec<String>;

    /// Completes the checks that the configuration requires, for a kind by which something is always required.
    fn complete(&self, _section: &ForgeSection, required: RequiredChecks) -> RequiredChecks {
        required
    }

    /// Makes the forge of one repository. It is asked nothing yet.
    ///
    /// # Errors
    /// Fails where a file or a setting can't be used.
    fn connect(&self, section: &ForgeSection, site: &Site) -> Result<Connection, Error>;
}

/// A forge that was made, or that waits for what it is kept in.
#[non_exhaustive]
pub enum Connection {
    /// A forge that is reached over its own interface. git logs in with what it gives.
    Ready(Arc<dyn Forge>),
    /// A forge that keeps what it knows in the repository itself.
    InRepository(MakeForge),
}

/// Makes a forge from the repository it is kept in.
pub type MakeForge = Box<dyn FnOnce(Arc<dyn GitRepo>, Arc<dyn GitRemote>) -> Arc<dyn Forge> + Send>;

impl Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready(forge) => f.debug_tuple("Ready").field(forge).finish(),
            Self::InRepository(_) => f.debug_tuple("InRepository").finish_non_exhaustive(),
        }
    }
}

/// Where a forge works: the repository it is bound to, and what the service lends it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Site {
    /// The repository's name in the configuration.
    pub repo: RepoName,
    /// Its git URL.
    pub url: String,
    /// The stable branch, `None` where the configuration leaves it to the remote's HEAD.
    pub stable: Option<BranchName>,
    /// The branch whose commits are tested.
    pub auto: BranchName,
    /// The branch that holds the state.
    pub state: BranchName,
    /// The branch to which a commit is pushed that nobody tested yet.
    pub probe: BranchName,
    /// The checks that the configuration requires; none where it leaves that to the forge.
    pub required: BTreeSet<RequiredCheck>,
    /// Whether our commits are signed.
    pub signs_commits: bool,
    /// A directory of its own for scratch files; it need not exist yet.
    pub scratch: PathBuf,
    /// What links to kept output start with: `{evidence_url}/{sha}/{context}`.
    pub evidence_url: String,
    /// Makes the service look at the repository.
    pub look: Arc<dyn Fn() + Send + Sync>,
}

impl Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("repo", &self.repo).field("url", &self.url).finish_non_exhaustive()
    }
}

/// The kinds of forge that are known; cheap to clone.
#[derive(Debug, Clone)]
pub struct Forges(Vec<Arc<dyn ForgeKind>>);

impl Default for Forges {
    /// The kinds that are built in.
    fn default() -> Self {
        let known = Self(vec![Arc::new(LocalKind)]);
        #[cfg(feature = "github")]
        let known = known.with(GithubKind);
        #[cfg(feature = "gitlab")]
        let known = known.with(GitlabKind);
        known
    }
}

impl Forges {
    /// Adds a kind. One of the same name takes the place of a kind that is built in.
    #[must_use]
    pub fn with(mut self, kind: impl ForgeKind + 'static) -> Self {
        self.0.retain(|known| known.name() != kind.name());
        self.0.push(Arc::new(kind));
        self
    }

    /// Finds a kind by its name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<dyn ForgeKind>> {
        self.0.iter().find(|kind| kind.name() == name)
    }

    /// Lists the names of all kinds.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|kind| kind.name()).collect()
    }
}
