//! Settings that would not work, as GitHub tells of them.

use cfgupdater_core::Forge;
use cfgupdater_tests_github::Trouble;
use serde_json::json;

use crate::site::Site;

async fn problems(site: &Site) -> Vec<String> {
    let findings = site.forge.preflight().await.unwrap();
    assert!(findings.iter().all(|finding| !finding.remedy.is_empty()), "{findings:?}");
    findings
        .into_iter()
        .map(|finding| format!("{}{}", if finding.fatal { "!" } else { "" }, finding.problem))
        .collect()
}

#[tokio::test]
async fn a_bare_repository_gets_hints_and_no_more() {
    let found = problems(&Site::new()).await;
    assert!(found.iter().all(|problem| !problem.starts_with('!')), "{found:?}");
    assert!(
        found.iter().any(|problem| problem.contains("GitHub requires no checks of `master`")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|problem| problem.contains("everybody who may write may push `auto`")),
        "{found:?}"
    );
}

#[tokio::test]
async fn an_app_on_the_bypass_list_of_the_checks_is_found() {
    let site = Site::new();
    site.github.world().rule(&[("ci", None)]);
    site.github.world().rulesets.insert(1, json!({ "id": 1, "current_user_can_bypass": "always" }));
    let found = problems(&site).await;
    assert!(found.iter().any(|problem| problem.contains("!the App may bypass the ruleset")), "{found:?}");
    site.github.world().rulesets.insert(1, json!({ "id": 1, "current_user_can_bypass": "never" }));
    assert!(!problems(&site).await.iter().any(|problem| problem.starts_with('!')));
}

#[tokio::test]
async fn missing_rights_are_named() {
    let site = Site::new();
    site.github.world().lacks = Some("contents".to_owned());
    let found = problems(&site).await;
    assert_eq!(found, ["!the App lacks the permission Contents: read and write, to push its branches"]);
    site.github.world().trouble = Trouble::TokenRevoked;
    let found = problems(&site).await;
    assert!(found.len() == 1 && found[0].starts_with('!') && found[0].contains("401"), "{found:?}");
}
