//! The rules, each with what would break it.

use cfgupdater_core::{RequiredCheck, RequiredChecks, Verdict, verdict};
use serde_json::{Value, json};

use super::*;

const SHA: &str = "abc";

fn parsed<T: for<'de> Deserialize<'de>>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn pipeline(id: u64, branch: &str, source: &str, status: &str) -> Pipeline {
    parsed(
        json!({ "id": id, "sha": SHA, "ref": branch, "source": source, "status": status, "project_id": 1 }),
    )
}

fn job(id: u64, name: &str, status: &str) -> Job {
    parsed(json!({ "id": id, "name": name, "status": status }))
}

fn bridge(id: u64, name: &str, status: &str, to: &Pipeline, allow_failure: bool) -> Job {
    let down = json!({
        "id": to.id, "sha": to.sha, "ref": to.branch, "status": to.status, "source": to.source,
        "project_id": to.project_id
    });
    parsed(json!({
        "id": id, "name": name, "status": status, "allow_failure": allow_failure, "downstream_pipeline": down
    }))
}

fn status(id: u64, name: &str, state: &str, author: &str) -> Status {
    parsed(json!({ "id": id, "sha": SHA, "name": name, "status": state, "author": { "username": author } }))
}

/// Reads pipelines with a job each, which says what its pipeline says.
fn reading(pipelines: Vec<Pipeline>) -> Reading {
    let inside = pipelines.iter().map(with_one_job).collect();
    Reading { pipelines, inside, ..Reading::default() }
}

fn with_one_job(of: &Pipeline) -> (u64, Inside) {
    (of.id, Inside { jobs: vec![job(1000 + of.id, "ci", &of.status)], bridges: Vec::new() })
}

/// Judges what was read by the default rule and by names.
fn judged(reading: &Reading, names: &[&str]) -> Verdict {
    let branches =
        Branches { tested: vec!["auto".into(), "cfgupdater/probe".into()], stable: Some("master".into()) };
    let mut required = RequiredChecks::named(names.iter().copied());
    required.checks.insert(RequiredCheck { name: PIPELINE.to_owned(), source: Some(SOURCE.to_owned()) });
    verdict(&required, &runs(reading, &branches, true))
}

#[test]
fn the_newest_pipeline_speaks() {
    let old = |status| pipeline(1, "auto", "push", status);
    let new = |status| pipeline(2, "cfgupdater/probe", "push", status);
    assert_eq!(judged(&reading(vec![old("success"), new("failed")]), &[]), Verdict::Red);
    assert_eq!(judged(&reading(vec![new("success"), old("failed")]), &[]), Verdict::Green);
    assert_eq!(judged(&reading(vec![old("success"), new("running")]), &[]), Verdict::Pending);
}

#[test]
fn every_word_of_a_pipeline_has_its_verdict() {
    let cases = [
        ("success", Verdict::Green),
        ("failed", Verdict::Red),
        ("skipped", Verdict::Pending),
        ("canceled", Verdict::Pending),
        ("manual", Verdict::Pending),
        ("created", Verdict::Pending),
        ("scheduled", Verdict::Pending),
        ("waiting_for_resource", Verdict::Pending),
        ("splendid", Verdict::Pending),
    ];
    for (word, expected) in cases {
        assert_eq!(judged(&reading(vec![pipeline(1, "auto", "push", word)]), &[]), expected, "{word}");
    }
    assert_eq!(judged(&reading(vec![]), &[]), Verdict::Missing);
}

#[test]
fn pipelines_of_others_do_not_speak() {
    let others = [
        ("auto", "external"),
        ("auto", "merge_request_event"),
        ("refs/merge-requests/1/head", "merge_request_event"),
        ("auto", "parent_pipeline"),
        ("feature", "push"),
        ("auto", "security_orchestration_policy"),
        ("auto", "of_tomorrow"),
    ];
    for (branch, source) in others {
        let read = reading(vec![pipeline(9, branch, source, "success")]);
        assert_eq!(judged(&read, &[]), Verdict::Missing, "{branch} {source}");
        let read =
            reading(vec![pipeline(9, branch, source, "failed"), pipeline(1, "auto", "push", "success")]);
        assert_eq!(judged(&read, &[]), Verdict::Green, "{branch} {source}");
    }
}

