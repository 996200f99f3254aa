//! [`Connector`]: octocrab on the HTTP client that adapters share.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use cfgupdater_core::{Error, ErrorKind};
use cfgupdater_forge_http::HttpClient;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use octocrab::OctoBody;
use tower_service::Service;

/// Carries octocrab's requests.
#[derive(Debug, Clone)]
pub(crate) struct Connector(pub(crate) HttpClient);

impl Service<Request<OctoBody>> for Connector {
    type Response = Response<Full<Bytes>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<OctoBody>) -> Self::Future {
        let http = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let unsent =
                |cause| Error::new(ErrorKind::Other, "a request could not be made").with_source(cause);
            let body = body.collect().await.map_err(unsent)?.to_bytes();
            let answer = http.send(Request::from_parts(parts, body.to_vec())).await?;
            let mut response = Response::new(Full::new(Bytes::from(answer.body)));
            *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or_default();
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}
