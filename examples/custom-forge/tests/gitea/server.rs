//! A server that answers as Gitea does: stateful, in this process, on a port of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cfgupdater_core::CommitId;
use cfgupdater_testkit::conformance::forge::Trouble;
use serde::Deserialize;
use serde_json::{Value, json};

/// The repository that the payloads are about.
pub(crate) const PROJECT: &str = "example/example";

/// What Gitea gives at most, whatever is asked for.
const MOST: usize = 50;

type Answer = Result<Response, StatusCode>;

/// A Gitea with one repository; cheap to clone.
#[derive(Clone)]
pub(crate) struct Gitea {
    state: Arc<Mutex<Repository>>,
    pub(crate) api_url: String,
}

#[derive(Default)]
struct Repository {
    token: String,
    statuses: BTreeMap<CommitId, Vec<Value>>,
    /// What the default branch requires.
    contexts: Option<Vec<String>>,
    trouble: Option<Trouble>,
    ids: u64,
}

#[derive(Deserialize)]
struct Paging {
    page: Option<usize>,
    limit: Option<usize>,
}

impl Gitea {
    pub(crate) async fn start(token: &str) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api_url = format!("http://{}/api/v1", listener.local_addr().unwrap());
        let gitea = Self { state: Arc::default(), api_url };
        gitea.set_token(token);
        let repository = format!("/api/v1/repos/{PROJECT}");
        let app = Router::new()
            .route(&repository, get(show_repository))
            .route(&format!("{repository}/branches/{{*name}}"), get(show_branch))
            .route(&format!("{repository}/commits/{{sha}}/statuses"), get(list_statuses))
            .layer(from_fn_with_state(gitea.clone(), admit))
            .with_state(gitea.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        gitea
    }

    fn state(&self) -> MutexGuard<'_, Repository> {
        self.state.lock().unwrap()
    }

    pub(crate) fn push(&self, commit: CommitId) {
        self.state().statuses.entry(commit).or_default();
    }

    /// Adds a status, as `POST /repos/{owner}/{repo}/statuses/{sha}` does. All are of the same second.
    pub(crate) fn add_status(&self, commit: CommitId, context: &str, status: &str, creator: &str) {
        let mut state = self.state();
        state.ids += 1;
        let (id, at) = (state.ids, "2026-01-05T10:00:00Z");
        let status = json!({
            "id": id, "status": status, "context": context, "description": "", "created_at": at, "updated_at": at,
            "target_url": format!("https://ci.example.com/{id}"), "url": "", "creator": {"id": 7, "login": creator},
        });
        state.statuses.entry(commit).or_default().push(status);
    }

    pub(crate) fn set_contexts(&self, contexts: Option<Vec<String>>) {
        self.state().contexts = contexts;
    }

    pub(crate) fn set_trouble(&self, trouble: Option<Trouble>) {
        self.state().trouble = trouble;
    }

    pub(crate) fn set_token(&self, token: &str) {
        token.clone_into(&mut self.state().token);
    }
}

/// Lets a request in, or says why not.
async fn admit(State(gitea): State<Gitea>, headers: HeaderMap, request: Request, next: Next) -> Response {
    let (trouble, token) = {
        let state = gitea.state();
        (state.trouble, state.token.clone())
    };
    match trouble {
        Some(Trouble::RateLimited { after }) => {
            let mut response = StatusCode::TOO_MANY_REQUESTS.into_response();
            if let Some(after) = after {
                response.headers_mut().insert("retry-after", after.as_secs().into());
            }
            return response;
        }
        Some(Trouble::Unavailable) => return StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => {}
    }
    let given = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if trouble == Some(Trouble::TokenRevoked) || given != format!("token {token}") {
        // Some servers repeat what they don't accept.
        let said = json!({"message": format!("invalid username, password or token: {given}")});
        return (StatusCode::UNAUTHORIZED, axum::Json(said)).into_response();
    }
    if trouble == Some(Trouble::RepositoryGone) {
        return not_found("The target couldn't be found.");
    }
    next.run(request).await
}

fn not_found(message: &str) -> Response {
    (StatusCode::NOT_FOUND, axum::Json(json!({"message": message}))).into_response()
}

async fn show_repository() -> axum::Json<Value> {
    let permissions = json!({"admin": false, "push": true, "pull": true});
    axum::Json(json!({"id": 1, "full_name": PROJECT, "default_branch": "master", "permissions": permissions}))
}

async fn show_branch(State(gitea): State<Gitea>, Path(name): Path<String>) -> Answer {
    let state = gitea.state();
    if state.trouble == Some(Trouble::RequiredForbidden) {
        return Err(StatusCode::FORBIDDEN);
    }
    if name != "master" {
        return Ok(not_found("branch does not exist"));
    }
    let contexts = state.contexts.clone().unwrap_or_default();
    let (protected, enabled) = (state.contexts.is_some(), state.contexts.is_some());
    Ok(axum::Json(json!({
        "name": name, "protected": protected, "required_approvals": 0, "enable_status_check": enabled,
        "status_check_contexts": contexts, "user_can_push": true, "user_can_merge": true,
    }))
    .into_response())
}

async fn list_statuses(
    State(gitea): State<Gitea>,
    Path(sha): Path<String>,
    Query(paging): Query<Paging>,
) -> Answer {
    let state = gitea.state();
    let commit: CommitId = sha.parse().map_err(|_| StatusCode::BAD_REQUEST)?;
    let page = paging.page.unwrap_or(1);
    match state.trouble {
        Some(Trouble::ChecksForbidden) => return Err(StatusCode::FORBIDDEN),
        Some(Trouble::CommitUnknown(unknown)) if unknown == commit => return Ok(not_found("sha not found")),
        Some(Trouble::PageIsMissing(bad)) if bad == page => return Ok(not_found("page not found")),
        Some(Trouble::PageFails(bad)) if bad == page => return Err(StatusCode::INTERNAL_SERVER_ERROR),
        _ => {}
    }
    let Some(all) = state.statuses.get(&commit) else { return Ok(not_found("sha not found")) };
    let limit = paging.limit.unwrap_or(30).min(MOST);
    let short = usize::from(state.trouble == Some(Trouble::PageIsShort));
    let kept = &all[..all.len().saturating_sub(short)];
    let listed: Vec<&Value> = kept.iter().skip((page - 1) * limit).take(limit).collect();
    let mut text = serde_json::to_string(&listed).unwrap();
    if state.trouble == Some(Trouble::PageIsCut(page)) {
        text.truncate(text.len() / 2);
    }
    let headers = [("content-type", "application/json".to_owned()), ("x-total-count", all.len().to_string())];
    Ok((headers, Body::from(text)).into_response())
}
