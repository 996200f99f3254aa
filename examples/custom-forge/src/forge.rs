//! [`GiteaForge`]: the adapter.

use async_trait::async_trait;
use cfgupdater_core::{
    Capabilities, CheckRun, Checks, CommitId, Error, ErrorKind, Finding, Forge, GitCredentials,
    RequiredCheck, RequiredChecks, WebhookDelivery, WebhookMeaning,
};
use cfgupdater_forge_http::Pages;
use serde::Deserialize;

use crate::api::{Answer, Api};
use crate::pattern::{Pattern, expand};
use crate::settings::GiteaSettings;
use crate::status::Status;
use crate::webhook;

/// How many statuses are asked for at once: what Gitea gives at most, unless its operator says otherwise.
const PAGE: usize = 50;

/// A repository on a Gitea or Forgejo server.
#[derive(Debug)]
pub struct GiteaForge {
    api: Api,
    settings: GiteaSettings,
}

/// What is read of a repository.
#[derive(Debug, Deserialize)]
struct Repository {
    default_branch: String,
    permissions: Option<Permissions>,
}

#[derive(Debug, Deserialize)]
struct Permissions {
    push: bool,
}

/// What is read of a branch: the rule in force, whichever of the branch's rules that is.
#[derive(Debug, Deserialize)]
struct Branch {
    protected: bool,
    enable_status_check: bool,
    status_check_contexts: Option<Vec<String>>,
}

impl GiteaForge {
    /// Builds an adapter. Nothing is asked yet.
    ///
    /// # Errors
    /// Fails where no HTTP client can be made.
    pub fn new(settings: GiteaSettings) -> Result<Self, Error> {
        Ok(Self { api: Api::new(&settings)?, settings })
    }

    async fn repository(&self) -> Result<Repository, Error> {
        let what = format!("reading the repository {}", self.settings.project);
        self.api.get(&what, &self.path("")).await?.json(&what)
    }

    /// Reads the contexts that the stable branch requires, `None` where it requires none.
    async fn required(&self) -> Result<Option<Vec<String>>, Error> {
        let name = match &self.settings.stable {
            Some(stable) => stable.to_string(),
            None => self.repository().await?.default_branch,
        };
        let what = format!("reading what the branch {name} of {} requires", self.settings.project);
        let path = self.path(&format!("/branches/{}", escape(&name)));
        let branch: Branch = self.api.get(&what, &path).await?.json(&what)?;
        let requires = branch.protected && branch.enable_status_check;
        Ok(requires.then(|| branch.status_check_contexts.unwrap_or_default()))
    }

    // [pages]
    /// Reads every status of a commit.
    async fn statuses(&self, commit: CommitId) -> Result<Vec<CheckRun>, Error> {
        let what = format!("reading the statuses of {}", commit.short(10));
        let (mut pages, mut page) = (Pages::new(&what), "1".to_owned());
        let mut count = 0;
        loop {
            let path = self.path(&format!("/commits/{commit}/statuses?sort=oldest&limit={PAGE}&page={page}"));
            let answer = match self.api.get(&what, &path).await {
                Err(error) if error.kind() == ErrorKind::NotFound && count == 0 => {
                    return self.unknown(error).await;
                }
                answer => answer?,
            };
            let listed: Vec<Status> = answer.json(&what)?;
            count += listed.len();
            let (total, is_empty) = (total(&answer, &what)?, listed.is_empty());
            // A server may give less than a page was asked for, so a short page is not the last.
            let next = (count < total && !is_empty).then(|| page_after(&page));
            let items = listed.into_iter().map(|status| (status.id, CheckRun::from(status)));
            match pages.take(items, Some(total), next)? {
                Some(next) => page = next,
                None => return pages.finish(),
            }
        }
    }

    /// Tells a commit that Gitea doesn't know yet from a repository that is gone: both are 404.
    async fn unknown(&self, error: Error) -> Result<Vec<CheckRun>, Error> {
        match self.repository().await {
            Ok(_) => Ok(Vec::new()),
            Err(gone) if gone.kind() == ErrorKind::NotFound => Err(error),
            Err(other) => Err(other),
        }
    }
    // [/pages]

    fn path(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.settings.project)
    }
}

fn page_after(page: &str) -> String {
    (page.parse::<u64>().unwrap_or(0) + 1).to_string()
}

/// Reads how many there are; without that, a list can't be known to be whole.
fn total(answer: &Answer, what: &str) -> Result<usize, Error> {
    let header = answer.headers.get("x-total-count").and_then(|value| value.to_str().ok());
    header.and_then(|value| value.parse().ok()).ok_or_else(|| {
        let message =
            format!("{what}: the answer doesn't say how many there are; is a proxy dropping headers?");
        Error::new(ErrorKind::Other, message)
    })
}

/// Escapes a branch name for a path. Slashes stay: the rest of the path is the name.
fn escape(name: &str) -> String {
    let escaped = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(escaped).collect()
}

#[async_trait]
impl Forge for GiteaForge {
    fn capabilities(&self) -> Capabilities {
        Capabilities::default()
    }

    // [checks]
    async fn checks(&self, commits: &[CommitId]) -> Result<Checks, Error> {
        let mut checks = Checks::new();
        if commits.is_empty() {
            return Ok(checks);
        }
        let required = self.required().await?.unwrap_or_default();
        let patterns: Vec<Pattern> = required.iter().map(|context| Pattern::new(context)).collect();
        for commit in commits {
            checks.insert(*commit, expand(self.statuses(*commit).await?, &patterns));
        }
        Ok(checks)
    }

    async fn required_checks(&self) -> Result<Option<RequiredChecks>, Error> {
        let required = |contexts: Vec<String>| RequiredChecks {
            checks: contexts.into_iter().map(RequiredCheck::named).collect(),
            allow_empty: false,
        };
        Ok(self.required().await?.map(required))
    }
    // [/checks]

    fn decode_webhook(&self, delivery: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error> {
        webhook::decode(delivery, self.settings.webhook_secret.as_ref(), &self.settings.project)
    }

    async fn git_credentials(&self) -> Result<Option<GitCredentials>, Error> {
        // Gitea looks at the password alone where it is a token.
        Ok(Some(GitCredentials::new("cfgupdater", self.settings.token.current()?.expose())))
    }

    async fn preflight(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        if !self.repository().await?.permissions.is_some_and(|may| may.push) {
            let problem = format!("the account may not push to {}", self.settings.project);
            findings.push(Finding::fatal(problem, "make it a collaborator with write access"));
        }
        if self.required().await?.is_some_and(|contexts| contexts.is_empty()) {
            let problem = "the stable branch requires status checks and names none, so nothing lands";
            findings.push(Finding::warning(problem, "name them in Gitea, or as `required` in [repo.checks]"));
        }
        Ok(findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branch_names_are_escaped_but_for_slashes() {
        assert_eq!(escape("release/1.0 ü#?"), "release/1.0%20%C3%BC%23%3F");
    }
}