#[test]
fn a_pipeline_that_does_not_say_where_it_comes_from_does_not_speak() {
    let mut untold = pipeline(1, "auto", "push", "success");
    untold.source = None;
    assert_eq!(judged(&reading(vec![untold]), &[]), Verdict::Missing);
}

#[test]
fn what_a_person_pushed_is_judged_by_stables_own_pipeline_until_it_is_tested() {
    let own = pipeline(5, "master", "push", "failed");
    assert_eq!(judged(&reading(vec![own.clone()]), &[]), Verdict::Red);
    assert_eq!(judged(&reading(vec![own, pipeline(3, "auto", "push", "success")]), &[]), Verdict::Green);
}

#[test]
fn a_red_child_makes_its_parent_red_though_nothing_waits_for_it() {
    let parent = pipeline(1, "auto", "push", "success");
    for (state, allowed, expected) in [
        ("failed", false, Verdict::Red),
        ("failed", true, Verdict::Green),
        ("running", false, Verdict::Pending),
        ("success", false, Verdict::Green),
    ] {
        let child = pipeline(2, "auto", "parent_pipeline", state);
        let mut read = reading(vec![parent.clone()]);
        let bridges = vec![bridge(20, "e2e", "success", &child, allowed)];
        read.inside.insert(1, Inside { jobs: Vec::new(), bridges });
        read.inside.extend([with_one_job(&child)]);
        assert_eq!(judged(&read, &[]), expected, "{state}, as its bridge tells");
        read.children = vec![child];
        assert_eq!(judged(&read, &[]), expected, "{state}, as it is listed");
    }
}

#[test]
fn a_childs_child_counts_and_another_projects_pipeline_does_not() {
    let parent = pipeline(1, "auto", "push", "success");
    let child = pipeline(2, "auto", "parent_pipeline", "success");
    let grandchild = pipeline(3, "auto", "parent_pipeline", "failed");
    let mut read = reading(vec![parent]);
    read.inside.insert(1, Inside { jobs: vec![], bridges: vec![bridge(20, "a", "success", &child, false)] });
    read.inside
        .insert(2, Inside { jobs: vec![], bridges: vec![bridge(21, "b", "success", &grandchild, false)] });
    read.inside.extend([with_one_job(&grandchild)]);
    assert_eq!(judged(&read, &[]), Verdict::Red);
    let mut elsewhere = grandchild;
    elsewhere.project_id = Some(2);
    read.inside
        .insert(2, Inside { jobs: vec![], bridges: vec![bridge(21, "b", "success", &elsewhere, false)] });
    assert_eq!(judged(&read, &[]), Verdict::Green);
}

#[test]
fn a_bridge_that_was_tried_again_leads_to_the_new_child() {
    let (old, new) =
        (pipeline(2, "auto", "parent_pipeline", "failed"), pipeline(3, "auto", "parent_pipeline", "success"));
    let mut read = reading(vec![pipeline(1, "auto", "push", "success")]);
    let bridges = vec![bridge(21, "e2e", "success", &new, false), bridge(20, "e2e", "failed", &old, false)];
    read.inside.insert(1, Inside { jobs: vec![], bridges });
    read.inside.insert(2, Inside { jobs: vec![job(30, "unit", "failed")], bridges: vec![] });
    read.inside.insert(3, Inside { jobs: vec![job(31, "unit", "success")], bridges: vec![] });
    read.children = vec![old, new];
    // GitLab lists jobs and bridges among the statuses too.
    read.statuses = vec![status(20, "e2e", "failed", "bot"), status(21, "e2e", "success", "bot")];
    assert_eq!(judged(&read, &["unit", "e2e"]), Verdict::Green);
}

