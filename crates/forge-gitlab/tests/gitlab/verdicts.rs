//! What the pipelines of a commit say, whatever GitLab has of them.

use cfgupdater_core::{CheckState, ErrorKind, Forge, RequiredCheck, Verdict};
use cfgupdater_forge_gitlab::{PIPELINE, SOURCE};
use cfgupdater_forge_http::{HttpClient, HttpSettings};
use cfgupdater_tests_gitlab::Trouble;
use http::Request;
use serde_json::json;

use crate::site::{Site, commit};

/// A site that requires names besides the pipeline.
fn requiring(names: &[&str]) -> Site {
    let names: Vec<RequiredCheck> = names.iter().copied().map(RequiredCheck::named).collect();
    Site::with(|settings| settings.required.extend(names))
}

#[tokio::test]
async fn the_pipeline_is_required_by_itself() {
    let site = Site::new();
    let required = site.forge.required_checks().await.unwrap().unwrap();
    let pipeline = RequiredCheck { name: PIPELINE.to_owned(), source: Some(SOURCE.to_owned()) };
    assert_eq!(required.checks.into_iter().collect::<Vec<_>>(), [pipeline]);
    assert!(!required.allow_empty);
    assert_eq!(site.verdict(commit(1)).await, Verdict::Missing);
    site.gitlab.world().run(&commit(1).to_string(), "auto", "success");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
}

#[tokio::test]
async fn a_red_pipeline_that_is_tried_again_goes_over_pending_to_green() {
    let site = requiring(&["ci"]);
    let sha = commit(1).to_string();
    let pipeline = site.gitlab.world().run(&sha, "auto", "failed");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
    let again = site.gitlab.world().job(pipeline, "ci", "running");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Pending);
    site.gitlab.world().update_job(again, "success");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
}

#[tokio::test]
async fn the_newest_of_two_pipelines_speaks() {
    let site = Site::new();
    for (n, first, second, expected) in
        [(1, "success", "failed", Verdict::Red), (2, "failed", "success", Verdict::Green)]
    {
        let sha = commit(n).to_string();
        site.gitlab.world().run(&sha, "auto", first);
        site.gitlab.world().run(&sha, "cfgupdater/probe", second);
        assert_eq!(site.verdict(commit(n)).await, expected, "{first}, then {second}");
    }
}

#[tokio::test]
async fn a_red_child_pipeline_is_red_until_its_bridge_is_tried_again() {
    // GitLab lists old attempts of bridges among the statuses too, which are no statuses of somebody.
    let site = requiring(&["unit", "children"]);
    let sha = commit(1).to_string();
    let child = site.gitlab.world().pipeline(&sha, "auto", "parent_pipeline");
    site.gitlab.world().job(child, "unit", "failed");
    let parent = site.gitlab.world().run(&sha, "auto", "success");
    site.gitlab.world().bridge(parent, "children", "failed", child);
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
    let runs = site.runs(commit(1)).await;
    let pipeline = runs.iter().find(|run| run.name == PIPELINE).unwrap();
    assert_eq!(
        pipeline.summary.as_deref(),
        Some(format!("job unit is failed, in child pipeline {child}").as_str())
    );
    let again = site.gitlab.world().pipeline(&sha, "auto", "parent_pipeline");
    site.gitlab.world().job(again, "unit", "success");
    site.gitlab.world().bridge(parent, "children", "success", again);
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
}

#[tokio::test]
async fn an_imitation_is_no_pipeline() {
    let site = requiring(&["lint"]);
    let sha = commit(1).to_string();
    for name in ["lint", PIPELINE, "ci"] {
        site.gitlab.world().status(&sha, "auto", name, "success", SOURCE);
    }
    assert_eq!(site.verdict(commit(1)).await, Verdict::Missing);
    let pipeline = site.gitlab.world().run(&sha, "auto", "success");
    let lint = site.gitlab.world().job(pipeline, "lint", "failed");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
    site.gitlab.world().status(&sha, "auto", "lint", "success", "mallory");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
    site.gitlab.world().update_job(lint, "success");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
}

#[tokio::test]
async fn a_status_of_a_jobs_name_makes_no_red_pipeline_green() {
    let site = Site::new();
    let sha = commit(1).to_string();
    let pipeline = site.gitlab.world().run(&sha, "auto", "success");
    let lint = site.gitlab.world().job(pipeline, "lint", "failed");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
    site.gitlab.world().status(&sha, "auto", "lint", "success", "mallory");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red, "GitLab says success now");
    site.gitlab.world().update_job(lint, "running");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Pending);
    site.gitlab.world().update_job(lint, "manual");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Pending, "somebody must press its button");
    // GitLab's own new attempt is what a status is not.
    site.gitlab.world().job(pipeline, "lint", "success");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
}

