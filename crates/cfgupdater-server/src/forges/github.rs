//! `kind = "github"`: a repository on GitHub or on an Enterprise Server.

use std::sync::Arc;

use cfgupdater::core::{Error, ErrorKind};
use cfgupdater_forge_github::{GITHUB_API, GithubForge, GithubSettings, Login, RepositoryName};

use super::shared::{Public, api_url, secret, webhook_secret};
use super::{Connection, ForgeKind, ForgeSection, Site};

const PUBLIC: Public = Public { host: "github.com", api: GITHUB_API, elsewhere: "https://HOST/api/v3" };

/// A repository on GitHub or on an Enterprise Server.
#[derive(Debug, Clone, Copy, Default)]
pub struct GithubKind;

impl ForgeKind for GithubKind {
    fn name(&self) -> &'static str {
        "github"
    }

    fn keys(&self) -> &[&str] {
        &[
            "api_url",
            "app_id",
            "private_key_file",
            "private_key_env",
            "installation_id",
            "project",
            "token_file",
            "token_env",
            "webhook_secret_file",
            "webhook_secret_env",
            "ca_file",
            "pushes_per_minute",
        ]
    }

    fn mistakes(&self, section: &ForgeSection) -> Vec<String> {
        let mut found = Vec::new();
        if let Err(why) = login(section) {
            found.push(why);
        }
        found.extend(webhook_secret(section).err());
        let project = section.project.as_ref().map(|project| project.parse::<RepositoryName>());
        found.extend(project.and_then(Result::err).map(|why| why.to_string()));
        found
    }

    fn connect(&self, section: &ForgeSection, site: &Site) -> Result<Connection, Error> {
        let invalid = |why: String| Error::new(ErrorKind::Invalid, why);
        let repository = match &section.project {
            Some(project) => project.parse(),
            None => RepositoryName::of_url(&site.url),
        };
        let repository = repository.map_err(|why| invalid(format!("{why}, as `project` in [repo.forge]")))?;
        let mut settings = GithubSettings::new(repository, login(section).map_err(invalid)?);
        settings.api_url = api_url(section, &site.url, PUBLIC).map_err(invalid)?;
        settings.webhook_secret = webhook_secret(section).map_err(invalid)?;
        settings.ca_file.clone_from(&section.ca_file);
        settings.stable.clone_from(&site.stable);
        settings.auto = site.auto.clone();
        settings.state = site.state.clone();
        settings.probe = site.probe.clone();
        settings.required.clone_from(&site.required);
        settings.signs_commits = site.signs_commits;
        if let Some(pushes) = section.pushes_per_minute {
            settings.pushes_per_minute = Some(pushes).filter(|pushes| *pushes > 0);
        }
        Ok(Connection::Ready(Arc::new(GithubForge::new(settings)?)))
    }
}

/// Reads who asks: an App with its key, or a token.
fn login(section: &ForgeSection) -> Result<Login, String> {
    let key = secret(section.private_key_file.as_ref(), section.private_key_env.as_ref(), "private_key")?;
    let token = secret(section.token_file.as_ref(), section.token_env.as_ref(), "token")?;
    match (section.app_id, key, token) {
        (Some(id), Some(key), None) => Ok(Login::App { id, key, installation: section.installation_id }),
        (None, None, Some(_)) if section.installation_id.is_some() => {
            Err("installation_id goes with app_id, not with a token; remove one of them".to_owned())
        }
        (None, None, Some(token)) => Ok(Login::Token(token)),
        (Some(_), None, None) => Err("app_id needs private_key_file, or private_key_env; name it".to_owned()),
        (None, Some(_), None) => Err("the App's private key needs app_id; name it".to_owned()),
        (None, None, None) => {
            Err("name an App by app_id and private_key_file, or a token by token_file".to_owned())
        }
        _ => Err("there are both an App and a token; keep one".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> ForgeSection {
        ForgeSection { app_id: Some(1), private_key_file: Some("key.pem".into()), ..ForgeSection::default() }
    }

    #[test]
    fn an_app_or_a_token_logs_in() {
        assert_eq!(GithubKind.mistakes(&app()), [""; 0]);
        let token = ForgeSection { token_env: Some("TOKEN".to_owned()), ..ForgeSection::default() };
        assert_eq!(GithubKind.mistakes(&token), [""; 0]);
    }

    #[test]
    fn the_example_is_a_configuration() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/github/cfgupdater.toml");
        crate::Config::load(std::path::Path::new(file)).unwrap();
    }

    #[test]
    fn each_mistake_says_what_to_do() {
        type Break = fn(&mut ForgeSection);
        let cases: [(Break, &str); 8] = [
            (|s| s.app_id = None, "the App's private key needs app_id"),
            (|s| s.private_key_file = None, "app_id needs private_key_file"),
            (|s| (s.app_id, s.private_key_file) = (None, None), "name an App by app_id"),
            (|s| s.token_file = Some("t".into()), "both an App and a token"),
            (|s| s.private_key_env = Some("K".to_owned()), "both private_key_file and private_key_env"),
            (
                |s| {
                    *s = ForgeSection {
                        installation_id: Some(1),
                        token_file: Some("t".into()),
                        ..ForgeSection::default()
                    }
                },
                "installation_id goes with app_id",
            ),
            (
                |s| (s.webhook_secret_file, s.webhook_secret_env) = (Some("f".into()), Some("E".to_owned())),
                "both webhook_secret_file",
            ),
            (|s| s.project = Some("cfg".to_owned()), "write it as owner/name"),
        ];
        for (change, wanted) in cases {
            let mut section = app();
            change(&mut section);
            let found = GithubKind.mistakes(&section);
            assert!(found.len() == 1 && found[0].contains(wanted), "{wanted}: {found:?}");
        }
    }
}
