//! Settings that would not work, as GitHub tells of them.

use cfgupdater_core::{ErrorKind, Forge, RequiredCheck};
use cfgupdater_forge_github::Login;
use cfgupdater_forge_http::SecretSource;
use cfgupdater_tests_github::{APP, KEY, TOKEN, Trouble};
use serde_json::json;

use crate::site::{Site, commit};

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
async fn an_outage_is_no_finding() {
    for trouble in [Trouble::Unavailable, Trouble::RateLimited(Some(60))] {
        for login in [None, Some(Login::Token(SecretSource::variable("CARGO_MANIFEST_DIR")))] {
            let site = Site::with(|settings| settings.login = login.unwrap_or(settings.login.clone()));
            site.github.world().trouble = trouble.clone();
            let error = site.forge.preflight().await.unwrap_err();
            assert!(matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::RateLimited), "{error}");
        }
    }
}

#[tokio::test]
async fn without_a_look_at_branch_protection_the_rules_are_judged() {
    let site = Site::with(|settings| settings.required = [RequiredCheck::named("ci")].into());
    site.github.world().lacks = Some("administration".to_owned());
    site.github.world().rule(&[("ci", None)]);
    site.github.world().rulesets.insert(1, json!({ "id": 1, "current_user_can_bypass": "always" }));
    let found = problems(&site).await;
    assert!(found.iter().any(|problem| problem.contains("!the App may bypass the ruleset")), "{found:?}");
    let hidden = found.iter().filter(|problem| problem.contains("can't be looked at"));
    assert_eq!(hidden.collect::<Vec<_>>().len(), 1, "{found:?}");
}

#[tokio::test]
async fn where_github_alone_says_what_is_required_it_must_be_seen() {
    let site = Site::new();
    site.github.world().lacks = Some("administration".to_owned());
    let found = problems(&site).await;
    assert!(
        found.iter().any(|p| p.starts_with("!branch protection of `master` can't be looked at")),
        "{found:?}"
    );
}

#[tokio::test]
async fn branch_protection_is_read_whole() {
    let site = Site::new();
    {
        let mut world = site.github.world();
        world.protect(&[("ci", None)]);
        world.guarded.insert("master".to_owned(), json!({ "required_pull_request_reviews": {} }));
        world.guarded.insert("auto".to_owned(), json!({ "lock_branch": { "enabled": true } }));
    }
    let found = problems(&site).await;
    for shown in [
        "!branch protection of `master` requires pull requests, also of the App",
        "!a rule of `auto` restricts updates",
        "!branch protection of `auto` forbids force pushes",
    ] {
        assert!(found.iter().any(|problem| problem.starts_with(shown)), "{shown}: {found:?}");
    }
    let exempt = json!({ "bypass_pull_request_allowances": { "apps": [{ "id": APP }] } });
    let guarded = json!({ "required_pull_request_reviews": exempt });
    site.github.world().guarded.insert("master".to_owned(), guarded);
    let found = problems(&site).await;
    assert!(!found.iter().any(|problem| problem.contains("`master` requires pull requests")), "{found:?}");
}

#[tokio::test]
async fn rules_of_our_branches_are_read_too() {
    let site = Site::new();
    let rule = json!({ "type": "creation", "ruleset_id": 7, "ruleset_source_type": "Repository", "ruleset_source": "x" });
    site.github.world().rules_of.insert("cfgupdater/probe".to_owned(), vec![rule]);
    let found = problems(&site).await;
    assert!(
        found
            .iter()
            .any(|p| p.starts_with("whether the App may bypass the rules creation of `cfgupdater/probe`")),
        "{found:?}"
    );
    site.github.world().rulesets.insert(7, json!({ "id": 7, "current_user_can_bypass": "never" }));
    let found = problems(&site).await;
    assert!(
        found.iter().any(|p| p.starts_with("!a rule of `cfgupdater/probe` restricts creations")),
        "{found:?}"
    );
}

#[tokio::test]
async fn workflows_are_read() {
    let site = Site::new();
    let text = "on:\n  push: {branches: [auto], paths: [images/**]}\njobs: {ci: {}}\n# ".to_owned()
        + &"long ".repeat(50);
    site.github.world().workflows.insert("ci.yml".to_owned(), text);
    site.github.world().workflows.insert("broken.yml".to_owned(), "on: [".to_owned());
    let found = problems(&site).await;
    for shown in
        ["workflow ci.yml runs only if certain paths", "no workflow runs on pushes of `cfgupdater/probe`"]
    {
        assert!(found.iter().any(|problem| problem.starts_with(shown)), "{shown}: {found:?}");
    }
}

#[tokio::test]
async fn checks_that_can_never_count_are_named() {
    let site = Site::with(|settings| settings.required = [RequiredCheck::named("ci")].into());
    {
        let mut world = site.github.world();
        world.rule(&[("lint", Some(7))]);
        world.status("master", "lint", "success", "jenkins[bot]");
    }
    let found = problems(&site).await;
    for shown in ["GitHub requires the check `lint` of `master`", "the check `lint` is bound to an App"] {
        assert!(found.iter().any(|problem| problem.starts_with(shown)), "{shown}: {found:?}");
    }
}

#[tokio::test]
async fn a_token_that_may_not_push_is_found_after_the_repository_was_read_for_something_else() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TOKEN).unwrap();
    let site = Site::with(|settings| {
        settings.login = Login::Token(SecretSource::file(file.path()));
        settings.stable = None;
    });
    site.github.world().pushes_refused = true;
    site.forge.required_checks().await.unwrap();
    assert_eq!(problems(&site).await, ["!the token may not push to the repository"]);
}

#[tokio::test]
async fn another_installation_than_the_configured_one_is_named() {
    let site = Site::with(|settings| {
        settings.login = Login::App { id: APP, key: SecretSource::file(KEY), installation: Some(9) };
    });
    let found = problems(&site).await;
    assert_eq!(found, ["!installation_id is 9, and the App's installation on this repository is 42"]);
    let error = site.forge.checks(&[commit(1)]).await.unwrap_err();
    assert!(error.to_string().contains("no installation 9 of this App"), "{error}");
}

#[tokio::test]
async fn missing_rights_are_named() {
    let site = Site::new();
    site.github.world().lacks = Some("contents".to_owned());
    let found = problems(&site).await;
    assert_eq!(found, ["!the App lacks the permission Contents: read and write, to push its branches"]);
    site.github.world().trouble = Trouble::TokenRevoked;
    let found = problems(&site).await;
    assert!(found.len() == 1 && found[0].starts_with('!') && found[0].contains("is App 17"), "{found:?}");
}