#[tokio::test]
async fn nor_does_one_of_a_bridges_name_or_of_a_job_in_a_child() {
    let site = Site::new();
    for n in [1, 2] {
        let sha = commit(n).to_string();
        let child = site.gitlab.world().pipeline(&sha, "auto", "parent_pipeline");
        site.gitlab.world().job(child, "unit", "failed");
        let parent = site.gitlab.world().run(&sha, "auto", "success");
        site.gitlab.world().bridge(parent, "children", "failed", child);
        assert_eq!(site.verdict(commit(n)).await, Verdict::Red);
        if n == 1 {
            site.gitlab.world().status(&sha, "auto", "children", "success", "mallory");
        } else {
            // No status can be kept in a child, but its word is not trusted more than its parent's.
            site.gitlab.world().tell(child, "success");
        }
        assert_eq!(site.verdict(commit(n)).await, Verdict::Red, "{n}");
    }
}

#[tokio::test]
async fn what_ci_could_not_do_is_nobodys_fault() {
    let site = requiring(&["ci"]);
    for (n, reason, expected) in [
        (1, "script_failure", Verdict::Red),
        (2, "job_execution_timeout", Verdict::Red),
        (3, "unknown_failure", Verdict::Red),
        (4, "ci_quota_exceeded", Verdict::Pending),
        (5, "runner_system_failure", Verdict::Pending),
        (6, "stuck_or_timeout_failure", Verdict::Pending),
        (7, "a_reason_of_tomorrow", Verdict::Pending),
    ] {
        let sha = commit(n).to_string();
        let pipeline = site.gitlab.world().pipeline(&sha, "auto", "push");
        let job = site.gitlab.world().job(pipeline, "ci", "failed");
        site.gitlab.world().fail_job(job, reason);
        assert_eq!(site.verdict(commit(n)).await, expected, "{reason}");
    }
    for run in site.runs(commit(5)).await {
        assert_eq!(run.state, CheckState::Infrastructure("runner_system_failure".to_owned()), "{}", run.name);
    }
}

#[tokio::test]
async fn a_pipeline_that_failed_without_anything_in_it_blames_nobody() {
    let site = Site::new();
    let pipeline = site.gitlab.world().pipeline(&commit(1).to_string(), "auto", "push");
    site.gitlab.world().tell(pipeline, "failed");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Pending);
    let run = site.runs(commit(1)).await.swap_remove(0);
    assert!(run.summary.is_some_and(|summary| summary.contains("nothing in it failed")));
    // What others report fails it too, and is the commit's.
    site.gitlab.world().status(&commit(2).to_string(), "auto", "scan", "success", "sonar");
    let sha = commit(2).to_string();
    site.gitlab.world().run(&sha, "auto", "success");
    assert_eq!(site.verdict(commit(2)).await, Verdict::Green);
    site.gitlab.world().status(&sha, "auto", "scan", "failed", "sonar");
    assert_eq!(site.verdict(commit(2)).await, Verdict::Red);
}

#[tokio::test]
async fn a_tag_of_our_branchs_name_is_not_our_branch() {
    let site = Site::new();
    let sha = commit(1).to_string();
    let tag = site.gitlab.world().pipeline_of_tag(&sha, "auto");
    site.gitlab.world().job(tag, "ci", "success");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Missing);
    site.gitlab.world().run(&sha, "auto", "success");
    let tag = site.gitlab.world().pipeline_of_tag(&sha, "auto");
    site.gitlab.world().job(tag, "ci", "failed");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
}

#[tokio::test]
async fn who_may_not_push_to_auto_can_post_no_status_to_it() {
    let site = requiring(&["scan"]);
    let sha = commit(1).to_string();
    site.gitlab.world().run(&sha, "auto", "success");
    site.gitlab.world().protected = vec![json!({ "id": 1, "name": "auto" })];
    assert_eq!(post(&site, &sha, "success").await, 403);
    assert_eq!(site.verdict(commit(1)).await, Verdict::Missing);
    site.gitlab.world().trusted = vec!["sonar".to_owned()];
    assert_eq!(post(&site, &sha, "success").await, 201);
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
}

