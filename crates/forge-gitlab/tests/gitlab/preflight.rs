//! Settings that would not work, as GitLab tells of them.

use cfgupdater_core::{ErrorKind, Forge, RequiredCheck};
use cfgupdater_tests_gitlab::{BOT_ID, Trouble};
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

/// Protects every branch as it should be, and adds the webhook.
fn set_up(site: &Site) {
    let mut world = site.gitlab.world();
    let bot = json!([{ "id": 1, "access_level": 40, "user_id": BOT_ID }]);
    let rule = |id: u64, name: &str, push: &serde_json::Value, force: bool| json!({ "id": id, "name": name, "push_access_levels": push, "allow_force_push": force });
    let people = json!([{ "id": 1, "access_level": 40, "user_id": null }]);
    world.protected = vec![
        rule(1, "master", &people, false),
        rule(2, "auto", &bot, true),
        rule(3, "cfgupdater/*", &bot, true),
    ];
    world.hook_url = Some("https://cfgupdater.example/v1/repos/cfg-app/hooks/forge".to_owned());
}

#[tokio::test]
async fn a_project_set_up_as_documented_has_no_findings() {
    let site = Site::new();
    set_up(&site);
    assert_eq!(problems(&site).await, [""; 0]);
}

#[tokio::test]
async fn a_bare_project_gets_hints_and_no_more() {
    let found = problems(&Site::new()).await;
    assert!(found.iter().all(|problem| !problem.starts_with('!')), "{found:?}");
    for hint in
        ["`master` is not protected", "others than the service may push `auto`", "itself has no webhook"]
    {
        assert!(found.iter().any(|problem| problem.contains(hint)), "{hint}: {found:?}");
    }
}

#[tokio::test]
async fn what_stands_in_the_way_is_found() {
    let site = Site::new();
    set_up(&site);
    site.gitlab.world().protected[1]["allow_force_push"] = json!(false);
    site.gitlab.world().protected[0]["push_access_levels"] = json!([{ "access_level": 0 }]);
    site.gitlab.world().project = json!({ "auto_cancel_pending_pipelines": "enabled" });
    site.gitlab.world().push_rules = Some(json!({ "reject_unsigned_commits": true }));
    site.gitlab.world().expires_at = Some("2020-01-01".to_owned());
    (0..4).for_each(|_| site.gitlab.world().delivered(500));
    let found = problems(&site).await;
    for problem in [
        "!`auto` is protected against force pushes",
        "!`master` is protected, and the token's account may not push it",
        "GitLab cancels redundant pipelines",
        "!a push rule rejects commits that are not signed",
        "the token ends on 2020-01-01",
        "GitLab has disabled webhook 3",
    ] {
        assert!(found.iter().any(|found| found.starts_with(problem)), "{problem}: {found:?}");
    }
    assert_eq!(found.len(), 6, "{found:?}");
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_all_there_is_to_say() {
    let site = Site::new();
    site.gitlab.world().trouble = Trouble::TokenRevoked;
    let found = problems(&site).await;
    assert!(found.len() == 1 && found[0].starts_with('!') && found[0].contains("401"), "{found:?}");
    site.gitlab.world().trouble = Trouble::ProjectGone;
    let found = problems(&site).await;
    assert!(found.len() == 1 && found[0].contains("404 Project Not Found"), "{found:?}");
}

#[tokio::test]
async fn a_reporter_may_not_push() {
    let site = Site::new();
    set_up(&site);
    site.gitlab.world().access_level = 20;
    let found = problems(&site).await;
    assert!(
        found.iter().any(|found| found == "!the token's account may not push to the project"),
        "{found:?}"
    );
}

/// What is looked at, beside the project itself.
const PARTS: [&str; 5] =
    ["/personal_access_tokens/", "/members/", "/protected_branches", "/hooks", "/push_rule"];

#[tokio::test]
async fn an_outage_is_no_finding_and_hides_none() {
    let site = Site::new();
    set_up(&site);
    let kind = async || site.forge.preflight().await.unwrap_err().kind();
    for (trouble, expected) in [
        (Trouble::Unavailable, ErrorKind::Unavailable),
        (Trouble::Answers("/projects/", 504), ErrorKind::TimedOut),
    ] {
        site.gitlab.world().trouble = trouble;
        assert_eq!(kind().await, expected);
    }
    for part in PARTS {
        site.gitlab.world().trouble = Trouble::Answers(part, 502);
        assert_eq!(kind().await, ErrorKind::Unavailable, "{part}");
    }
    site.gitlab.world().trouble = Trouble::RateLimited(Some(30));
    assert_eq!(kind().await, ErrorKind::RateLimited);
}

#[tokio::test]
async fn what_may_not_be_looked_at_hides_nothing_else() {
    let site = Site::new();
    set_up(&site);
    site.gitlab.world().project = json!({ "archived": true });
    for part in PARTS {
        for status in [403, 404] {
            site.gitlab.world().trouble = Trouble::Answers(part, status);
            let found = problems(&site).await;
            assert!(found[0].starts_with("!the project is archived"), "{part} {status}: {found:?}");
        }
    }
}

#[tokio::test]
async fn whether_pipelines_are_cancelled_is_told_to_who_plans_pushes() {
    let site = Site::new();
    assert!(!site.forge.capabilities().cancels_superseded);
    for (told, cancels) in [("enabled", true), ("disabled", false)] {
        site.gitlab.world().project = json!({ "auto_cancel_pending_pipelines": told });
        site.forge.preflight().await.unwrap();
        assert_eq!(site.forge.capabilities().cancels_superseded, cancels);
    }
}

#[tokio::test]
async fn webhooks_of_jobs_are_needed_where_jobs_alone_are_required() {
    let site = Site::with(|settings| {
        settings.pipeline = false;
        settings.required.insert(RequiredCheck::named("lint"));
    });
    set_up(&site);
    assert_eq!(problems(&site).await, [""; 0]);
    site.gitlab.world().job_events = false;
    assert_eq!(problems(&site).await, ["webhook 3 is sent for no job events"]);
    let site = Site::new();
    set_up(&site);
    site.gitlab.world().job_events = false;
    assert_eq!(problems(&site).await, [""; 0], "the pipeline tells when it ends");
}
