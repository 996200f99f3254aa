//! [`Harness`]: our client and a registry, as the conformance suite examines them.

use async_trait::async_trait;
use cfgupdater_core::{ImageDigest, Manifest, Registry};
use cfgupdater_image_builder::{RegistryClient, Repository};
use cfgupdater_testkit::DockerRegistry;
use cfgupdater_testkit::conformance::registry::{RegistryHarness, Trouble, Unable};

use crate::double::Double;
use crate::http_server::Answer;
use crate::support::{OCI_MANIFEST, anonymous, blob, hasty};

/// A registry that may be able to be in trouble.
pub(crate) trait Server: Send + Sync {
    fn cause(&self, _trouble: Trouble) -> Result<(), Unable> {
        Err(Unable::to("cause trouble"))
    }

    fn cure(&self) {}
}

impl Server for DockerRegistry {}

impl Server for Double {
    fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        let answer = match trouble {
            Trouble::Outage => Answer::status(503),
            Trouble::RefusedLogin => Answer::status(401).with("www-authenticate", "Basic realm=\"x\""),
            Trouble::RateLimit(pause) => Answer::status(429).with("retry-after", pause.as_secs().to_string()),
            Trouble::OtherBytes => Answer::status(200).with("content-type", OCI_MANIFEST).body("{}"),
            other => return Err(Unable::to(format!("{other:?}"))),
        };
        self.answer_manifests(Some(answer));
        Ok(())
    }

    fn cure(&self) {
        self.answer_manifests(None);
    }
}

/// Our client, and a registry that lives as long as this value.
pub(crate) struct Harness<R> {
    client: RegistryClient,
    host: String,
    registry: R,
}

impl Harness<Double> {
    pub(crate) fn of_double() -> Self {
        let double = Double::start();
        // Trouble is told of at once.
        Self { client: RegistryClient::new(hasty()), host: double.address.clone(), registry: double }
    }
}

impl Harness<DockerRegistry> {
    /// `None` where there is no such registry to be had.
    pub(crate) fn of_docker_registry() -> Option<Self> {
        let registry = DockerRegistry::start()?;
        Some(Self { client: anonymous(), host: registry.host().to_owned(), registry })
    }
}

impl<R> Harness<R> {
    fn repository(&self, path: &str) -> Repository {
        format!("{}/{path}", self.host).parse().unwrap()
    }
}

#[async_trait]
impl<R: Server> RegistryHarness for Harness<R> {
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

    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        self.registry.cause(trouble)
    }

    async fn cure(&self) {
        self.registry.cure();
    }
}
