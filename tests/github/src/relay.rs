//! [`Relay`]: one address before several servers, which notes what they answered.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use cfgupdater_tests_forge_server::Serving;

/// Largest request and answer, in bytes.
const CAP: usize = 64 * 1024 * 1024;

/// Fields that concern one connection alone.
const OF_THE_CONNECTION: [&str; 5] =
    ["connection", "content-length", "host", "keep-alive", "transfer-encoding"];

/// A request with its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without its mark.
    pub query: String,
    /// The fields of the request's head.
    pub headers: HeaderMap,
    /// The body of the request.
    pub sent: Vec<u8>,
    /// The status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub body: Vec<u8>,
}

/// Says which server a method and a path belong to: what its URLs start with; `None` where it isn't there yet.
pub type Route = dyn Fn(&str, &str) -> Option<String> + Send + Sync;

/// Is shown each exchange before the answer goes back.
pub type Seen = dyn Fn(&Exchange) + Send + Sync;

/// A running relay; ends when dropped.
#[derive(Debug)]
pub struct Relay {
    serving: Serving,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
}

#[derive(Clone)]
struct Shared {
    route: Arc<Route>,
    seen: Arc<Seen>,
    exchanges: Arc<Mutex<Vec<Exchange>>>,
    agent: ureq::Agent,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

impl Relay {
    /// Starts one on a loopback address.
    pub fn start(route: Arc<Route>, seen: Arc<Seen>) -> Self {
        let exchanges: Arc<Mutex<Vec<Exchange>>> = Arc::default();
        let config =
            ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build();
        let shared = Shared { route, seen, exchanges: Arc::clone(&exchanges), agent: config.into() };
        let serving = Serving::start(|_| Router::new().fallback(handle).with_state(shared));
        Self { serving, exchanges }
    }

    /// Returns what its URLs start with.
    pub fn base(&self) -> String {
        format!("http://{}", self.serving.address())
    }

    /// Returns what was asked and answered so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn handle(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, CAP).await.unwrap_or_default();
    let (method, path) = (parts.method.as_str().to_owned(), parts.uri.path().to_owned());
    let Some(base) = (shared.route)(&method, &path) else {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "that server has not started yet");
    };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let passed = tokio::task::spawn_blocking(move || {
        let url = if query.is_empty() { format!("{base}{path}") } else { format!("{base}{path}?{query}") };
        let answered = pass_on(&shared.agent, &method, &url, &parts.headers, &body)?;
        let (status, answer) = (answered.0.as_u16(), answered.2.clone());
        let exchange = Exchange {
            method,
            path,
            query,
            headers: parts.headers,
            sent: body.to_vec(),
            status,
            body: answer,
        };
        (shared.seen)(&exchange);
        shared.exchanges.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
        Ok::<_, ureq::Error>(answered)
    });
    match passed.await {
        Ok(Ok((status, headers, body))) => {
            let mut response = Response::new(Body::from(body));
            (*response.status_mut(), *response.headers_mut()) = (status, headers);
            response
        }
        Ok(Err(error)) => plain(StatusCode::BAD_GATEWAY, &error.to_string()),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// Passes a request on, and returns the answer's status, head and body.
pub(crate) fn pass_on(
    agent: &ureq::Agent,
    method: &str,
    url: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(StatusCode, HeaderMap, Vec<u8>), ureq::Error> {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers.iter().filter(|(name, _)| !OF_THE_CONNECTION.contains(&name.as_str())) {
        request = request.header(name, value);
    }
    let answer = if body.is_empty() && method != "POST" {
        agent.run(request.body(())?)
    } else {
        agent.run(request.body(body)?)
    };
    let (parts, mut body) = answer?.into_parts();
    let body = body.with_config().limit(CAP as u64).read_to_vec()?;
    let mut headers = parts.headers;
    for name in OF_THE_CONNECTION {
        headers.remove(name);
    }
    Ok((parts.status, headers, body))
}

fn plain(status: StatusCode, text: &str) -> Response {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "text/plain")
        .body(Body::from(text.to_owned()))
        .expect("an answer can be built")
}
