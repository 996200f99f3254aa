//! Blobs: found and read.

use cfgupdater_core::{Descriptor, Error, ErrorKind, ImageDigest};
use reqwest::{Method, StatusCode};
use sha2::{Digest, Sha256, Sha512};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::address::within;
use super::answer::Answer;
use super::failure;
use super::registry_client::RegistryClient;
use super::repository::Repository;
use super::request::Request;
use super::retry::retrying;
use super::scope::Scope;

impl RegistryClient {
    /// Tells whether a repository has a blob.
    ///
    /// # Errors
    /// Fails where the registry can't be reached or refuses us.
    pub async fn has_blob(&self, repository: &Repository, digest: &ImageDigest) -> Result<bool, Error> {
        self.has_blob_as(repository, digest, &Scope::pull(repository)).await
    }

    pub(super) async fn has_blob_as(
        &self,
        repository: &Repository,
        digest: &ImageDigest,
        scope: &Scope,
    ) -> Result<bool, Error> {
        let action = format!("look up {digest} in {repository}");
        let url = within(repository, &format!("blobs/{digest}"), &self.exchange().settings)?;
        let request = Request::new(&action, Method::HEAD, url, scope);
        retrying(self.patience(), || async {
            let answer = self.exchange().send(&request).await?;
            match answer.status() {
                StatusCode::OK => Ok(true),
                StatusCode::NOT_FOUND => Ok(false),
                _ => Err(answer.into_error().await),
            }
        })
        .await
    }

    /// Reads a small blob, such as an image's configuration.
    ///
    /// # Errors
    /// Fails where the blob is longer than `limit`, is not there, or doesn't have its digest and size.
    pub async fn read_blob(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        limit: u64,
    ) -> Result<Vec<u8>, Error> {
        if blob.size > limit {
            let message =
                format!("{} in {repository} is longer than {limit} bytes and is not read", blob.digest);
            return Err(Error::new(ErrorKind::Invalid, message));
        }
        retrying(self.patience(), || async {
            let mut bytes = Vec::new();
            self.stream_blob(repository, blob, &mut bytes).await?;
            Ok(bytes)
        })
        .await
    }

    /// Reads a blob of any size into a new file.
    ///
    /// # Errors
    /// Fails where the blob is not there or doesn't have its digest and size, or where the file can't be written.
    pub async fn fetch_blob(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        file: &std::path::Path,
    ) -> Result<(), Error> {
        retrying(self.patience(), || async {
            let created = tokio::fs::File::create(file).await;
            let mut created = created.map_err(|cause| unwritable(&file.display().to_string(), cause))?;
            self.stream_blob(repository, blob, &mut created).await?;
            created.flush().await.map_err(|cause| unwritable(&file.display().to_string(), cause))
        })
        .await
    }

    async fn stream_blob(
        &self,
        repository: &Repository,
        blob: &Descriptor,
        into: &mut (impl AsyncWrite + Unpin + Send),
    ) -> Result<(), Error> {
        let action = format!("read {} from {repository}", blob.digest);
        let scope = Scope::pull(repository);
        let url = within(repository, &format!("blobs/{}", blob.digest), &self.exchange().settings)?;
        let mut answer = self.exchange().send(&Request::new(&action, Method::GET, url, &scope)).await?;
        if answer.status() != StatusCode::OK {
            return Err(answer.into_error().await);
        }
        let mut hasher = Hasher::new(&blob.digest);
        let mut length = 0;
        while let Some(piece) = answer.piece().await? {
            length += piece.len() as u64;
            if length > blob.size {
                return Err(wrong_size(&action, &answer, blob));
            }
            hasher.update(&piece);
            into.write_all(&piece).await.map_err(|cause| unwritable("what was read", cause))?;
        }
        if length != blob.size {
            return Err(wrong_size(&action, &answer, blob));
        }
        if !hasher.matches(&blob.digest) {
            let why = "doesn't have the digest it was asked for by";
            return Err(failure::nonsense(&action, answer.url(), why));
        }
        Ok(())
    }
}

fn wrong_size(action: &str, answer: &Answer<'_>, blob: &Descriptor) -> Error {
    failure::nonsense(
        action,
        answer.url(),
        &format!("doesn't have the {} bytes its manifest says", blob.size),
    )
}

fn unwritable(what: &str, cause: std::io::Error) -> Error {
    Error::new(ErrorKind::Other, format!("{what} can't be written; check the disk")).with_source(cause)
}

/// Hashes a stream with the function its digest names.
enum Hasher {
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Hasher {
    fn new(digest: &ImageDigest) -> Self {
        match digest.algorithm() {
            "sha512" => Self::Sha512(Box::new(Sha512::new())),
            _ => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn matches(self, digest: &ImageDigest) -> bool {
        let hash: Vec<u8> = match self {
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
        };
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        hex == digest.hex()
    }
}
