//! `POST /v1/repos/{repo}/deployments`

use axum::extract::State;
use cfgupdater::core::{Answer, Claim, DeploymentReport, Request};

use crate::api::{Deployment, Reported};
use crate::extract::{Json, Path};
use crate::problem::Problem;
use crate::state::AppState;
use crate::tokens::{Caller, Scope};

#[utoipa::path(post, path = "/v1/repos/{repo}/deployments", tag = "report",
    description = "Reports what a target of a wave runs. Repeats and reports of older revisions change nothing.",
    params(("repo" = String, Path, description = "The repository")),
    request_body = Deployment,
    responses(
        (status = 200, description = "What it caused, or what the wave still waits for", body = Reported),
        (status = 422, description = "Something is wrong with it", body = Problem),
    ))]
pub(crate) async fn report(
    State(state): State<AppState>,
    caller: Caller,
    Path(repo): Path<String>,
    Json(said): Json<Deployment>,
) -> Result<axum::Json<Answer>, Problem> {
    let repo = state.repo(&repo)?;
    caller.needs(&Scope::Report(Some((said.wave.clone(), Some(said.target.clone())))))?;
    let claim = match (said.revision, said.release) {
        (Some(revision), None) => Claim::Revision(revision),
        (None, Some(release)) => Claim::Release(release),
        _ => {
            return Err(Problem::invalid("name what was deployed: exactly one of revision and release")
                .at("revision"));
        }
    };
    let report = DeploymentReport {
        wave: said.wave,
        target: said.target,
        status: said.status,
        claim,
        set: said.set,
        observed_at: said.observed_at,
    };
    Ok(axum::Json(repo.call(&caller.name, Request::Report(report)).await?))
}
