//! The description of the API, made from the handlers themselves.

use utoipa::OpenApi;

use crate::api::{
    Announced, Approval, Because, Branch, ChainEntry, CheckReported, CheckView, Deployment, Images,
    IntentView, Log, Operated, PreflightFinding, RepoStatus, Reported, RollBack, Status, StatusState, Target,
    TargetReport, Waiver, Wave, WaveSet, Why,
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
        Announced,
        Approval,
        Because,
        Branch,
        ChainEntry,
        CheckReported,
        CheckView,
        Deployment,
        Images,
        IntentView,
        Log,
        Operated,
        Problem,
        PreflightFinding,
        RepoStatus,
        Reported,
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
    use std::collections::BTreeSet;

    /// Reads the routes where they are made: a router can't be asked for them.
    fn routes() -> BTreeSet<(String, String)> {
        let source = include_str!("routes.rs").split("#[cfg(test)]").next().unwrap();
        let routes = source.split(".route(\"").skip(1).map(|route| {
            let (path, rest) = route.split_once("\", ").unwrap();
            (path.to_owned(), rest.split_once('(').unwrap().0.to_owned())
        });
        routes.collect()
    }

    #[test]
    fn every_route_is_described_and_answers_with_what_is_described() {
        let description: serde_json::Value = serde_json::from_str(&super::description()).unwrap();
        let mut described = BTreeSet::new();
        for (path, methods) in description["paths"].as_object().unwrap() {
            for (method, call) in methods.as_object().unwrap() {
                described.insert((path.clone(), method.clone()));
                let json = call["responses"]
                    .as_object()
                    .unwrap()
                    .values()
                    .filter_map(|response| response.pointer("/content/application~1json/schema"));
                for schema in json {
                    let typed = schema["$ref"].is_string() || schema["type"] == "array";
                    assert!(typed, "{method} {path} answers {schema}");
                }
            }
        }
        for open in ["/", "/openapi.json"] {
            described.insert((open.to_owned(), "get".to_owned()));
        }
        assert_eq!(described, routes());
    }
}
