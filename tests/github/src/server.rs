//! [`FakeGithub`]: the server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use cfgupdater_tests_forge_server::{GitPlace, Serving, answer_git, login, text};

use crate::api::{self, Asked, Told};
use crate::world::World;
use crate::{TOKEN, answers};

/// Where the API is, as on an Enterprise Server.
const API: &str = "/api/v3";

/// Largest request, in bytes.
const CAP: usize = 64 * 1024 * 1024;

/// A running GitHub; ends when dropped, and says then whether it answered as GitHub does.
#[derive(Debug)]
pub struct FakeGithub {
    serving: Serving,
    world: Arc<Mutex<World>>,
}

#[derive(Debug, Clone)]
struct Shared {
    world: Arc<Mutex<World>>,
    base: String,
}

impl FakeGithub {
    /// Starts one on a loopback address.
    pub fn start() -> Self {
        let world: Arc<Mutex<World>> = Arc::default();
        let known = Arc::clone(&world);
        let serving = Serving::start(|address| {
            let shared = Shared { world: known, base: format!("http://{address}{API}") };
            Router::new().fallback(handle).with_state(shared)
        });
        Self { serving, world }
    }

    /// Returns where the API is.
    pub fn api_url(&self) -> String {
        format!("http://{}{API}", self.serving.address())
    }

    /// Returns the repository's URL for git.
    pub fn git_url(&self) -> String {
        format!("http://{}/{}.git", self.serving.address(), crate::REPOSITORY)
    }

    /// Looks at the world, or changes it.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a delivery of a webhook that happened so long ago; returns its number.
    pub fn deliver(&self, guid: &str, ago: Duration, status: u16) -> u64 {
        let mut world = self.world();
        let id = world.id();
        world
            .deliveries
            .insert(0, answers::delivery(id, guid, &cfgupdater_tests_forge_server::ago(ago), status));
        id
    }
}

impl Drop for FakeGithub {
    fn drop(&mut self) {
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

async fn of_git(
    shared: Shared,
    method: &str,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Response {
    let place = {
        let mut world = shared.world.lock().unwrap_or_else(PoisonError::into_inner);
        let login = login(headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()));
        let known = login.filter(|(user, password)| {
            user == "x-access-token" && (password == TOKEN || world.tokens.contains(password))
        });
        let pushes = known.is_some() && method == "POST" && path.ends_with("/git-receive-pack");
        let breaks = pushes && std::mem::take(&mut world.break_next_push);
        if pushes {
            world.pushes.extend(known.as_ref().map(|(_, password)| password.clone()));
        }
        let login = known.map(|(user, _)| user);
        GitPlace { root: world.git_root.clone(), login, breaks, realm: "GitHub" }
    };
    answer_git(place, method, path, query, headers, body).await
}
