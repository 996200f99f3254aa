//! [`FakeGithub`]: the server.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use tokio::sync::oneshot;

use crate::api::{self, Asked, Told};
use crate::git::{self, GitRequest};
use crate::world::World;
use crate::{TOKEN, answers};

/// Where the API is, as on an Enterprise Server.
const API: &str = "/api/v3";

/// Largest request, in bytes.
const CAP: usize = 64 * 1024 * 1024;

/// A running GitHub; ends when dropped, and says then whether it answered as GitHub does.
#[derive(Debug)]
pub struct FakeGithub {
    address: SocketAddr,
    world: Arc<Mutex<World>>,
    stop: Option<oneshot::Sender<()>>,
}

#[derive(Debug, Clone)]
struct Shared {
    world: Arc<Mutex<World>>,
    base: String,
}

impl FakeGithub {
    /// Starts one on a loopback address.
    pub fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port is free");
        listener.set_nonblocking(true).expect("a socket can be made non-blocking");
        let address = listener.local_addr().expect("a bound socket has an address");
        let world: Arc<Mutex<World>> = Arc::default();
        let shared = Shared { world: Arc::clone(&world), base: format!("http://{address}{API}") };
        let (stop, stopped) = oneshot::channel();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("the socket is usable");
                let app = Router::new().fallback(handle).with_state(shared);
                tokio::select! {
                    _ = std::future::IntoFuture::into_future(axum::serve(listener, app)) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, world, stop: Some(stop) }
    }

    /// Returns where the API is.
    pub fn api_url(&self) -> String {
        format!("http://{}{API}", self.address)
    }

    /// Returns the repository's URL for git.
    pub fn git_url(&self) -> String {
        format!("http://{}/{}.git", self.address, crate::REPOSITORY)
    }

    /// Looks at the world, or changes it.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a delivery of a webhook that happened so long ago; returns its number.
    pub fn deliver(&self, guid: &str, ago: Duration, status: u16) -> u64 {
        let mut world = self.world();
        let id = world.id();
        world.deliveries.insert(0, answers::delivery(id, guid, &api::ago(ago), status));
        id
    }
}

impl Drop for FakeGithub {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // It may have ended already.
            let _ = stop.send(());
        }
        let violations = std::mem::take(&mut self.world().violations);
        assert!(
            violations.is_empty() || std::thread::panicking(),
            "GitHub answers otherwise: {violations:#?}"
        );
    }
}

async fn handle(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, CAP).await.unwrap_or_default();
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let Some(below) = path.strip_prefix(API) else {
        return of_git(shared, parts.method.as_str(), path, query, &parts.headers, body.to_vec()).await;
    };
    let asked = Asked {
        method: parts.method.as_str(),
        path: below,
        query,
        token: text(&parts.headers, "authorization").strip_prefix("Bearer ").unwrap_or_default(),
        known: parts.headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()),
        body: &body,
        base: &shared.base,
    };
    let mut told = api::answer(&mut shared.world.lock().unwrap_or_else(PoisonError::into_inner), &asked);
    if let Some(why) = unmannerly(&parts.headers) {
        told = Told { status: 400, headers: Vec::new(), body: why.into() };
    }
    let mut response =
        Response::builder().status(told.status).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in told.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(told.body)).expect("an answer can be built")
}

/// Says what a request lacks that GitHub asks of every client.
fn unmannerly(headers: &HeaderMap) -> Option<&'static str> {
    let one = |name: &str| headers.get_all(name).iter().count() == 1;
    if !one("user-agent") || !text(headers, "user-agent").starts_with("cfgupdater/") {
        return Some("the User-Agent must name the client, once");
    }
    (!one("x-github-api-version")).then_some("the version of the API must be named")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

async fn of_git(
    shared: Shared,
    method: &str,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Response {
    let plain = |status: StatusCode| Response::builder().status(status);
    let (root, known, breaks) = {
        let mut world = shared.world.lock().unwrap_or_else(PoisonError::into_inner);
        let login = git::login(headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()));
        let known = login.filter(|(user, password)| {
            user == "x-access-token" && (password == TOKEN || world.tokens.contains(password))
        });
        let pushes = known.is_some() && method == "POST" && path.ends_with("/git-receive-pack");
        let breaks = pushes && std::mem::take(&mut world.break_next_push);
        if pushes {
            world.pushes.extend(known.as_ref().map(|(_, password)| password.clone()));
        }
        (world.git_root.clone(), known, breaks)
    };
    let (Some(root), Some((login, _))) = (root, known) else {
        let refused =
            plain(StatusCode::UNAUTHORIZED).header(header::WWW_AUTHENTICATE, "Basic realm=\"GitHub\"");
        return refused.body(Body::empty()).expect("an answer can be built");
    };
    let request = GitRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        content_type: text(headers, "content-type").to_owned(),
        encoding: text(headers, "content-encoding").to_owned(),
        protocol: text(headers, "git-protocol").to_owned(),
        login,
        body,
    };
    let answered = tokio::task::spawn_blocking(move || git::backend(&root, &request)).await.ok().flatten();
    let Some((status, headers, body)) = answered.filter(|_| !breaks) else {
        return plain(StatusCode::BAD_GATEWAY).body(Body::empty()).expect("an answer can be built");
    };
    let response =
        headers.iter().fold(Response::builder().status(status), |r, (name, value)| r.header(name, value));
    response.body(Body::from(body)).expect("an answer can be built")
}
