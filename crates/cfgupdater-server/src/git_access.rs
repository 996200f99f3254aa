//! How git reaches the remote of a repository.

use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater::core::{Error, Forge};
use cfgupdater_git_backend::{ForgeCredentials, RemoteSettings, RemoteUrl, SshIdentity, TokenFile};

use crate::config::{Config, Repo};

/// Builds what git needs from `[repo.git]`; without a token of its own it logs in as the forge tells it.
pub(crate) fn remote_settings(
    config: &Config,
    repo: &Repo,
    forge: Option<&Arc<dyn Forge>>,
) -> Result<RemoteSettings, Error> {
    let url: RemoteUrl = repo.url.get_ref().parse()?;
    let absolute = |path: &PathBuf| config.absolute(path);
    let mut settings = RemoteSettings::new(url).with_inherited_proxy();
    if let Some(token) = &repo.git.token_file {
        let username = repo.git.username.clone().unwrap_or_else(|| "x-access-token".to_owned());
        settings = settings.with_credentials(Arc::new(TokenFile::new(username, absolute(token))));
    } else if let Some(forge) = forge {
        settings = settings.with_credentials(Arc::new(ForgeCredentials::new(Arc::clone(forge))));
    }
    if let Some(key) = &repo.git.ssh_key_file {
        let mut identity = SshIdentity::new(absolute(key))?;
        if let Some(hosts) = &repo.git.known_hosts_file {
            identity = identity.with_known_hosts(absolute(hosts))?;
        }
        settings = settings.with_ssh(identity);
    }
    let forge_ca = repo.forge.ca_file.as_ref().map(toml::Spanned::get_ref);
    if let Some(file) = repo.git.ca_file.as_ref().or(forge_ca) {
        settings = settings.with_ca_file(absolute(file));
    }
    Ok(settings)
}
