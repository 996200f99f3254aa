//! `POST /v1/repos/{repo}/hooks/forge`

use std::time::Instant;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use cfgupdater::core::{Error, ErrorKind, WebhookDelivery, WebhookMeaning, explain};

use crate::extract::{HOOK_CAP, read};
use crate::problem::Problem;
use crate::state::AppState;

/// The header by which GitLab says that a delivery is one that it made before.
const REPEATED: &str = "idempotency-key";

#[utoipa::path(post, path = "/v1/repos/{repo}/hooks/forge", tag = "hooks",
    description = "Takes a webhook of the repository's forge, authenticated by its signature. It causes a look at most.",
    params(("repo" = String, Path, description = "The repository")),
    responses((status = 202, description = "Taken"), (status = 401, description = "Not authentic", body = Problem)))]
pub(crate) async fn forge(
    State(state): State<AppState>,
    Path(repo): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let repo = state.repo(&repo)?;
    let (parts, body) = request.into_parts();
    let body = read(&parts, body, HOOK_CAP).await?;
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers: Vec<(String, String)> = parts.headers.iter().filter_map(text).collect();
    let delivery = WebhookDelivery::new(&headers, &body);
    let meaning = repo.forge().decode_webhook(&delivery).map_err(refuse)?;
    let key = delivery.header(REPEATED);
    if meaning == WebhookMeaning::Look && state.deliveries.is_new(repo.name().as_str(), key, Instant::now()) {
        repo.look();
    }
    Ok(StatusCode::ACCEPTED)
}

/// A delivery that isn't authentic is the sender's fault; a forge may stop to deliver what it thinks is ours.
fn refuse(error: Error) -> Problem {
    match error.kind() {
        ErrorKind::Unauthenticated => Problem::new(StatusCode::UNAUTHORIZED, explain(&error)),
        _ => error.into(),
    }
}
