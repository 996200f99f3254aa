//! Manifests: read, checked and pushed.

use async_trait::async_trait;
use cfgupdater_core::{Descriptor, Error, ErrorKind, ImageDigest, ImageRef, Manifest, Registry};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use reqwest::{Method, StatusCode};
use serde::Deserialize;

use super::address::within;
use super::answer::Answer;
use super::blob_source::BlobSource;
use super::failure;
use super::registry_client::RegistryClient;
use super::repository::Repository;
use super::request::Request;
use super::retry::retrying;
use super::scope::Scope;

/// The longest manifest that is read; registries refuse longer ones, too.
const MANIFEST_LIMIT: u64 = 4 * 1024 * 1024;

/// The forms of manifests that we can read.
const ACCEPTED: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// What registries say of manifests that name what they don't have (OCI distribution specification 1.1, error codes).
const PARTS_MISSING: [&str; 3] = ["MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "BLOB_UNKNOWN"];

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

#[async_trait]
impl Registry for RegistryClient {
    async fn resolve(&self, image: &ImageRef) -> Result<Option<Descriptor>, Error> {
        let found = retrying(self.patience(), || self.head_manifest(image)).await?;
        match found {
            Head::Absent => Ok(None),
            Head::Found(descriptor) => Ok(Some(descriptor)),
            // Not every registry tells the digest where only headers were asked for.
            Head::Unclear => Ok(self.manifest(image).await?.map(|manifest| manifest.descriptor().clone())),
        }
    }

    async fn manifest(&self, image: &ImageRef) -> Result<Option<Manifest>, Error> {
        retrying(self.patience(), || self.get_manifest(image)).await
    }
}

/// What became of a manifest that was offered.
pub(crate) enum Taken {
    Yes,
    /// The registry doesn't have all that it names; what it said.
    PartsMissing(Error),
}

/// What the headers of a manifest tell.
enum Head {
    Absent,
    Found(Descriptor),
    Unclear,
}

impl RegistryClient {
    /// Pushes a manifest under a tag, or by its digest alone. What it names must be there already.
    ///
    /// # Errors
    /// Fails where the registry refuses it or stores something else.
    pub async fn put_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        manifest: &Manifest,
    ) -> Result<(), Error> {
        match self.offer_manifest(repository, tag, manifest).await? {
            Taken::Yes => Ok(()),
            Taken::PartsMissing(error) => Err(error),
        }
    }

    /// Pushes a manifest, and tells where the registry doesn't have what it names.
    pub(crate) async fn offer_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        manifest: &Manifest,
    ) -> Result<Taken, Error> {
        let digest = &manifest.descriptor().digest;
        let name = tag.unwrap_or(digest.as_str());
        let action = format!("push manifest {repository}:{name}");
        let scope = Scope::push(repository);
        let url = within(repository, &format!("manifests/{name}"), &self.exchange().settings)?;
        let body = BlobSource::Bytes(manifest.bytes().into());
        let descriptor = manifest.descriptor();
        let request = Request::new(&action, Method::PUT, url, &scope).sending(
            &descriptor.media_type,
            &body,
            descriptor.size,
        );
        retrying(self.patience(), || async {
            let answer = self.exchange().send(&request).await?;
            if !answer.status().is_success() {
                let (error, codes) = answer.into_refusal().await;
                let is_missing = codes.iter().any(|code| PARTS_MISSING.contains(&code.as_str()));
                return if is_missing { Ok(Taken::PartsMissing(error)) } else { Err(error) };
            }
            match answer.header(&CONTENT_DIGEST) {
                Some(stored) if stored != digest.as_str() => {
                    let why = format!("says that it stored {stored} instead of {digest}");
                    Err(failure::nonsense(&action, answer.url(), &why))
                }
                _ => Ok(Taken::Yes),
            }
        })
        .await
    }

    async fn head_manifest(&self, image: &ImageRef) -> Result<Head, Error> {
        let action = format!("look up {image}");
        let scope = Scope::pull(&Repository::of(image));
        let request = self.manifest_request(&action, Method::HEAD, image, &scope)?;
        let answer = self.exchange().send(&request).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(Head::Absent),
            _ => return Err(answer.into_error().await),
        }
        let Some(digest) = answer.header(&CONTENT_DIGEST).and_then(|text| text.parse::<ImageDigest>().ok())
        else {
            return Ok(Head::Unclear);
        };
        if image.digest().is_some_and(|asked| asked != digest.as_str()) {
            let why = format!("is about {digest} instead");
            return Err(failure::nonsense(&action, answer.url(), &why));
        }
        let size = answer.header(&CONTENT_LENGTH).and_then(|text| text.parse().ok());
        match (size, media_type(&answer)) {
            (Some(size), Some(media_type)) => Ok(Head::Found(Descriptor::new(media_type, digest, size))),
            _ => Ok(Head::Unclear),
        }
    }

    async fn get_manifest(&self, image: &ImageRef) -> Result<Option<Manifest>, Error> {
        let action = format!("read the manifest of {image}");
        let scope = Scope::pull(&Repository::of(image));
        let request = self.manifest_request(&action, Method::GET, image, &scope)?;
        let answer = self.exchange().send(&request).await?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            _ => return Err(answer.into_error().await),
        }
        let told: Option<ImageDigest> = answer.header(&CONTENT_DIGEST).and_then(|text| text.parse().ok());
        let (header, url) = (media_type(&answer), answer.url().clone());
        let bytes = answer.body(MANIFEST_LIMIT).await?;
        let Some(media_type) = header.or_else(|| inner_media_type(&bytes)) else {
            return Err(failure::nonsense(&action, &url, "is a manifest in a form that is not known"));
        };
        let asked = image.digest().and_then(|digest| digest.parse().ok());
        // A digest that the registry tells of its own accord must be true as well.
        let digest = asked.or(told).unwrap_or_else(|| ImageDigest::of(&bytes));
        Manifest::verified(media_type, bytes, digest).map(Some)
    }

    fn manifest_request<'a>(
        &'a self,
        action: &'a str,
        method: Method,
        image: &ImageRef,
        scope: &'a Scope,
    ) -> Result<Request<'a>, Error> {
        let Some(name) = image.digest().or(image.tag()) else {
            let message = format!("`{image}` has neither tag nor digest; say which image is meant");
            return Err(Error::new(ErrorKind::Invalid, message));
        };
        let url = within(&Repository::of(image), &format!("manifests/{name}"), &self.exchange().settings)?;
        Ok(Request::new(action, method, url, scope).accepting(&ACCEPTED))
    }
}

/// Reads the media type of an answer, if it is a manifest's.
fn media_type(answer: &Answer<'_>) -> Option<String> {
    let text = answer.header(&CONTENT_TYPE)?;
    let media_type = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    ACCEPTED.contains(&media_type.as_str()).then_some(media_type)
}

#[derive(Deserialize)]
struct Typed {
    #[serde(rename = "mediaType")]
    media_type: String,
}

/// Reads the media type that a manifest itself holds; some servers send all files as plain JSON.
fn inner_media_type(bytes: &[u8]) -> Option<String> {
    let typed: Typed = serde_json::from_slice(bytes).ok()?;
    ACCEPTED.contains(&typed.media_type.as_str()).then_some(typed.media_type)
}
