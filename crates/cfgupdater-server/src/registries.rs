//! [`Registries`]: the configured registries as one.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use cfgupdater::core::{Descriptor, Error, ErrorKind, Finding, ImageRef, Manifest, Registry, explain};
use cfgupdater_image_builder::{RegistryClient, RegistrySettings};

use crate::config::{Config, RegistryEntry};

/// How long what fails in passing is tried again: a caller waits meanwhile, and can repeat the call.
const RETRY_FOR: Duration = Duration::from_secs(3);

/// How long a registry may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// The configured registries by their hosts. No other host is ever asked: whoever may announce must not choose where
/// the service sends requests to.
#[derive(Debug, Default)]
pub(crate) struct Registries {
    clients: BTreeMap<String, RegistryClient>,
}

impl Registries {
    pub(crate) fn of(config: &Config) -> Self {
        let entries = config.file.registry.iter();
        let client = |entry: &RegistryEntry| RegistryClient::new(settings(config, entry));
        Self { clients: entries.map(|entry| (entry.host.get_ref().clone(), client(entry))).collect() }
    }

    fn client(&self, image: &ImageRef) -> Result<&RegistryClient, Error> {
        let host = image.registry();
        self.clients.get(host).ok_or_else(|| {
            let known: Vec<&str> = self.clients.keys().map(String::as_str).collect();
            let message = format!(
                "registry {host} is not one of the service's: {}; announce images from there, or add a [[registry]] with this host",
                known.join(", ")
            );
            Error::new(ErrorKind::Invalid, message)
        })
    }
}

#[async_trait]
impl Registry for Registries {
    async fn resolve(&self, image: &ImageRef) -> Result<Option<Descriptor>, Error> {
        self.client(image)?.resolve(image).await
    }

    async fn manifest(&self, image: &ImageRef) -> Result<Option<Manifest>, Error> {
        self.client(image)?.manifest(image).await
    }
}

fn settings(config: &Config, entry: &RegistryEntry) -> RegistrySettings {
    let host = entry.host.get_ref();
    let mut settings =
        RegistrySettings::anonymous().with_retry_for(RETRY_FOR).with_answer_within(ANSWER_WITHIN);
    if let Some(file) = auth_file(config, entry) {
        settings = settings.with_auth_file(file);
    }
    if let Some(file) = &entry.ca_file {
        // Whoever names an authority wants TLS, also on a loopback address.
        settings = settings.with_ca_file(config.directory.join(file.get_ref())).with_https(host);
    }
    if entry.plain_http { settings.with_plain_http(host) } else { settings }
}

fn auth_file(config: &Config, entry: &RegistryEntry) -> Option<PathBuf> {
    entry.auth_file.as_ref().map(|file| config.directory.join(file))
}

/// Asks a registry whether it lets us in.
pub(crate) async fn preflight(config: &Config, entry: &RegistryEntry) -> Option<Finding> {
    let host = entry.host.get_ref();
    let file = auth_file(config, entry);
    if let Some((file, cause)) = file.as_ref().and_then(|file| Some((file, std::fs::File::open(file).err()?)))
    {
        let problem =
            format!("the file of logins {} of registry {host} can't be read: {cause}", file.display());
        return Some(Finding::fatal(problem, "provide it, or take auth_file off"));
    }
    let error = RegistryClient::new(settings(config, entry)).reach(host).await.err()?;
    let problem = format!("registry {host} can't be used: {}", explain(&error));
    let is_closed = matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden);
    Some(if is_closed && file.is_none() {
        Finding::warning(problem, "name a file of logins as auth_file, unless its images are public")
    } else {
        Finding::fatal(
            problem,
            "announcements whose images must be verified are answered 503 until this is mended",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registries(text: &str) -> Registries {
        let config = format!(
            "[server]\n[[repo]]\nname = \"r\"\nurl = \"file:///r.git\"\n[repo.forge]\nkind = \"local\"\n\
             [[repo.image_set]]\nname = \"app\"\n[[repo.wave]]\nname = \"w\"\ntargets = [\"t\"]\n{text}"
        );
        Registries::of(&Config::parse(&config, "c.toml").unwrap())
    }

    #[tokio::test]
    async fn only_configured_registries_are_asked() {
        let registries =
            registries("[[registry]]\nhost = \"r.example.com\"\n[[registry]]\nhost = \"docker.io\"\n");
        for foreign in ["127.0.0.1:1/a:v1", "169.254.169.254/a:v1", "other.example.com/a:v1"] {
            let error = registries.resolve(&foreign.parse().unwrap()).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.to_string().contains("docker.io, r.example.com"), "{error}");
        }
        assert!(registries.client(&"r.example.com/a:v1".parse().unwrap()).is_ok());
        assert!(registries.client(&"alpine:3".parse().unwrap()).is_ok());
    }
}