/// Posts a status `scan` of `auto` over the API as the user `sonar`, and returns how that was answered.
async fn post(site: &Site, sha: &str, state: &str) -> u16 {
    let url = site.gitlab.api_url();
    let http = HttpClient::new(&url.parse().unwrap(), &HttpSettings::default()).unwrap();
    let target = format!("{url}/projects/4711/statuses/{sha}?name=scan&ref=auto&state={state}");
    let request = Request::post(target)
        .header("private-token", "glpat-of-sonar")
        .header("user-agent", "cfgupdater/tests")
        .body(Vec::new());
    http.send(request.unwrap()).await.unwrap().status
}

#[tokio::test]
async fn statuses_are_found_in_every_pipeline_they_are_kept_in() {
    let site = requiring(&["scan"]);
    site.gitlab.world().duplicates_external = true;
    let sha = commit(1).to_string();
    site.gitlab.world().run(&sha, "auto", "success");
    site.gitlab.world().status(&sha, "feature", "scan", "failed", "sonar");
    site.gitlab.world().status(&sha, "feature", "other", "success", "sonar");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
    site.gitlab.world().status(&sha, "feature", "scan", "success", "sonar");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
}

#[tokio::test]
async fn a_status_that_met_another_and_was_posted_again_is_counted_once() {
    let site = requiring(&["scan"]);
    let sha = commit(1).to_string();
    site.gitlab.world().run(&sha, "auto", "success");
    site.gitlab.world().contended = 1;
    assert_eq!(post(&site, &sha, "success").await, 409);
    assert_eq!(site.verdict(commit(1)).await, Verdict::Missing, "what was not taken says nothing");
    assert_eq!(post(&site, &sha, "success").await, 201);
    assert_eq!(site.runs(commit(1)).await.iter().filter(|run| run.name == "scan").count(), 1);
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
    assert_eq!(post(&site, &sha, "failed").await, 201);
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
}

#[tokio::test]
async fn the_last_of_250_jobs_counts_as_much_as_the_first() {
    for numbers_only in [false, true] {
        let site = requiring(&["job 0"]);
        site.gitlab.world().numbers_only = numbers_only;
        let sha = commit(1).to_string();
        let pipeline = site.gitlab.world().pipeline(&sha, "auto", "push");
        for n in 0..250 {
            site.gitlab.world().job(pipeline, &format!("job {n}"), "success");
        }
        assert_eq!(site.runs(commit(1)).await.len(), 251);
        // Where there are no keys, one request is spent on finding out.
        assert_eq!(site.gitlab.world().requests_of("/jobs"), if numbers_only { 4 } else { 3 });
        assert_eq!(site.gitlab.world().requests_of("cursor="), if numbers_only { 0 } else { 2 });
        assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
        site.gitlab.world().job(pipeline, "job 0", "failed");
        assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
    }
}

#[tokio::test]
async fn a_full_page_that_says_nothing_of_a_next_one_is_not_taken_for_the_last() {
    let site = Site::new();
    let sha = commit(1).to_string();
    let pipeline = site.gitlab.world().pipeline(&sha, "auto", "push");
    for n in 0..100 {
        site.gitlab.world().job(pipeline, &format!("job {n}"), "success");
    }
    assert_eq!(site.runs(commit(1)).await.len(), 101, "where it is the last, numbers tell");
    site.gitlab.world().job(pipeline, "job 100", "failed");
    site.gitlab.world().trouble = Trouble::PagesAreUntold;
    let error = site.forge.checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("where the next page is"), "{error}");
    site.gitlab.world().trouble = Trouble::None;
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
}

#[tokio::test]
async fn a_commit_of_stable_alone_is_judged_by_stables_pipeline() {
    let site = Site::new();
    site.gitlab.world().run(&commit(1).to_string(), "master", "failed");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Red);
    site.gitlab.world().run(&commit(1).to_string(), "cfgupdater/probe", "success");
    assert_eq!(site.verdict(commit(1)).await, Verdict::Green);
    site.gitlab.world().run(&commit(2).to_string(), "feature", "success");
    assert_eq!(site.runs(commit(2)).await, [], "another branch's pipeline says nothing here");
}

#[tokio::test]
async fn a_skipped_pipeline_has_not_passed() {
    let site = Site::new();
    let pipeline = site.gitlab.world().pipeline(&commit(1).to_string(), "auto", "push");
    site.gitlab.world().tell(pipeline, "skipped");
    assert_eq!(site.runs(commit(1)).await[0].state, CheckState::Infrastructure("skipped".to_owned()));
    assert_eq!(site.verdict(commit(1)).await, Verdict::Pending);
}
