//! What kinds of forge read alike of `[repo.forge]`: secrets, which are named and never written there, and addresses.

use std::path::PathBuf;

use cfgupdater_forge_http::SecretSource;

use super::ForgeSection;

/// A forge that everybody knows, beside servers of one's own of the same kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Public {
    /// Its host.
    pub(super) host: &'static str,
    /// Where its API is.
    pub(super) api: &'static str,
    /// Where other servers have theirs.
    pub(super) elsewhere: &'static str,
}

/// Reads a secret that is named by file or by variable.
pub(super) fn secret(
    file: Option<&PathBuf>,
    env: Option<&String>,
    what: &str,
) -> Result<Option<SecretSource>, String> {
    match (file, env) {
        (Some(_), Some(_)) => Err(format!("there are both {what}_file and {what}_env; keep one")),
        (Some(file), None) => Ok(Some(SecretSource::file(file))),
        (None, Some(env)) => Ok(Some(SecretSource::variable(env))),
        (None, None) => Ok(None),
    }
}

/// Reads the secret of the webhook.
pub(super) fn webhook_secret(section: &ForgeSection) -> Result<Option<SecretSource>, String> {
    secret(section.webhook_secret_file.as_ref(), section.webhook_secret_env.as_ref(), "webhook_secret")
}

/// Returns where the API is: the repository's URL tells for the public forge alone, since others may live below a path.
pub(super) fn api_url(section: &ForgeSection, url: &str, public: Public) -> Result<String, String> {
    let Public { host, api, elsewhere } = public;
    if let Some(configured) = &section.api_url {
        return Ok(configured.clone());
    }
    let starts = [format!("https://{host}/"), format!("ssh://git@{host}/"), format!("git@{host}:")];
    if starts.iter().any(|start| url.starts_with(start)) {
        return Ok(api.to_owned());
    }
    Err(format!("the repository is not on {host}; name the API, such as api_url = \"{elsewhere}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_api_is_known_for_the_public_forge_alone() {
        let public =
            Public { host: "forge.example", api: "https://api.forge.example", elsewhere: "https://HOST/api" };
        let unnamed = ForgeSection::default();
        for url in [
            "git@forge.example:acme/cfg",
            "https://forge.example/acme/cfg",
            "ssh://git@forge.example/acme/cfg",
        ] {
            assert_eq!(api_url(&unnamed, url, public).unwrap(), public.api, "{url}");
        }
        for url in ["https://own.example/acme/cfg", "https://forge.example.evil/acme/cfg", "file:///srv/cfg"]
        {
            assert!(api_url(&unnamed, url, public).unwrap_err().contains("https://HOST/api"), "{url}");
        }
        let named =
            ForgeSection { api_url: Some("https://own.example/api".to_owned()), ..ForgeSection::default() };
        assert_eq!(api_url(&named, "git@forge.example:acme/cfg", public).unwrap(), "https://own.example/api");
    }
}
