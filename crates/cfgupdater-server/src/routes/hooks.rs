//! `POST /v1/repos/{repo}/hooks/forge`

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use cfgupdater::RepoHandle;
use cfgupdater::core::{Error, ErrorKind, WebhookDelivery, WebhookMeaning, explain};
use tracing::warn;

use crate::extract::{HOOK_CAP, Path, read_hook};
use crate::fates::Fate;
use crate::problem::Problem;
use crate::state::AppState;

/// The header by which GitLab says that a delivery is one that it made before.
const REPEATED: &str = "idempotency-key";

#[utoipa::path(post, path = "/v1/repos/{repo}/hooks/forge", tag = "hooks",
    description = "Takes a webhook of the repository's forge, authenticated by its signature. It causes a look at most.",
    params(("repo" = String, Path, description = "The repository")),
    responses((status = 202, description = "Taken"), (status = 401, description = "Not authentic", body = Problem),
        (status = 503, description = "Nobody can tell whether it is authentic", body = Problem)))]
pub(crate) async fn forge(
    State(state): State<AppState>,
    Path(repo): Path<String>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let (name, slot) = state.slot(&repo)?;
    let forge = slot.forge()?;
    let (parts, body) = request.into_parts();
    let body = read_hook(&parts, body, HOOK_CAP).await?;
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers: Vec<(String, String)> = parts.headers.iter().filter_map(text).collect();
    let delivery = WebhookDelivery::new(&headers, &body);
    let meaning = forge.decode_webhook(&delivery).map_err(|error| {
        warn!(repo = %name, "refused a webhook: {}", explain(&error));
        let (fate, problem) = refuse(error);
        state.fates.count(name, fate);
        problem
    })?;
    let is_new = || state.deliveries.is_new(name.as_str(), delivery.header(REPEATED), Instant::now());
    let fate = match meaning {
        WebhookMeaning::Look if is_new() => {
            // One that is not open yet is read once it is.
            let _ = slot.handle().map(RepoHandle::look);
            Fate::Looked
        }
        WebhookMeaning::Look => Fate::Repeated,
        _ => Fate::Ignored,
    };
    state.fates.count(name, fate);
    // A forge may stop to deliver what it thinks is unwelcome.
    Ok(StatusCode::ACCEPTED)
}

/// Decides whose fault it is. What is ours is told in the log: whoever sent this may be anybody.
fn refuse(error: Error) -> (Fate, Problem) {
    match error.kind() {
        ErrorKind::Unauthenticated => {
            (Fate::Unauthentic, Problem::new(StatusCode::UNAUTHORIZED, explain(&error)))
        }
        ErrorKind::Invalid | ErrorKind::Unsupported => (Fate::Malformed, error.into()),
        _ => {
            let detail = "what would prove this webhook can't be had; look at the service's log";
            (Fate::Unprovable, Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
        }
    }
}
