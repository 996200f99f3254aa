//! [`MemoryRegistry`]: a registry in memory, stricter than any real one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use cfgupdater_core::{Descriptor, Error, ErrorKind, ImageDigest, ImageRef, Manifest, Registry, Retry};
use serde::Deserialize;

use crate::conformance::registry::{RegistryHarness, Trouble, Unable};

/// The longest manifest that is taken; the least that registries must take.
const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;

/// The forms of an image's manifest, each with the forms of its configuration and of an index of such images.
const FAMILIES: [[&str; 3]; 2] = [
    [
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.index.v1+json",
    ],
    [
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ],
];

/// A registry in memory. Clones share what it holds.
///
/// It refuses what some registries let pass: manifests that name what their repository doesn't have or that give a wrong
/// size, that mix Docker's forms with OCI's, or that say to be something else than they were pushed as; questions about
/// images of another registry.
///
/// ```
/// # use cfgupdater_core::{ErrorKind, Registry};
/// # use cfgupdater_testkit::memory::MemoryRegistry;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let registry = MemoryRegistry::new("registry.test");
/// let pushed = registry.push_image("team/web", "v1", b"a layer");
/// let image = "registry.test/team/web:v1".parse().unwrap();
/// assert_eq!(registry.resolve(&image).await.unwrap().unwrap(), pushed);
/// registry.fail_with(Some(ErrorKind::Unavailable));
/// assert!(registry.resolve(&image).await.is_err());
/// # });
/// ```
#[derive(Debug, Clone)]
pub struct MemoryRegistry {
    host: String,
    content: Arc<Mutex<Content>>,
}

#[derive(Debug, Default)]
struct Content {
    repositories: BTreeMap<String, Repository>,
    trouble: Option<Failing>,
    questions: usize,
}

/// How questions are answered instead of by what is there.
#[derive(Debug, Clone, Copy)]
enum Failing {
    With(ErrorKind, Option<Retry>),
    OtherBytes,
}

#[derive(Debug, Default)]
struct Repository {
    blobs: BTreeMap<ImageDigest, u64>,
    manifests: BTreeMap<ImageDigest, Manifest>,
    tags: BTreeMap<String, ImageDigest>,
}

/// What a manifest says, of an image or of an index.
#[derive(Deserialize)]
struct Said {
    #[serde(rename = "schemaVersion")]
    schema_version: u32,
    #[serde(rename = "mediaType")]
    media_type: String,
    config: Option<Part>,
    #[serde(default)]
    layers: Vec<Part>,
    #[serde(default)]
    manifests: Vec<Part>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "mediaType")]
    media_type: String,
    digest: ImageDigest,
    size: u64,
}

impl MemoryRegistry {
    /// Makes an empty registry; `host` is what references to its images begin with.
    pub fn new(host: impl Into<String>) -> Self {
        Self { host: host.into(), content: Arc::default() }
    }

    /// Adds content to a repository.
    pub fn put_blob(&self, repository: &str, bytes: &[u8]) {
        let mut content = self.lock();
        let repository = content.repositories.entry(repository.to_owned()).or_default();
        repository.blobs.insert(ImageDigest::of(bytes), bytes.len() as u64);
    }

    /// Pushes a manifest by its digest and, where there is one, under a tag.
    ///
    /// # Errors
    /// Says what is wrong with it; nothing is changed then.
    pub fn put_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        // The grammar of references is that of what they are made of.
        let name = format!("{}/{repository}:{}", self.host, tag.unwrap_or("any"));
        name.parse::<ImageRef>().map_err(|cause| invalid(cause.to_string()))?;
        let mut content = self.lock();
        let repository = content.repositories.entry(repository.to_owned()).or_default();
        repository.judge(manifest).map_err(|why| invalid(format!("the manifest of {name} {why}")))?;
        let digest = manifest.descriptor().digest.clone();
        repository.manifests.insert(digest.clone(), manifest.clone());
        repository.tags.extend(tag.map(|tag| (tag.to_owned(), digest)));
        Ok(())
    }

    /// Pushes an image whose only layer is `layer`, under a tag, and returns what names its manifest.
    ///
    /// # Panics
    /// Fails where repository or tag can't have this name.
    pub fn push_image(&self, repository: &str, tag: &str, layer: &[u8]) -> Descriptor {
        let part = |media_type: &str, bytes: &[u8]| {
            let digest = ImageDigest::of(bytes);
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":{}}}"#, bytes.len())
        };
        let [manifest, config, _] = FAMILIES[0];
        let text = format!(
            r#"{{"schemaVersion":2,"mediaType":"{manifest}","config":{},"layers":[{}]}}"#,
            part(config, b"{}"),
            part("application/vnd.oci.image.layer.v1.tar+gzip", layer)
        );
        self.put_blob(repository, b"{}");
        self.put_blob(repository, layer);
        let manifest = Manifest::new(manifest, text.into_bytes());
        self.put_manifest(repository, Some(tag), &manifest).expect("names are as references have them");
        manifest.descriptor().clone()
    }

    /// Deletes a manifest and the tags that name it.
    ///
    /// # Errors
    /// Fails where it isn't there.
    pub fn delete_manifest(&self, repository: &str, digest: &ImageDigest) -> Result<(), Error> {
        let mut content = self.lock();
        let found = content.repositories.get_mut(repository);
        let deleted = found.and_then(|repository| {
            repository.tags.retain(|_, named| named != digest);
            repository.manifests.remove(digest)
        });
        let absent =
            || Error::new(ErrorKind::NotFound, format!("{}/{repository}@{digest} is not there", self.host));
        deleted.map(|_| ()).ok_or_else(absent)
    }

    /// Has every question fail so, until this is called with `None`.
    pub fn fail_with(&self, kind: Option<ErrorKind>) {
        self.lock().trouble = kind.map(|kind| Failing::With(kind, None));
    }

    /// Returns how many questions were asked so far.
    pub fn questions(&self) -> usize {
        self.lock().questions
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, image: &ImageRef) -> Result<Option<Manifest>, Error> {
        let mut content = self.lock();
        content.questions += 1;
        if let Some(Failing::With(kind, retry)) = content.trouble {
            let error = Error::new(kind, format!("registry {} was told to fail", self.host));
            return Err(match retry {
                Some(retry) => error.with_retry(retry),
                None => error,
            });
        }
        if image.registry() != self.host {
            return Err(invalid(format!("{image} is not of registry {}", self.host)));
        }
        let digest = image.digest().map(|digest| digest.parse().map_err(|_| invalid("no digest")));
        let repository = content.repositories.get(image.path());
        let digest = match (digest.transpose()?, image.tag()) {
            (Some(digest), _) => Some(digest),
            (None, Some(tag)) => repository.and_then(|repository| repository.tags.get(tag).cloned()),
            (None, None) => return Err(invalid(format!("{image} has neither tag nor digest"))),
        };
        Ok(digest.and_then(|digest| repository?.manifests.get(&digest).cloned()))
    }
}

