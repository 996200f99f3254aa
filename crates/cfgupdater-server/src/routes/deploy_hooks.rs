//! `POST /v1/repos/{repo}/hooks/argocd` and `/hooks/flux`: what deploy tools tell by themselves.

use axum::extract::{Request, State};
use axum::http::StatusCode;
use cfgupdater::RepoHandle;
use cfgupdater::core::{Answer, DeploymentReport, is_news};
use cfgupdater_deployers::{argocd as argo, flux as fluxcd};
use serde::Serialize;
use tracing::{info, warn};

use crate::api::Reported;
use crate::deploy::{Outcome, RepoHooks};
use crate::extract::{IMAGES_CAP, Path, read, read_hook};
use crate::problem::Problem;
use crate::state::AppState;
use crate::tokens::{Caller, Scope};

/// What a deploy tool is answered.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Taken {
    /// It reported something.
    Reported(Answer),
    /// It told nothing that leads anywhere.
    Ignored {
        /// Never.
        recorded: bool,
        /// Why.
        ignored: &'static str,
    },
}

type Answered = Result<axum::Json<Taken>, Problem>;

/// One call of a deploy tool, from which everything that comes of it is counted.
struct Hook<'a> {
    name: &'static str,
    repo: &'a RepoHandle,
    hooks: &'a RepoHooks,
}

impl<'a> Hook<'a> {
    fn new(name: &'static str, repo: &'a RepoHandle, state: &'a AppState) -> Result<Self, Problem> {
        let none = || Problem::unknown("no deploy tool is configured for this repository ([[repo.deploy]])");
        let hooks = state.hooks.repo(repo.name()).ok_or_else(none)?;
        Ok(Self { name, repo, hooks })
    }

    fn ignore(&self, outcome: Outcome, why: &'static str) -> axum::Json<Taken> {
        self.hooks.counts.count(self.name, outcome);
        axum::Json(Taken::Ignored { recorded: false, ignored: why })
    }

    fn refuse(&self, outcome: Outcome, problem: Problem) -> Problem {
        self.hooks.counts.count(self.name, outcome);
        problem
    }

    async fn report(&self, actor: &str, report: DeploymentReport) -> Answered {
        let (wave, target, status) = (report.wave.clone(), report.target.clone(), report.status);
        let request = cfgupdater::core::Request::Report(report);
        let answer = self.repo.call(actor, request).await.map_err(|refusal| {
            info!(hook = self.name, %wave, %target, "refused a report: {refusal}");
            self.refuse(Outcome::Refused, refusal.into())
        })?;
        let recorded = matches!(&answer, Answer::Reported(said) if said.recorded);
        self.hooks.counts.count(self.name, if recorded { Outcome::Recorded } else { Outcome::Known });
        if recorded {
            info!(hook = self.name, %wave, %target, ?status, "took a report");
        }
        Ok(axum::Json(Taken::Reported(answer)))
    }
}

#[utoipa::path(post, path = "/v1/repos/{repo}/hooks/argocd", tag = "hooks",
    description = "Takes an application from Argo CD Notifications, by the template in examples/argocd. The token's report scope must cover the target that the application is. What says nothing of a finished deployment, and applications that are not configured, are passed over.",
    params(("repo" = String, Path, description = "The repository")),
    responses((status = 200, description = "What it caused", body = Reported),
        (status = 403, description = "The token may not report for this target", body = Problem),
        (status = 422, description = "Something is wrong with it", body = Problem)))]
pub(crate) async fn argocd(
    State(state): State<AppState>,
    caller: Caller,
    Path(repo): Path<String>,
    request: Request,
) -> Answered {
    // Which target it is about is known from the body alone, which nobody else gets read.
    if !caller.may_report() {
        caller.needs(&Scope::Report(None))?;
    }
    let hook = Hook::new("argocd", state.repo(&repo)?, &state)?;
    let (parts, body) = request.into_parts();
    let body = read(&parts, body, IMAGES_CAP).await?;
    let unreadable = |error: cfgupdater_deployers::Unreadable| {
        hook.refuse(Outcome::Refused, Problem::invalid(error.to_string()))
    };
    let sender = argo::sender(&body).map_err(unreadable)?;
    let Some((spot, source)) = hook.hooks.application(&sender) else {
        return Ok(hook.ignore(Outcome::Unmapped, "the application is not configured"));
    };
    let scope = Scope::Report(Some((spot.wave.clone(), Some(spot.target.clone()))));
    caller.needs(&scope).map_err(|problem| hook.refuse(Outcome::Unauthentic, problem))?;
    match argo::outcome(&body, source).map_err(unreadable)? {
        Some(outcome) => hook.report(&caller.name, outcome.report(spot)).await,
        None => Ok(hook.ignore(Outcome::Nothing, "it tells of no finished deployment")),
    }
}

#[utoipa::path(post, path = "/v1/repos/{repo}/hooks/flux", tag = "hooks",
    description = "Takes an event of Flux's notification-controller, authenticated by the signature of its generic-hmac provider. What says nothing of a finished deployment, and senders that are not configured, are passed over.",
    params(("repo" = String, Path, description = "The repository"),
        ("X-Signature" = String, Header, description = "`sha256=` and the HMAC of the body")),
    responses((status = 200, description = "What it caused", body = Reported),
        (status = 401, description = "Not signed by a configured secret", body = Problem),
        (status = 422, description = "Something is wrong with it", body = Problem)))]
pub(crate) async fn flux(
    State(state): State<AppState>,
    Path(repo): Path<String>,
    request: Request,
) -> Answered {
    let hook = Hook::new("flux", state.repo(&repo)?, &state)?;
    let (parts, body) = request.into_parts();
    let body = read_hook(&parts, body, IMAGES_CAP).await?;
    let signature =
        parts.headers.get("x-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signed = hook.hooks.signed_by(signature, &body).map_err(|why| {
        warn!(hook = hook.name, "{why}");
        let detail = "the secret that would prove this event can't be had; look at the service's log";
        hook.refuse(Outcome::Unauthentic, Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail))
    })?;
    if signed.is_empty() {
        let detail = "the body is not signed by a configured secret (X-Signature: sha256=…)";
        return Err(hook.refuse(Outcome::Unauthentic, Problem::new(StatusCode::UNAUTHORIZED, detail)));
    }
    let event = fluxcd::Event::read(&body)
        .map_err(|error| hook.refuse(Outcome::Refused, Problem::invalid(error.to_string())))?;
    let Some(event) = event else {
        return Ok(hook.ignore(Outcome::Nothing, "it is about another kind of object"));
    };
    // Whoever signed it speaks for the targets of its own section alone.
    let Some((flux, spot)) = signed.iter().find_map(|flux| Some((flux, flux.mapping.find(&event.sender)?)))
    else {
        return Ok(hook.ignore(Outcome::Unmapped, "the sender is not configured"));
    };
    let Some(outcome) = event.outcome() else {
        return Ok(hook.ignore(Outcome::Nothing, "it tells of no finished deployment"));
    };
    let report = outcome.report(spot);
    let view = hook.repo.view();
    // Flux repeats itself at every interval, which costs no reading of the repository.
    if view.snapshot.as_ref().is_some_and(|snapshot| !is_news(&report, None, &view.policy, snapshot)) {
        return Ok(hook.ignore(Outcome::Known, "it is known"));
    }
    hook.report(&flux.name, report).await
}
