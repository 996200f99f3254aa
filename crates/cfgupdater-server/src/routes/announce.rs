//! `POST /v1/repos/{repo}/images`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cfgupdater::RepoHandle;
use cfgupdater::core::{
    Announcement, Answer, AppSha, IntentId, Outcome, Policy, Request, SetName, Snapshot, VerifyImages,
};
use serde::Deserialize;
use tracing::warn;

use crate::api::{Announced, Images};
use crate::extract::{IMAGES_CAP, Json, Parameters, Path};
use crate::problem::Problem;
use crate::state::AppState;
use crate::tokens::{Caller, Scope};

/// The parameters of an announcement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Announce {
    app_sha: AppSha,
    set: Option<SetName>,
    sequence: Option<u64>,
    attempt: Option<u32>,
    #[serde(default)]
    dry_run: bool,
}

#[utoipa::path(post, path = "/v1/repos/{repo}/images", tag = "announce",
    description = "Announces a set of images, as an application's CI does. Repeating a call is safe: it never makes a second intent.",
    params(
        ("repo" = String, Path, description = "The repository"),
        ("app_sha" = String, Query, description = "The application's full commit SHA"),
        ("set" = Option<String>, Query, description = "The image set; the only one where absent"),
        ("sequence" = Option<u64>, Query, description = "Orders announcements of a set"),
        ("attempt" = Option<u32>, Query, description = "The run attempt, to try an evicted build again"),
        ("dry_run" = Option<bool>, Query, description = "Only say what would become of it"),
    ),
    request_body = Images,
    responses(
        (status = 200, description = "Committed, duplicate, stale or unchanged", body = Announced),
        (status = 202, description = "Accepted and queued", body = Announced),
        (status = 422, description = "Something is wrong with it", body = Problem),
        (status = 503, description = "Nothing was accepted; repeat the call", body = Problem),
    ))]
pub(crate) async fn announce(
    State(state): State<AppState>,
    caller: Caller,
    Path(repo): Path<String>,
    Parameters(asked): Parameters<Announce>,
    Json(Images(images)): Json<Images, IMAGES_CAP>,
) -> Result<Response, Problem> {
    let repo = state.repo(&repo)?;
    let set = match asked.set {
        Some(set) => set,
        None => only_set(&repo.view().policy)?,
    };
    caller.needs(&Scope::Announce(Some(set.clone())))?;
    let attempt = asked.attempt.unwrap_or(1);
    let announced = Announcement { set, app_sha: asked.app_sha, sequence: asked.sequence, attempt, images };
    verified(&state, repo, &announced).await?;
    let request = if asked.dry_run { Request::Preview(announced) } else { Request::Announce(announced) };
    let answer = repo.call(&caller.name, request).await?;
    let queued = matches!(&answer, Answer::Announced(told) if told.outcome == Outcome::Queued);
    let status = if queued { StatusCode::ACCEPTED } else { StatusCode::OK };
    Ok((status, axum::Json(answer)).into_response())
}

/// Asks the registries about announced images. What was accepted before needs no registry to be answered.
async fn verified(state: &AppState, repo: &RepoHandle, announced: &Announcement) -> Result<(), Problem> {
    let verify = repo.view().policy.set(&announced.set).map(|set| set.verify_images).unwrap_or_default();
    if verify == VerifyImages::Off || accepted_before(repo, announced.intent_id()).await {
        return Ok(());
    }
    let Some(verifier) = &state.verifier else {
        let message =
            "images must be verified, but this service was built without registries; give it a verifier";
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, message));
    };
    verifier.verify(verify, &announced.images).await.map_err(|refusal| {
        warn!(repo = %repo.name(), set = %announced.set, "announced images are not accepted: {refusal}");
        Problem::from(refusal)
    })
}

async fn accepted_before(repo: &RepoHandle, id: IntentId) -> bool {
    let view = repo.settled_view().await;
    let known = |snapshot: &Snapshot| snapshot.state.knows(id) || snapshot.history.by_intent(id).is_some();
    view.snapshot.as_deref().is_some_and(known)
}

fn only_set(policy: &Policy) -> Result<SetName, Problem> {
    match policy.sets.as_slice() {
        [only] => Ok(only.name.clone()),
        sets => {
            let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
            Err(Problem::invalid(format!("name the image set: set=…, one of {}", names.join(", "))).at("set"))
        }
    }
}
