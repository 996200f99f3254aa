//! The description of the API, made from the handlers themselves.

use utoipa::OpenApi;

use crate::api::{
    Approval, Because, Branch, ChainEntry, CheckView, Deployment, IntentView, Log, PreflightFinding,
    RepoStatus, RollBack, Status, StatusState, Target, TargetReport, Waiver, Wave, WaveSet, Why,
};
use crate::problem::Problem;
use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "cfgupdater",
        description = "Owns the automatic commits of a GitOps configuration repository."
    ),
    paths(
        routes::announce::announce,
        routes::deployments::report,
        routes::checks::report,
        routes::checks::evidence,
        routes::hooks::forge,
        routes::deploy_hooks::argocd,
        routes::deploy_hooks::flux,
        routes::intents::intent,
        routes::intents::retry,
        routes::intents::withdraw,
        routes::waves::hold,
        routes::waves::release,
        routes::waves::approve,
        routes::waves::roll_back,
        routes::waves::waive,
        routes::operate::pause,
        routes::operate::resume,
        routes::operate::accept,
        routes::repos::list,
        routes::repos::status,
        routes::repos::log,
        routes::overview::healthz,
        routes::overview::readyz,
        routes::overview::metrics
    ),
    components(schemas(
        Approval,
        Because,
        Branch,
        ChainEntry,
        CheckView,
        Deployment,
        IntentView,
        Log,
        Problem,
        PreflightFinding,
        RepoStatus,
        RollBack,
        Status,
        StatusState,
        Target,
        TargetReport,
        Waiver,
        Wave,
        WaveSet,
        Why
    ))
)]
struct Description;

/// Returns the description as JSON.
pub(crate) fn description() -> String {
    Description::openapi().to_json().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_route_of_the_contract_is_described() {
        let description: serde_json::Value = serde_json::from_str(&super::description()).unwrap();
        for path in [
            "/v1/repos/{repo}",
            "/v1/repos/{repo}/images",
            "/v1/repos/{repo}/deployments",
            "/v1/repos/{repo}/statuses/{sha}",
            "/v1/repos/{repo}/intents/{id}",
            "/v1/repos/{repo}/log",
            "/v1/repos/{repo}/hooks/argocd",
            "/v1/repos/{repo}/hooks/flux",
            "/v1/repos/{repo}/waves/{wave}/approve",
        ] {
            assert!(description["paths"][path].is_object(), "{path}");
        }
        assert!(description["components"]["schemas"]["RepoStatus"].is_object());
    }
}
