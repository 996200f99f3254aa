//! [`FakeGitlab`]: the server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use cfgupdater_tests_forge_server::{GitPlace, Serving, answer_git, login, text};

use crate::api::{self, Asked, Told};
use crate::world::World;

/// The path below which this GitLab lives.
const SUBPATH: &str = "/git";

/// Where the API is.
const API: &str = "/git/api/v4";

/// Largest request, in bytes.
const CAP: usize = 64 * 1024 * 1024;

/// A running GitLab; ends when dropped.
#[derive(Debug)]
pub struct FakeGitlab {
    serving: Serving,
    world: Arc<Mutex<World>>,
}

impl FakeGitlab {
    /// Starts one on a loopback address.
    pub fn start() -> Self {
        let world: Arc<Mutex<World>> = Arc::default();
        let known = Arc::clone(&world);
        let serving = Serving::start(|_| Router::new().fallback(handle).with_state(known));
        Self { serving, world }
    }

    /// Returns where the API is.
    pub fn api_url(&self) -> String {
        format!("http://{}{API}", self.serving.address())
    }

    /// Returns the project's URL for git.
    pub fn git_url(&self) -> String {
        format!("http://{}{SUBPATH}/{}.git", self.serving.address(), crate::PROJECT)
    }

    /// Looks at the world, or changes it.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn handle(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, CAP).await.unwrap_or_default();
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let Some(below) = path.strip_prefix(API) else {
        let place = git_place(&world, parts.method.as_str(), path, &parts.headers);
        let path = path.strip_prefix(SUBPATH).unwrap_or(path);
        return answer_git(place, parts.method.as_str(), path, query, &parts.headers, body.to_vec()).await;
    };
    let token = text(&parts.headers, "private-token");
    let asked = Asked { method: parts.method.as_str(), path: below, query, token };
    let mut told = api::answer(&mut world.lock().unwrap_or_else(PoisonError::into_inner), &asked);
    if let Some(why) = unmannerly(&parts.headers, query) {
        told = Told { status: 400, headers: Vec::new(), body: why.into() };
    }
    let mut response =
        Response::builder().status(told.status).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in told.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(told.body)).expect("an answer can be built")
}

/// Says what a request does that no client should.
fn unmannerly(headers: &HeaderMap, query: &str) -> Option<&'static str> {
    if headers.get_all("user-agent").iter().count() != 1
        || !text(headers, "user-agent").starts_with("cfgupdater/")
    {
        return Some("the User-Agent must name the client, once");
    }
    query.contains("private_token").then_some("a token must not stand in an address")
}

fn git_place(world: &Mutex<World>, method: &str, path: &str, headers: &HeaderMap) -> GitPlace {
    let mut world = world.lock().unwrap_or_else(PoisonError::into_inner);
    let login = login(headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()));
    let known = login.filter(|(_, password)| *password == world.token);
    let pushes = known.is_some() && method == "POST" && path.ends_with("/git-receive-pack");
    let breaks = pushes && std::mem::take(&mut world.break_next_push);
    if pushes {
        world.pushes.extend(known.as_ref().map(|(_, password)| password.clone()));
    }
    let login = known.map(|_| "bot".to_owned());
    GitPlace { root: world.git_root.clone(), login, breaks, realm: "GitLab" }
}
