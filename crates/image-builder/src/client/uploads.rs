//! Blobs: pushed, where they are not there already.

use cfgupdater_core::{Descriptor, Error, ErrorKind, Retry};
use reqwest::header::{HeaderName, LOCATION};
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

/// How long pieces are where content was refused as too large: below what proxies are usually set to take.
const PIECE: u64 = 4 * 1024 * 1024;

/// The longest pieces that a registry may ask for; they are held in memory.
const LONGEST_PIECE: u64 = 64 * 1024 * 1024;

/// How registries say how long pieces must be (OCI distribution specification 1.1).
const SHORTEST_PIECE: HeaderName = HeaderName::from_static("oci-chunk-min-length");

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
            let answer = match self.exchange().send(&request).await {
                Ok(answer) => answer,
                // The token server gives none for both repositories: it may give one for the target.
                Err(error) if is_refusal(error.kind()) => return Ok(None),
                Err(error) => return Err(error),
            };
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
        let upload = Upload { client: self, action: &action, target, blob, source, scope };
        let limit = self.exchange().settings.longest_request;
        if let Some(limit) = limit.filter(|limit| blob.size > *limit) {
            return upload.in_pieces(limit).await;
        }
        match upload.whole().await? {
            Taken::Yes => Ok(()),
            Taken::TooLarge(_) if blob.size > PIECE => upload.in_pieces(PIECE).await,
            Taken::TooLarge(error) => Err(error),
        }
    }
}

/// What became of content that was sent in one request.
enum Taken {
    Yes,
    /// The registry, or a proxy before it, takes no request of this size.
    TooLarge(Error),
}

/// One attempt to send a blob.
struct Upload<'a> {
    client: &'a RegistryClient,
    action: &'a str,
    target: &'a Repository,
    blob: &'a Descriptor,
    source: &'a BlobSource,
    scope: &'a Scope,
}

impl Upload<'_> {
    /// Streams the content in one request, as every registry takes it.
    async fn whole(&self) -> Result<Taken, Error> {
        let session = self.with_digest(self.begin().await?.0);
        let request = Request::new(self.action, Method::PUT, session, self.scope);
        let request = request.sending(BINARY, self.source, self.blob.size);
        let answer = self.client.exchange().send(&request).await?;
        match answer.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Ok(Taken::TooLarge(answer.into_error().await)),
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(Taken::Yes),
            _ => Err(lost_or_refused(answer).await),
        }
    }

    /// Sends the content in pieces, none shorter than the registry asks for.
    async fn in_pieces(&self, length: u64) -> Result<(), Error> {
        let (mut session, shortest) = self.begin().await?;
        let length = length.max(shortest);
        let mut sent = 0;
        while sent < self.blob.size {
            let end = self.blob.size.min(sent + length);
            let piece = self.source.piece(sent, end - sent).await?;
            let request = Request::new(self.action, Method::PATCH, session, self.scope);
            let request = request.with_range(sent, end - 1).sending(BINARY, &piece, end - sent);
            let answer = self.client.exchange().send(&request).await?;
            if !matches!(answer.status(), StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
                return Err(lost_or_refused(answer).await);
            }
            session = session_of(self.action, &answer)?;
            sent = end;
        }
        let request = Request::new(self.action, Method::PUT, self.with_digest(session), self.scope);
        let answer = self.client.exchange().send(&request).await?;
        match answer.status() {
            StatusCode::CREATED | StatusCode::NO_CONTENT => Ok(()),
            _ => Err(lost_or_refused(answer).await),
        }
    }

    /// Begins an upload; returns where it goes on, and the length that pieces must have at least.
    async fn begin(&self) -> Result<(Url, u64), Error> {
        let url = within(self.target, "blobs/uploads/", &self.client.exchange().settings)?;
        let begun =
            self.client.exchange().send(&Request::new(self.action, Method::POST, url, self.scope)).await?;
        if begun.status() != StatusCode::ACCEPTED {
            return Err(begun.into_error().await);
        }
        let shortest = begun.header(&SHORTEST_PIECE).and_then(|text| text.parse().ok());
        Ok((session_of(self.action, &begun)?, shortest.unwrap_or(0).min(LONGEST_PIECE)))
    }

    fn with_digest(&self, mut session: Url) -> Url {
        session.query_pairs_mut().append_pair("digest", self.blob.digest.as_str());
        session
    }
}

fn is_refusal(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::Unauthenticated | ErrorKind::Forbidden)
}

async fn lost_or_refused(answer: Answer<'_>) -> Error {
    let is_lost = matches!(answer.status(), StatusCode::NOT_FOUND | StatusCode::RANGE_NOT_SATISFIABLE);
    let error = answer.into_error().await;
    if is_lost {
        // As when another replica of the registry answers: a new session may do.
        return Error::new(ErrorKind::Unavailable, error.to_string()).with_retry(Retry::Backoff);
    }
    error
}

/// Returns where the upload goes on.
fn session_of(action: &str, begun: &Answer<'_>) -> Result<Url, Error> {
    let location = begun.header(&LOCATION);
    let url = location.and_then(|location| begun.url().join(location).ok());
    url.ok_or_else(|| failure::nonsense(action, begun.url(), "doesn't say where to push to"))
}
