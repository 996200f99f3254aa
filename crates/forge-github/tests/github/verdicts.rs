//! What the checks of a commit say, whatever GitHub has of them.

use cfgupdater_core::{Forge, RequiredCheck, RequiredChecks, Verdict};
use cfgupdater_tests_github::Trouble;

use crate::site::{Site, commit};

#[tokio::test]
async fn the_last_of_250_runs_counts_as_much_as_the_first() {
    let site = Site::new();
    let sha = commit(1).to_string();
    for n in 0..250 {
        site.github.world().run(&sha, &format!("job {n}"), "success", 15368);
    }
    assert_eq!(site.runs(commit(1)).await.len(), 250);
    assert_eq!(site.github.world().requests_of("check-runs"), 3, "three pages");
    let all = RequiredChecks {
        checks: (0..250).map(|n| RequiredCheck::named(format!("job {n}"))).collect(),
        allow_empty: false,
    };
    assert_eq!(site.verdict(commit(1), &all).await, Verdict::Green);
    site.github.world().run(&sha, "job 0", "failure", 15368);
    assert_eq!(site.verdict(commit(1), &all).await, Verdict::Red);
}

#[tokio::test]
async fn a_run_that_is_asked_for_again_goes_from_red_over_pending_to_green() {
    let site = Site::new();
    let (sha, ci) = (commit(1).to_string(), RequiredChecks::named(["ci"]));
    let first = site.github.world().run(&sha, "ci", "failure", 15368);
    assert_eq!(site.verdict(commit(1), &ci).await, Verdict::Red);
    let second = site.github.world().run(&sha, "ci", "queued", 15368);
    assert!(second > first);
    assert_eq!(site.verdict(commit(1), &ci).await, Verdict::Pending);
    site.github.world().update_run(&sha, second, "success");
    assert_eq!(site.verdict(commit(1), &ci).await, Verdict::Green);
}

#[tokio::test]
async fn a_run_of_the_wrong_app_is_not_it() {
    let site = Site::new();
    site.github.world().rule(&[("ci", Some(15368))]);
    let required = site.forge.required_checks().await.unwrap().unwrap();
    let sha = commit(1).to_string();
    site.github.world().run(&sha, "ci", "success", 99);
    site.github.world().status(&sha, "ci", "success", "octocat");
    assert_eq!(site.verdict(commit(1), &required).await, Verdict::Missing);
    // Nobody is an App by calling himself its number.
    site.github.world().status(&sha, "ci", "success", "15368");
    assert_eq!(site.verdict(commit(1), &required).await, Verdict::Missing);
    site.github.world().run(&sha, "ci", "success", 15368);
    assert_eq!(site.verdict(commit(1), &required).await, Verdict::Green);
}

#[tokio::test]
async fn forbidden_is_not_absent() {
    let site = Site::new();
    assert_eq!(site.forge.required_checks().await.unwrap(), None);
    site.github.world().trouble = Trouble::RequiredForbidden;
    site.forge.required_checks().await.unwrap_err();
    site.github.world().trouble = Trouble::RepositoryGone;
    site.forge.required_checks().await.unwrap_err();
}