#[test]
fn the_latest_attempt_of_a_job_counts() {
    let mut read = reading(vec![pipeline(1, "auto", "push", "success")]);
    let jobs = vec![job(12, "lint", "success"), job(11, "lint", "failed")];
    read.inside.insert(1, Inside { jobs, bridges: vec![] });
    assert_eq!(judged(&read, &["lint"]), Verdict::Green);
    read.inside.get_mut(&1).unwrap().jobs.push(job(13, "lint", "running"));
    assert_eq!(judged(&read, &["lint"]), Verdict::Pending);
}

/// What GitLab says of a pipeline out of which a status took a job by its name.
#[test]
fn a_pipeline_that_passed_is_as_good_as_what_is_in_it() {
    let cases = [
        ("success", Verdict::Green),
        ("skipped", Verdict::Green),
        ("failed", Verdict::Red),
        ("canceled", Verdict::Pending),
        ("running", Verdict::Pending),
        ("manual", Verdict::Pending),
        ("of_tomorrow", Verdict::Pending),
    ];
    for (word, expected) in cases {
        let mut read = reading(vec![pipeline(1, "auto", "push", "success")]);
        read.inside.get_mut(&1).unwrap().jobs.push(job(11, "lint", word));
        assert_eq!(judged(&read, &[]), expected, "a job is {word}");
        let mut read = reading(vec![pipeline(1, "auto", "push", "success")]);
        read.inside.get_mut(&1).unwrap().bridges.push(job(11, "elsewhere", word));
        assert_eq!(judged(&read, &[]), expected, "a bridge to elsewhere is {word}");
    }
}

#[test]
fn a_pipeline_that_goes_on_may_try_a_job_again() {
    let mut read = reading(vec![pipeline(1, "auto", "push", "running")]);
    read.inside.insert(1, Inside { jobs: vec![job(11, "lint", "failed")], bridges: vec![] });
    assert_eq!(judged(&read, &[]), Verdict::Pending);
}

#[test]
fn a_pipeline_fails_by_what_failed_in_it() {
    let failed = |reason: &str| {
        let mut failed = job(11, "lint", "failed");
        failed.failure_reason = Some(reason.to_owned());
        failed
    };
    let of = |jobs: Vec<Job>| {
        let mut read = reading(vec![pipeline(1, "auto", "push", "failed")]);
        read.inside.insert(1, Inside { jobs, bridges: vec![] });
        read
    };
    assert_eq!(judged(&of(vec![failed("script_failure")]), &[]), Verdict::Red);
    assert_eq!(judged(&of(vec![failed("runner_system_failure")]), &[]), Verdict::Pending);
    assert_eq!(judged(&of(vec![job(9, "unit", "failed"), failed("ci_quota_exceeded")]), &[]), Verdict::Red);
    assert_eq!(
        judged(&of(vec![failed("script_failure"), job(12, "lint", "running")]), &[]),
        Verdict::Pending
    );
    assert_eq!(judged(&of(vec![]), &[]), Verdict::Pending, "its configuration could not be used");
    let mut read = of(vec![job(9, "unit", "success")]);
    assert_eq!(judged(&read, &[]), Verdict::Pending, "nobody knows why");
    read.statuses = vec![status(30, "scan", "failed", "sonar")];
    assert_eq!(judged(&read, &[]), Verdict::Red, "somebody said so");
    read.statuses.push(status(31, "scan", "success", "other"));
    assert_eq!(
        judged(&read, &[]),
        Verdict::Pending,
        "and somebody took it back, as far as the pipeline goes"
    );
    read.statuses = vec![status(8, "unit", "failed", "sonar")];
    assert_eq!(judged(&read, &[]), Verdict::Pending, "a job has taken its place");
}

#[test]
fn what_is_told_of_a_pipeline_names_what_it_is_about() {
    let told = |read: &Reading| of_pipeline(&read.pipelines[0], read).summary;
    let mut read = reading(vec![pipeline(1, "auto", "push", "success")]);
    assert_eq!(told(&read), None);
    let child = pipeline(2, "auto", "parent_pipeline", "running");
    let bridges = vec![bridge(20, "e2e", "success", &child, false)];
    read.inside.insert(1, Inside { jobs: vec![], bridges });
    assert_eq!(told(&read).as_deref(), Some("child pipeline 2 is running"));
    read.inside.get_mut(&1).unwrap().jobs.push(job(11, "li\u{1b}nt", "failed"));
    assert_eq!(told(&read).as_deref(), Some("job lint is failed"));
}

