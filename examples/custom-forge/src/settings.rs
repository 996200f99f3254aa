//! What the adapter is told.

use std::path::PathBuf;

use cfgupdater_core::{BranchName, Error, ErrorKind};
use cfgupdater_forge_http::SecretSource;

/// What the adapter is told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GiteaSettings {
    /// Where the API is, such as `https://git.example.com/api/v1`.
    pub api_url: String,
    /// The repository: `owner/name`.
    pub project: String,
    /// The access token.
    pub token: SecretSource,
    /// The secret of the webhook; without one, none is taken.
    pub webhook_secret: Option<SecretSource>,
    /// The branch whose rules count, `None` for the repository's default branch.
    pub stable: Option<BranchName>,
    /// A file of certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

impl GiteaSettings {
    /// Builds settings without webhooks, for the default branch.
    ///
    /// # Errors
    /// Fails where the address or the repository can't be one.
    pub fn new(api_url: &str, project: &str, token: SecretSource) -> Result<Self, Error> {
        if let Some(mistake) =
            [address_mistake(api_url), project_mistake(project)].into_iter().flatten().next()
        {
            return Err(Error::new(ErrorKind::Invalid, mistake));
        }
        let (api_url, project) = (api_url.trim_end_matches('/').to_owned(), project.to_owned());
        Ok(Self { api_url, project, token, webhook_secret: None, stable: None, ca_file: None })
    }
}

/// Says what is wrong with the address of an API.
pub(crate) fn address_mistake(api_url: &str) -> Option<String> {
    let is_address = api_url.starts_with("https://") || api_url.starts_with("http://");
    let sound = is_address && !api_url.contains(['?', '#', '@']);
    (!sound).then(|| "`api_url` must be an address such as https://git.example.com/api/v1".to_owned())
}

/// Says what is wrong with the name of a repository. It becomes a part of a path.
pub(crate) fn project_mistake(project: &str) -> Option<String> {
    let is_name = |name: &str| {
        let usual = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !name.is_empty() && name != "." && name != ".." && name.chars().all(usual)
    };
    let sound = project.split_once('/').is_some_and(|(owner, name)| is_name(owner) && is_name(name));
    (!sound).then(|| "`project` must be the repository as Gitea calls it, owner/name".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_two_names() {
        assert_eq!(project_mistake("team/cfg-app"), None);
        for wrong in ["cfg-app", "team/cfg/app", "/cfg-app", "team/..", "team/a b", "team/a?b"] {
            assert!(project_mistake(wrong).is_some(), "{wrong}");
        }
    }

    #[test]
    fn an_address_carries_no_login() {
        assert_eq!(address_mistake("https://git.example.com/api/v1"), None);
        for wrong in ["git.example.com", "https://me:secret@git.example.com", "https://x/?a=b"] {
            assert!(address_mistake(wrong).is_some(), "{wrong}");
        }
    }
}