impl Repository {
    fn judge(&self, manifest: &Manifest) -> Result<(), String> {
        let media_type = manifest.descriptor().media_type.as_str();
        if manifest.bytes().len() > MANIFEST_LIMIT {
            return Err(format!("is longer than {MANIFEST_LIMIT} bytes"));
        }
        let said: Said =
            serde_json::from_slice(manifest.bytes()).map_err(|error| format!("can't be read: {error}"))?;
        if said.schema_version != 2 || said.media_type != media_type {
            return Err(format!("says to be {}, but was pushed as {media_type}", said.media_type));
        }
        let image = FAMILIES.iter().find(|family| family[0] == media_type);
        let index = FAMILIES.iter().find(|family| family[2] == media_type);
        match (image, index) {
            (Some(family), _) => self.judge_image(family, &said),
            (_, Some(family)) => self.judge_index(family, &said),
            _ => Err(format!("is of the unknown form {media_type}")),
        }
    }

    fn judge_image(&self, [_, config_type, _]: &[&str; 3], said: &Said) -> Result<(), String> {
        let config = said.config.as_ref().ok_or("names no configuration")?;
        if config.media_type != *config_type || !said.manifests.is_empty() {
            return Err("mixes forms".to_owned());
        }
        let family = if config_type.contains("docker") { "docker" } else { "oci" };
        if said.layers.iter().any(|layer| !layer.media_type.contains(family)) {
            return Err("mixes forms".to_owned());
        }
        let missing =
            said.layers.iter().chain([config]).find(|part| self.blobs.get(&part.digest) != Some(&part.size));
        missing.map_or(Ok(()), |part| Err(format!("names {}, which is not there in this size", part.digest)))
    }

    fn judge_index(&self, [image_type, ..]: &[&str; 3], said: &Said) -> Result<(), String> {
        if said.config.is_some() || said.manifests.iter().any(|part| part.media_type != *image_type) {
            return Err("mixes forms".to_owned());
        }
        let is_missing = |part: &&Part| {
            self.manifests.get(&part.digest).is_none_or(|found| found.descriptor().size != part.size)
        };
        let missing = said.manifests.iter().find(is_missing);
        missing.map_or(Ok(()), |part| Err(format!("names {}, which is not there in this size", part.digest)))
    }
}

fn invalid(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Invalid, why)
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn resolve(&self, image: &ImageRef) -> Result<Option<Descriptor>, Error> {
        Ok(self.find(image)?.map(|manifest| manifest.descriptor().clone()))
    }

    async fn manifest(&self, image: &ImageRef) -> Result<Option<Manifest>, Error> {
        let found = self.find(image)?;
        match (found, self.lock().trouble) {
            (Some(found), Some(Failing::OtherBytes)) => {
                let Descriptor { media_type, digest, .. } = found.descriptor().clone();
                let altered = [found.bytes(), b" "].concat();
                Manifest::verified(media_type, altered, digest).map(Some)
            }
            (found, _) => Ok(found),
        }
    }
}

#[async_trait]
impl RegistryHarness for MemoryRegistry {
    fn registry(&self) -> &dyn Registry {
        self
    }

    fn host(&self) -> String {
        self.host.clone()
    }

    async fn put_blob(&self, repository: &str, bytes: &[u8]) {
        Self::put_blob(self, repository, bytes);
    }

    async fn put_manifest(&self, repository: &str, tag: Option<&str>, manifest: &Manifest) {
        Self::put_manifest(self, repository, tag, manifest).expect("the case pushes what is right");
    }

    async fn delete_manifest(&self, repository: &str, digest: &ImageDigest) {
        Self::delete_manifest(self, repository, digest).expect("the case deletes what is there");
    }

    async fn cause(&self, trouble: Trouble) -> Result<(), Unable> {
        self.lock().trouble = Some(match trouble {
            Trouble::Outage => Failing::With(ErrorKind::Unavailable, None),
            Trouble::RefusedLogin => Failing::With(ErrorKind::Unauthenticated, None),
            Trouble::RateLimit(pause) => Failing::With(ErrorKind::RateLimited, Some(Retry::After(pause))),
            Trouble::OtherBytes => Failing::OtherBytes,
        });
        Ok(())
    }

    async fn cure(&self) {
        self.lock().trouble = None;
    }
}

#[cfg(test)]
mod tests;
