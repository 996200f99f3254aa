//! What the adapter is told.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use cfgupdater_core::{BranchName, Policy, RequiredCheck};
use cfgupdater_forge_http::SecretSource;

/// Where GitHub's own API is; an Enterprise Server has its at `https://HOST/api/v3`.
pub const GITHUB_API: &str = "https://api.github.com";

/// How many pushes a minute GitHub asks a repository not to exceed.
///
/// Source: <https://docs.github.com/en/repositories/creating-and-managing-repositories/repository-limits>.
const PUSHES_PER_MINUTE: u32 = 6;

/// How to work with one repository of a GitHub. `Debug` doesn't show the proxy's address, which may hold a password.
#[derive(Clone)]
#[non_exhaustive]
pub struct GithubSettings {
    /// The repository.
    pub repository: RepositoryName,
    /// Who asks.
    pub login: Login,
    /// Where the API is.
    pub api_url: String,
    /// The secret that webhooks are signed with; without it none is accepted, and the timer alone looks.
    pub webhook_secret: Option<SecretSource>,
    /// Certificate authorities to trust besides the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// The proxy to use; `None` for the one that the environment names.
    pub proxy: Option<String>,
    /// The stable branch, `None` for the repository's default branch.
    pub stable: Option<BranchName>,
    /// The branch whose commits are tested.
    pub auto: BranchName,
    /// The branch that holds the state.
    pub state: BranchName,
    /// The branch to which untested commits are pushed.
    pub probe: BranchName,
    /// The checks that are waited for whatever GitHub requires; empty where GitHub alone says.
    pub required: BTreeSet<RequiredCheck>,
    /// How many pushes a minute the repository shall get; `None` for as many as there are.
    pub pushes_per_minute: Option<u32>,
    /// Whether our commits are signed, by a key that GitHub knows.
    pub signs_commits: bool,
}

impl GithubSettings {
    /// Builds settings for github.com.
    pub fn new(repository: RepositoryName, login: Login) -> Self {
        Self {
            repository,
            login,
            api_url: GITHUB_API.to_owned(),
            webhook_secret: None,
            ca_file: None,
            proxy: None,
            stable: None,
            auto: Policy::default_auto(),
            state: Policy::default_state(),
            probe: Policy::default_probe(),
            required: BTreeSet::new(),
            pushes_per_minute: Some(PUSHES_PER_MINUTE),
            signs_commits: false,
        }
    }
}

impl fmt::Debug for GithubSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GithubSettings")
            .field("repository", &self.repository)
            .field("login", &self.login)
            .field("api_url", &self.api_url)
            .field("ca_file", &self.ca_file)
            .field("stable", &self.stable)
            .finish_non_exhaustive()
    }
}

/// Who asks.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Login {
    /// A GitHub App, by the installation that the repository belongs to.
    App {
        /// The App's number.
        id: u64,
        /// Its private key, as PEM.
        key: SecretSource,
        /// The installation's number; asked for where it isn't known.
        installation: Option<u64>,
    },
    /// A token that somebody made.
    Token(SecretSource),
}

/// A repository as GitHub names it: `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepositoryName {
    owner: String,
    name: String,
}

/// Says why a text names no repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidRepository(String);

impl fmt::Display for InvalidRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no repository of GitHub; write it as owner/name", self.0.escape_debug())
    }
}

impl std::error::Error for InvalidRepository {}

impl RepositoryName {
    /// Returns the account it belongs to.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Returns its name within the account.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Finds the repository that a git URL names by its path, such as `https://github.com/acme/cfg.git` or
    /// `git@github.com:acme/cfg.git`.
    ///
    /// # Errors
    /// Fails where the path isn't `owner/name`.
    pub fn of_url(url: &str) -> Result<Self, InvalidRepository> {
        let path = match url.split_once("://") {
            Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
            None => url.split_once(':').map_or("", |(_, path)| path),
        };
        let path = path.trim_matches('/');
        path.strip_suffix(".git").unwrap_or(path).parse().map_err(|_| InvalidRepository(path.to_owned()))
    }

    /// Tells whether `full_name` is this repository; GitHub doesn't tell cases apart.
    pub(crate) fn is(&self, full_name: &str) -> bool {
        full_name
            .split_once('/')
            .is_some_and(|(owner, name)| self.is_owner(owner) && name.eq_ignore_ascii_case(&self.name))
    }

    pub(crate) fn is_owner(&self, login: &str) -> bool {
        login.eq_ignore_ascii_case(&self.owner)
    }
}

impl FromStr for RepositoryName {
    type Err = InvalidRepository;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |part: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            !part.is_empty() && part.len() <= 100 && part != "." && part != ".." && part.chars().all(known)
        };
        match text.split_once('/') {
            Some((owner, name)) if fits(owner) && fits(name) => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(InvalidRepository(text.to_owned())),
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_found_in_its_url() {
        for url in [
            "https://github.com/acme/cfg.git",
            "https://ghe.example:8443/acme/cfg",
            "git@github.com:acme/cfg.git",
            "ssh://git@github.com/acme/cfg.git/",
        ] {
            assert_eq!(RepositoryName::of_url(url).unwrap().to_string(), "acme/cfg", "{url}");
        }
        for url in ["https://github.com/acme", "https://github.com/a/b/c", "file:///srv/git/cfg.git", ""] {
            RepositoryName::of_url(url).unwrap_err();
        }
    }

    #[test]
    fn nothing_but_two_plain_words_is_a_repository() {
        for text in ["acme", "acme/", "/cfg", "acme/../x", "acme/..", "a b/c", "a/b?c", "a/b/c"] {
            text.parse::<RepositoryName>().unwrap_err();
        }
        assert!("acme/cfg.app".parse::<RepositoryName>().unwrap().is("Acme/CFG.app"));
    }
}
