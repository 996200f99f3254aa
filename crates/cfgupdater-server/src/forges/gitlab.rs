//! `kind = "gitlab"`: a project on gitlab.com or on a server of one's own.

use std::sync::Arc;

use cfgupdater::core::{Error, ErrorKind, RequiredChecks};
use cfgupdater_forge_gitlab::{GITLAB_API, GitlabForge, GitlabSettings, ProjectName};
use cfgupdater_forge_http::SecretSource;

use super::shared::{Public, api_url, secret, webhook_secret};
use super::{Connection, ForgeKind, ForgeSection, Site};

const PUBLIC: Public = Public { host: "gitlab.com", api: GITLAB_API, elsewhere: "https://HOST/api/v4" };

/// A project on gitlab.com or on a server of one's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct GitlabKind;

impl ForgeKind for GitlabKind {
    fn name(&self) -> &'static str {
        "gitlab"
    }

    fn keys(&self) -> &[&str] {
        &[
            "api_url",
            "project",
            "token_file",
            "token_env",
            "webhook_secret_file",
            "webhook_secret_env",
            "ca_file",
            "pushes_per_minute",
            "require_pipeline",
        ]
    }

    fn mistakes(&self, section: &ForgeSection) -> Vec<String> {
        let project = section.project.as_ref().map(|project| project.parse::<ProjectName>());
        let project = project.and_then(Result::err).map(|why| why.to_string());
        [token(section).err(), webhook_secret(section).err(), project].into_iter().flatten().collect()
    }

    fn complete(&self, section: &ForgeSection, mut required: RequiredChecks) -> RequiredChecks {
        // Nothing here connects: what the settings add to what is configured needs no project.
        let mut settings = GitlabSettings::new(ProjectName::Number(0), SecretSource::variable(""));
        settings.pipeline = section.require_pipeline.unwrap_or(true);
        required.checks.extend(settings.required());
        required
    }

    fn connect(&self, section: &ForgeSection, site: &Site) -> Result<Connection, Error> {
        let invalid = |why: String| Error::new(ErrorKind::Invalid, why);
        let api_url = api_url(section, &site.url, PUBLIC).map_err(invalid)?;
        let project = match &section.project {
            Some(project) => project.parse(),
            None => ProjectName::of_url(&site.url, &api_url),
        };
        let project = project.map_err(|why| invalid(format!("{why}, as `project` in [repo.forge]")))?;
        let mut settings = GitlabSettings::new(project, token(section).map_err(invalid)?);
        settings.api_url = api_url;
        settings.webhook_secret = webhook_secret(section).map_err(invalid)?;
        settings.ca_file.clone_from(&section.ca_file);
        settings.stable.clone_from(&site.stable);
        settings.auto = site.auto.clone();
        settings.state = site.state.clone();
        settings.probe = site.probe.clone();
        settings.pipeline = section.require_pipeline.unwrap_or(true);
        settings.required.clone_from(&site.required);
        settings.pushes_per_minute = section.pushes_per_minute.filter(|pushes| *pushes > 0);
        Ok(Connection::Ready(Arc::new(GitlabForge::new(settings)?.with_look(Arc::clone(&site.look)))))
    }
}

fn token(section: &ForgeSection) -> Result<SecretSource, String> {
    let token = secret(section.token_file.as_ref(), section.token_env.as_ref(), "token")?;
    token.ok_or_else(|| "name the project's access token by token_file, or token_env".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> ForgeSection {
        ForgeSection { token_file: Some("token".into()), ..ForgeSection::default() }
    }

    #[test]
    fn each_mistake_says_what_to_do() {
        type Break = fn(&mut ForgeSection);
        assert_eq!(GitlabKind.mistakes(&section()), [""; 0]);
        let cases: [(Break, &str); 4] = [
            (|s| s.token_file = None, "name the project's access token"),
            (|s| s.token_env = Some("T".to_owned()), "both token_file and token_env"),
            (
                |s| (s.webhook_secret_file, s.webhook_secret_env) = (Some("f".into()), Some("E".to_owned())),
                "both webhook_secret_file",
            ),
            (|s| s.project = Some("cfg".to_owned()), "write it as group/name"),
        ];
        for (change, wanted) in cases {
            let mut section = section();
            change(&mut section);
            let found = GitlabKind.mistakes(&section);
            assert!(found.len() == 1 && found[0].contains(wanted), "{wanted}: {found:?}");
        }
    }

    #[test]
    fn the_pipeline_is_required_besides_what_is_configured() {
        let shown = |section: &ForgeSection| {
            let required = GitlabKind.complete(section, RequiredChecks::named(["lint"]));
            required.checks.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(shown(&section()), ["lint", "pipeline (by gitlab-ci)"]);
        let without = ForgeSection { require_pipeline: Some(false), ..section() };
        assert_eq!(shown(&without), ["lint"]);
    }
}
