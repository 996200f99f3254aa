//! The local forge on real repositories: replicas that share nothing but the remote, judged by git itself.
#![allow(clippy::unwrap_used, reason = "helpers of tests are not seen as tests by the lint")]

mod conformance;
mod site;

use cfgupdater_core::{CheckState, Forge, ForgeAction, ForgeAnswer};

use site::{MINUTE, Replica, Site};

#[tokio::test]
async fn replicas_that_are_asked_at_once_run_a_check_once() {
    let site = Site::new();
    let commit = site.commit("a file");
    let command = site.counting_command("exit 0");
    let replicas = [site.replica("one", &command).await, site.replica("two", &command).await];
    for replica in &replicas {
        replica.ask_for_checks(commit).await;
    }
    for replica in &replicas {
        replica.eventually(commit, &CheckState::Success).await;
    }
    assert_eq!(site.times_run(), 1);
    replicas[1].ask_for_checks(commit).await;
    replicas[1].work_off(&site).await;
    assert_eq!(site.times_run(), 2, "what ended is not run again");
}

#[tokio::test]
async fn the_claim_of_a_dead_replica_expires_and_another_takes_over() {
    let site = Site::new();
    let commit = site.commit("a file");
    let hangs = site.counting_command("sleep 600");
    let dead = site.replica("dead", &hangs).await;
    dead.ask_for_checks(commit).await;
    dead.eventually(commit, &CheckState::Running).await;
    drop(dead);
    let other = site.replica("other", &site.counting_command("exit 0")).await;
    other.ask_for_checks(commit).await;
    other.work_off(&site).await;
    assert_eq!(other.state(commit).await, Some(CheckState::Running), "the claim still holds");
    site.clock.advance(2 * MINUTE);
    other.ask_for_checks(commit).await;
    other.eventually(commit, &CheckState::Success).await;
}

#[tokio::test]
async fn the_latest_attempt_counts_whoever_made_it() {
    let site = Site::new();
    let commit = site.commit("a file");
    let replica = site.replica("one", &site.counting_command("echo broken; exit 3")).await;
    replica.ask_for_checks(commit).await;
    replica.eventually(commit, &CheckState::Failure).await;
    let runs = replica.forge.checks(&[commit]).await.unwrap().remove(&commit).unwrap();
    assert!(runs[0].summary.as_deref().unwrap().contains('3'), "{runs:?}");
    assert_eq!(runs[0].link.as_deref(), Some(format!("https://checks.example.com/{commit}/ci").as_str()));
    let read = ForgeAction::ReadEvidence { commit, context: "ci".to_owned() };
    assert_eq!(
        replica.forge.perform(read).await.unwrap(),
        ForgeAnswer::Evidence(Some("broken\n".to_owned()))
    );
    replica.report(commit, CheckState::Success).await;
    assert_eq!(replica.state(commit).await, Some(CheckState::Success));
}

#[tokio::test]
async fn git_shows_the_notes_and_a_line_added_with_git_counts() {
    let site = Site::new();
    let commit = site.commit("a file");
    let replica = site.replica("one", &[]).await;
    replica.report(commit, CheckState::Success).await;
    let shown = site.git(&["notes", "--ref=cfgupdater/checks", "show", &commit.to_string()]);
    assert!(shown.contains(r#""context":"ci""#) && shown.contains("success"), "{shown}");
    let by_hand = shown.replace(r#""number":1"#, r#""number":2"#).replace("success", "failure");
    site.git(&["notes", "--ref=cfgupdater/checks", "append", "-m", &by_hand, &commit.to_string()]);
    assert_eq!(replica.state(commit).await, Some(CheckState::Failure));
}

#[tokio::test]
async fn a_note_that_cannot_be_read_is_an_error_and_never_an_empty_answer() {
    let site = Site::new();
    let commit = site.commit("a file");
    site.git(&["notes", "--ref=cfgupdater/checks", "add", "-m", "all fine, trust me", &commit.to_string()]);
    let replica = site.replica("one", &[]).await;
    let error = replica.forge.checks(&[commit]).await.unwrap_err().to_string();
    assert!(error.contains(&commit.short(10)) && error.contains("git notes"), "{error}");
}

#[tokio::test]
async fn reports_at_once_are_all_kept() {
    let site = Site::new();
    let commits: Vec<_> = (0..6).map(|n| site.commit(&format!("file {n}"))).collect();
    let replicas = [site.replica("one", &[]).await, site.replica("two", &[]).await];
    let mut reports = tokio::task::JoinSet::new();
    for (n, commit) in commits.iter().enumerate() {
        let (replica, commit) = (replicas[n % 2].clone(), *commit);
        reports.spawn(async move { replica.report(commit, CheckState::Success).await });
    }
    reports.join_all().await;
    for commit in commits {
        assert_eq!(replicas[0].state(commit).await, Some(CheckState::Success));
    }
}

#[tokio::test]
async fn a_check_sees_the_files_alone_and_leaves_nothing_behind() {
    let site = Site::new();
    let commit = site.commit("the content");
    let script = "test ! -e .git && test \"$(cat file)\" = 'the content' && test -z \"$SECRET_TOKEN\" && env";
    let replica: Replica = site.replica("one", &site.counting_command(script)).await;
    replica.ask_for_checks(commit).await;
    replica.eventually(commit, &CheckState::Success).await;
    assert!(site.scratch_is_empty("one"));
}
