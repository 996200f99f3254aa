//! What the adapter asks, as a server sees it that knows GitHub's own description and nothing else.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cfgupdater_core::Forge;
use cfgupdater_forge_github::{GithubForge, Login};
use cfgupdater_forge_http::SecretSource;
use cfgupdater_tests_github::{APP, Exchange, FakeGithub, KEY, Prism, Relay};
use serde_json::json;

use crate::site::{commit, settings_at};

/// Everything that is ever asked, and how.
const ALL: [&str; 12] = [
    "GET /app/hook/deliveries",
    "GET /repos/acme/cfg",
    "GET /repos/acme/cfg/branches/BRANCH/protection",
    "GET /repos/acme/cfg/branches/BRANCH/protection/required_status_checks",
    "GET /repos/acme/cfg/commits/SHA/check-runs",
    "GET /repos/acme/cfg/commits/SHA/statuses",
    "GET /repos/acme/cfg/contents/.github/workflows",
    "GET /repos/acme/cfg/installation",
    "GET /repos/acme/cfg/rules/branches/BRANCH",
    "GET /repos/acme/cfg/rulesets/NUMBER",
    "POST /app/hook/deliveries/NUMBER/attempts",
    "POST /app/installations/NUMBER/access_tokens",
];

/// What of it Prism can't judge: it finds no parameter that holds slashes.
const UNJUDGED: &str = "GET /repos/acme/cfg/contents/.github/workflows";

/// Requests of a kind, each with what is wrong with it.
type Judged = Vec<(String, Option<String>)>;

/// Names a request without the numbers and names in it.
fn kind(exchange: &Exchange) -> String {
    let mut before = "";
    let parts = path_of(exchange).split('/').map(|part| {
        let shown = match before {
            "branches" => "BRANCH",
            "commits" => "SHA",
            "installations" | "deliveries" | "rulesets" => "NUMBER",
            _ => part,
        };
        before = part;
        shown
    });
    format!("{} {}", exchange.method, parts.collect::<Vec<_>>().join("/"))
}

fn path_of(exchange: &Exchange) -> &str {
    exchange.path.strip_prefix("/api/v3").unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_as_described() {
    let prism = match Prism::start() {
        Ok(prism) => prism,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let github = FakeGithub::start();
    let upstream = github.api_url().strip_suffix("/api/v3").unwrap().to_owned();
    let judged: Arc<Mutex<Judged>> = Arc::default();
    let verdicts = Arc::clone(&judged);
    let judge = move |exchange: &Exchange| {
        let objection = prism.objection(exchange, path_of(exchange));
        verdicts.lock().unwrap_or_else(PoisonError::into_inner).push((kind(exchange), objection));
    };
    let relay = Relay::start(Arc::new(move |_, _| Some(upstream.clone())), Arc::new(judge));
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings_at(&format!("{}/api/v3", relay.base()), &directory);
    settings.login = Login::App { id: APP, key: SecretSource::file(KEY), installation: None };
    settings.stable = None;
    github.world().rule(&[("ci", None)]);
    github.world().rulesets.insert(1, json!({ "id": 1 }));
    github.deliver("missed", Duration::from_mins(5), 503);
    let forge = GithubForge::new(settings).unwrap();
    forge.checks(&[commit(1)]).await.unwrap();
    forge.required_checks().await.unwrap();
    forge.preflight().await.unwrap();
    let start = Instant::now();
    while github.world().redelivered.is_empty() {
        assert!(start.elapsed() < Duration::from_secs(30), "nothing is asked for again");
        tokio::task::yield_now().await;
    }
    drop(forge);
    drop(relay);
    let judged = std::mem::take(&mut *judged.lock().unwrap_or_else(PoisonError::into_inner));
    let asked: BTreeSet<&str> = judged.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(asked, BTreeSet::from(ALL));
    let objections: Vec<&String> = judged
        .iter()
        .filter(|(kind, _)| kind != UNJUDGED)
        .filter_map(|(_, objection)| objection.as_ref())
        .collect();
    assert!(objections.is_empty(), "{objections:#?}");
}
