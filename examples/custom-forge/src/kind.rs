//! `kind = "gitea"` in `[repo.forge]`.

use std::sync::Arc;

use cfgupdater_core::Error;
use cfgupdater_forge_http::SecretSource;
use cfgupdater_server::{Connection, ForgeKind, ForgeSection, Site};

use crate::forge::GiteaForge;
use crate::settings::{GiteaSettings, address_mistake, project_mistake};

/// Gitea and Forgejo.
#[derive(Debug, Clone, Copy, Default)]
pub struct GiteaKind;

// [kind]
impl ForgeKind for GiteaKind {
    fn name(&self) -> &'static str {
        "gitea"
    }

    fn keys(&self) -> &[&str] {
        &["api_url", "project", "token_file", "webhook_secret_file", "ca_file"]
    }

    fn mistakes(&self, section: &ForgeSection) -> Vec<String> {
        let missing = |key: &str| Some(format!("kind = \"gitea\" needs `{key}`"));
        let address = section.api_url.as_deref().map_or_else(|| missing("api_url"), address_mistake);
        let project = section.project.as_deref().map_or_else(|| missing("project"), project_mistake);
        let token = if section.token_file.is_none() { missing("token_file") } else { None };
        [address, project, token].into_iter().flatten().collect()
    }

    fn connect(&self, section: &ForgeSection, site: &Site) -> Result<Connection, Error> {
        let text = |key: &Option<String>| key.clone().unwrap_or_default();
        let token = SecretSource::file(section.token_file.clone().unwrap_or_default());
        let mut settings = GiteaSettings::new(&text(&section.api_url), &text(&section.project), token)?;
        settings.webhook_secret = section.webhook_secret_file.clone().map(SecretSource::file);
        settings.stable.clone_from(&site.stable);
        settings.ca_file.clone_from(&section.ca_file);
        Ok(Connection::Ready(Arc::new(GiteaForge::new(settings)?)))
    }
}
// [/kind]

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_is_named() {
        let mistakes = GiteaKind.mistakes(&ForgeSection::default());
        assert_eq!(mistakes.len(), 3, "{mistakes:?}");
        let mut section = ForgeSection::default();
        section.api_url = Some("https://git.example.com/api/v1".to_owned());
        section.project = Some("team/cfg-app".to_owned());
        section.token_file = Some("token".into());
        assert!(GiteaKind.mistakes(&section).is_empty());
    }
}
