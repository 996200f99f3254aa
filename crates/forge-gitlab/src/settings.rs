//! What the adapter is told.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use cfgupdater_core::{BranchName, Policy, RequiredCheck};
use cfgupdater_forge_http::SecretSource;

use crate::pipelines::{PIPELINE, SOURCE};

/// Where the API of gitlab.com is; one of your own has it at `https://HOST/api/v4`, below a subpath where it has one.
pub const GITLAB_API: &str = "https://gitlab.com/api/v4";

/// How to work with one project of a GitLab.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GitlabSettings {
    /// The project.
    pub project: ProjectName,
    /// The access token of the project or of its group.
    pub token: SecretSource,
    /// Where the API is.
    pub api_url: String,
    /// The secret of the webhook; without it none is accepted, and the timer alone looks. One that begins with `whsec_`
    /// is a signing secret: then every delivery must be signed with it.
    pub webhook_secret: Option<SecretSource>,
    /// Certificate authorities to trust besides the system's, as PEM.
    pub ca_file: Option<PathBuf>,
    /// The proxy to use; `None` for the one that the environment names.
    pub proxy: Option<String>,
    /// The stable branch, `None` for the project's default branch.
    pub stable: Option<BranchName>,
    /// The branch whose commits are tested.
    pub auto: BranchName,
    /// The branch that holds the state.
    pub state: BranchName,
    /// The branch to which untested commits are pushed.
    pub probe: BranchName,
    /// Whether the pipeline itself must pass, whatever else is required. Without it, anybody who may post a status can
    /// imitate a job.
    pub pipeline: bool,
    /// The jobs and statuses that must pass besides.
    pub required: BTreeSet<RequiredCheck>,
    /// How many pushes a minute the project shall get; `None` for as many as there are.
    pub pushes_per_minute: Option<u32>,
}

impl GitlabSettings {
    /// Builds settings for gitlab.com.
    pub fn new(project: ProjectName, token: SecretSource) -> Self {
        Self {
            project,
            token,
            api_url: GITLAB_API.to_owned(),
            webhook_secret: None,
            ca_file: None,
            proxy: None,
            stable: None,
            auto: Policy::default_auto(),
            state: Policy::default_state(),
            probe: Policy::default_probe(),
            pipeline: true,
            required: BTreeSet::new(),
            pushes_per_minute: None,
        }
    }

    /// Lists the checks that must pass.
    pub fn required(&self) -> BTreeSet<RequiredCheck> {
        let pipeline = RequiredCheck { name: PIPELINE.to_owned(), source: Some(SOURCE.to_owned()) };
        self.required.iter().cloned().chain(self.pipeline.then_some(pipeline)).collect()
    }
}

/// A project as GitLab names it: its path, or its number.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProjectName {
    /// Groups and name, such as `acme/platform/cfg`.
    Path(String),
    /// The project's number.
    Number(u64),
}

/// Says why a text names no project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidProject(String);

impl fmt::Display for InvalidProject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no project of GitLab; write it as group/name, or as its number",
            self.0.escape_debug()
        )
    }
}

impl std::error::Error for InvalidProject {}

impl ProjectName {
    /// Finds the project that a git URL names by its path, such as `https://gitlab.com/acme/cfg.git` or
    /// `git@gitlab.com:acme/cfg.git`; of an HTTP URL, the subpath that the API's address shows is left out.
    ///
    /// # Errors
    /// Fails where the path isn't groups and a name.
    pub fn of_url(url: &str, api_url: &str) -> Result<Self, InvalidProject> {
        let path = path_of(url);
        let subpath = if url.starts_with("http") { subpath(api_url) } else { "" };
        let below = below(path, subpath);
        let name = below.strip_suffix(".git").unwrap_or(below);
        match name.parse() {
            Ok(Self::Path(path)) if !url.starts_with("file:") => Ok(Self::Path(path)),
            _ => Err(InvalidProject(name.to_owned())),
        }
    }
}

/// Returns what a git URL says after the host.
pub(crate) fn path_of(url: &str) -> &str {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url.split_once(':').map_or("", |(_, path)| path),
    };
    path.trim_matches('/')
}

/// Returns the part of a path that stands below the one where GitLab lives.
pub(crate) fn below<'a>(path: &'a str, subpath: &str) -> &'a str {
    let rest = path.strip_prefix(subpath).filter(|rest| subpath.is_empty() || rest.starts_with('/'));
    rest.unwrap_or(path).trim_matches('/')
}

/// Returns the path below which a GitLab lives, from its API's address.
pub(crate) fn subpath(api_url: &str) -> &str {
    let path = path_of(api_url);
    path.strip_suffix("api/v4").unwrap_or(path).trim_matches('/')
}

impl FromStr for ProjectName {
    type Err = InvalidProject;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(number));
        }
        let fits = |part: &str| {
            let known = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            !part.is_empty() && part.len() <= 255 && part != "." && part != ".." && part.chars().all(known)
        };
        let parts: Vec<&str> = text.split('/').collect();
        if parts.len() >= 2 && parts.iter().copied().all(fits) {
            Ok(Self::Path(text.to_owned()))
        } else {
            Err(InvalidProject(text.to_owned()))
        }
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_found_in_its_url() {
        let cases = [
            ("https://gitlab.com/acme/cfg.git", GITLAB_API, "acme/cfg"),
            (
                "https://gl.example:8443/acme/deep/er/cfg",
                "https://gl.example:8443/api/v4",
                "acme/deep/er/cfg",
            ),
            ("https://gl.example/git/acme/cfg.git", "https://gl.example/git/api/v4", "acme/cfg"),
            ("https://gl.example/gitlab-org/cfg.git", "https://gl.example/git/api/v4", "gitlab-org/cfg"),
            ("git@gitlab.com:acme/cfg.git", GITLAB_API, "acme/cfg"),
            ("ssh://git@gl.example/acme/cfg.git/", "https://gl.example/git/api/v4", "acme/cfg"),
        ];
        for (url, api, project) in cases {
            assert_eq!(ProjectName::of_url(url, api).unwrap().to_string(), project, "{url}");
        }
        for url in ["https://gitlab.com/acme", "file:///srv/cfg.git", "https://gitlab.com/12", ""] {
            ProjectName::of_url(url, GITLAB_API).unwrap_err();
        }
    }

    #[test]
    fn nothing_but_plain_words_or_a_number_is_a_project() {
        for text in ["acme", "acme/", "/cfg", "acme/../x", "acme/..", "a b/c", "a/b?c", "-1", ""] {
            text.parse::<ProjectName>().unwrap_err();
        }
        assert_eq!("4711".parse(), Ok(ProjectName::Number(4711)));
        assert_eq!("acme/cfg.app".parse(), Ok(ProjectName::Path("acme/cfg.app".to_owned())));
    }

    #[test]
    fn the_pipeline_is_required_unless_it_is_left_out() {
        let token = SecretSource::variable("TOKEN");
        let mut settings = GitlabSettings::new(ProjectName::Number(1), token);
        settings.required.insert(RequiredCheck::named("lint"));
        let shown = |settings: &GitlabSettings| {
            settings.required().iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(shown(&settings), ["lint", "pipeline (by gitlab-ci)"]);
        settings.pipeline = false;
        assert_eq!(shown(&settings), ["lint"]);
    }
}