#[test]
fn a_tags_pipeline_does_not_speak() {
    let mut read = reading(vec![pipeline(1, "auto", "push", "success")]);
    read.inside.get_mut(&1).unwrap().jobs[0].tag = true;
    assert_eq!(judged(&read, &[]), Verdict::Missing);
    let child = pipeline(2, "auto", "parent_pipeline", "success");
    let mut bridge = bridge(20, "e2e", "success", &child, false);
    bridge.tag = true;
    read.inside.insert(1, Inside { jobs: vec![], bridges: vec![bridge] });
    assert_eq!(judged(&read, &[]), Verdict::Missing);
}

#[test]
fn a_status_that_imitates_a_job_replaces_nothing() {
    let mut read = reading(vec![pipeline(1, "auto", "push", "success")]);
    read.inside.insert(1, Inside { jobs: vec![job(11, "lint", "failed")], bridges: vec![] });
    read.statuses = vec![status(11, "lint", "failed", "bot"), status(99, "lint", "success", "mallory")];
    assert_eq!(judged(&read, &["lint"]), Verdict::Red);
    read.statuses =
        vec![status(99, "lint", "success", "mallory"), status(98, "pipeline", "success", "mallory")];
    read.pipelines.clear();
    read.inside.clear();
    assert_eq!(judged(&read, &["lint"]), Verdict::Missing, "without a pipeline nothing is green");
    read.statuses.push(status(97, "pipeline", "success", SOURCE));
    assert_eq!(judged(&read, &["lint"]), Verdict::Missing, "nobody is GitLab by his name");
}

#[test]
fn external_statuses_count_whichever_pipeline_they_are_kept_in() {
    let mut read = reading(vec![
        pipeline(1, "auto", "push", "success"),
        pipeline(2, "auto", "external", "success"),
        pipeline(3, "auto", "external", "failed"),
    ]);
    assert_eq!(judged(&read, &["scan"]), Verdict::Missing);
    read.statuses = vec![status(50, "scan", "failed", "sonar"), status(51, "scan", "success", "sonar")];
    assert_eq!(judged(&read, &["scan"]), Verdict::Green);
    read.statuses.push(status(52, "scan", "failed", "other"));
    assert_eq!(judged(&read, &["scan"]), Verdict::Red, "each who reports it must pass it");
}

#[test]
fn what_may_fail_passes_and_what_waits_for_somebody_does_not() {
    let mut read = reading(vec![pipeline(1, "auto", "push", "success")]);
    let mut flaky = job(11, "flaky", "failed");
    flaky.allow_failure = true;
    let mut button = job(12, "button", "manual");
    button.allow_failure = true;
    read.inside.insert(1, Inside { jobs: vec![flaky, button], bridges: vec![] });
    assert_eq!(judged(&read, &["flaky"]), Verdict::Green);
    assert_eq!(judged(&read, &[]), Verdict::Green);
    assert_eq!(judged(&read, &["button"]), Verdict::Pending);
}

#[test]
fn who_said_it_is_kept() {
    let read: Status = parsed(json!({
        "id": 3, "sha": SHA, "name": "scan", "status": "failed", "author": { "username": "sonar" },
        "description": "a\u{1b}b", "target_url": "", "finished_at": "2026-01-31T09:30:00.123Z"
    }));
    let run = of_status(&read);
    assert_eq!((run.source.as_deref(), run.series.as_str()), (Some("sonar"), "status/sonar"));
    assert_eq!((run.summary.as_deref(), run.link), (Some("a b"), None));
    assert!(run.at.is_some());
    let run = of_job(&job(4, "lint", "failed"), "job");
    assert_eq!((run.source.as_deref(), run.series.as_str(), run.attempt), (Some(SOURCE), "job", 4));
}
