//! [`Harness`]: our client and a registry, as the conformance suite examines them.

use async_trait::async_trait;
use cfgupdater_core::{ImageDigest, Manifest, Registry};
use cfgupdater_image_builder::{RegistryClient, Repository};
use cfgupdater_testkit::DockerRegistry;
use cfgupdater_testkit::conformance::registry::RegistryHarness;

use crate::double::Double;
use crate::support::{anonymous, blob};

/// Our client, and a registry that lives as long as this value.
pub(crate) struct Harness<R> {
    client: RegistryClient,
    host: String,
    _registry: R,
}

impl Harness<Double> {
    pub(crate) fn of_double() -> Self {
        let double = Double::start();
        Self { client: anonymous(), host: double.address.clone(), _registry: double }
    }
}

impl Harness<DockerRegistry> {
    /// `None` where there is no such registry to be had.
    pub(crate) fn of_docker_registry() -> Option<Self> {
        let registry = DockerRegistry::start()?;
        Some(Self { client: anonymous(), host: registry.host().to_owned(), _registry: registry })
    }
}

impl<R> Harness<R> {
    fn repository(&self, path: &str) -> Repository {
        format!("{}/{path}", self.host).parse().unwrap()
    }
}

#[async_trait]
impl<R: Send + Sync> RegistryHarness for Harness<R> {
    fn registry(&self) -> &dyn Registry {
        &self.client
    }

    fn host(&self) -> String {
        self.host.clone()
    }

    async fn put_blob(&self, repository: &str, bytes: &[u8]) {
        let (descriptor, source) = blob(bytes);
        self.client.push_blob(&self.repository(repository), &descriptor, &source).await.unwrap();
    }

    async fn put_manifest(&self, repository: &str, tag: Option<&str>, manifest: &Manifest) {
        self.client.put_manifest(&self.repository(repository), tag, manifest).await.unwrap();
    }

    async fn delete_manifest(&self, repository: &str, digest: &ImageDigest) {
        // The product never deletes anything.
        let url = format!("http://{}/v2/{repository}/manifests/{digest}", self.host);
        let answer = reqwest::Client::new().delete(url).send().await.unwrap();
        assert_eq!(answer.status(), reqwest::StatusCode::ACCEPTED);
    }
}
