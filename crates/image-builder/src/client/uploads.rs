//! Blobs: pushed, where they are not there already.

use cfgupdater_core::{Descriptor, Error, ErrorKind, Retry};
use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode, Url};

use super::address::within;
use super::answer::Answer;
use super::blob_source::BlobSource;
use super::failure;
use super::registry_client::RegistryClient;
use super::repository::Repository;
use super::request::Request;
use super::retry::retrying;
use super::scope::Scope;

const BINARY: &str = "application/octet-stream";

/// What it took to have a blob in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Pushed {
    /// Nothing: it was there.
    Existed,
    /// The registry took it from another repository.
    Mounted,
    /// It was sent.
    Uploaded,
}

impl RegistryClient {
    /// Takes a blob from another repository at the same registry, without moving its content; tells whether it is in
    /// `target` now. A registry that can't do it is no error: the blob has to be pushed then.
    ///
    /// # Errors
    /// Fails where the registry can't be reached or refuses us.
    pub async fn mount_blob(
        &self,
        target: &Repository,
        blob: &Descriptor,
        from: &Repository,
    ) -> Result<Option<Pushed>, Error> {
        if self.has_blob_as(target, &blob.digest, &Scope::push(target)).await? {
            return Ok(Some(Pushed::Existed));
        }
        if from.host() != target.host() || from == target {
            return Ok(None);
        }
        let action = format!("mount {} from {from} into {target}", blob.digest);
        let scope = Scope::mount(target, from);
        let mut url = within(target, "blobs/uploads/", &self.exchange().settings)?;
        url.query_pairs_mut().append_pair("mount", blob.digest.as_str()).append_pair("from", from.path());
        let request = Request::new(&action, Method::POST, url, &scope);
        retrying(self.patience(), || async {
            let answer = self.exchange().send(&request).await?;
            match answer.status() {
                StatusCode::CREATED => Ok(Some(Pushed::Mounted)),
                // An upload was begun instead. Who may not read the source can't mount from it, but may push.
                StatusCode::ACCEPTED | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Ok(None),
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Ok(None),
                _ => Err(answer.into_error().await),
            }
        })
        .await
    }

    /// Sees to it that a repository has a blob: looks for it, and sends it where it isn't there.
    ///
    /// # Errors
    /// Fails where the registry can't be reached or refuses us, or where the source isn't what the descriptor says.
    pub async fn push_blob(
        &self,
        target: &Repository,
        blob: &Descriptor,
        source: &BlobSource,
    ) -> Result<Pushed, Error> {
        let scope = Scope::push(target);
        if self.has_blob_as(target, &blob.digest, &scope).await? {
            return Ok(Pushed::Existed);
        }
        retrying(self.patience(), || self.upload(target, blob, source, &scope)).await?;
        Ok(Pushed::Uploaded)
    }

    /// Sends a blob from the beginning: a session that broke is not taken up again.
    async fn upload(
        &self,
        target: &Repository,
        blob: &Descriptor,
        source: &BlobSource,
        scope: &Scope,
    ) -> Result<(), Error> {
        let action = format!("push {} to {target}", blob.digest);
        let url = within(target, "blobs/uploads/", &self.exchange().settings)?;
        let begun = self.exchange().send(&Request::new(&action, Method::POST, url, scope)).await?;
        if begun.status() != StatusCode::ACCEPTED {
            return Err(begun.into_error().await);
        }
        let mut session = session(&action, &begun)?;
        session.query_pairs_mut().append_pair("digest", blob.digest.as_str());
        let request = Request::new(&action, Method::PUT, session, scope).sending(BINARY, source, blob.size);
        let answer = self.exchange().send(&request).await?;
        match answer.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            // The session is lost, as when another replica of the registry answers: a new one may do.
            StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE => {
                let error = answer.into_error().await;
                Err(Error::new(ErrorKind::Unavailable, error.to_string()).with_retry(Retry::Backoff))
            }
            _ => Err(answer.into_error().await),
        }
    }
}

/// Returns where the upload goes on.
fn session(action: &str, begun: &Answer<'_>) -> Result<Url, Error> {
    let location = begun.header(&LOCATION);
    let url = location.and_then(|location| begun.url().join(location).ok());
    url.ok_or_else(|| failure::nonsense(action, begun.url(), "doesn't say where to push to"))
}
