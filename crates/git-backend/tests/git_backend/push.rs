//! Pushing: what moves, and what the outcome says where nothing does.

use cfgupdater_core::{ErrorKind, GitRemote, RefEdit, RefOutcome};
use cfgupdater_git_backend::GitCli;

use crate::support::{LONG, Pair, Scratch, branch, commit, git, hook, read_ref, set_ref, settings};

async fn push(pair: &Pair, edits: &[RefEdit]) -> Vec<RefOutcome> {
    pair.client.push(edits, LONG).await.unwrap()
}

/// A pair whose client has fetched, with two rival commits on the root.
async fn rivals(scratch: &Scratch) -> (Pair, [cfgupdater_core::CommitId; 2]) {
    let pair = scratch.pair();
    pair.client.fetch(&[branch("master")], LONG).await.unwrap();
    let ours = commit(&pair.local, &[pair.root], &[("f", "ours")], 2);
    let theirs = commit(&pair.remote, &[pair.root], &[("f", "theirs")], 3);
    (pair, [ours, theirs])
}

fn reason(outcome: &RefOutcome) -> &str {
    match outcome {
        RefOutcome::Declined { reason } | RefOutcome::Indeterminate { reason } => reason,
        other => panic!("{other:?} has no reason"),
    }
}

#[tokio::test]
async fn a_reference_is_created_moved_rewound_and_deleted_under_a_lease() {
    let scratch = Scratch::new();
    let (pair, [ours, _]) = rivals(&scratch).await;
    let auto = branch("auto");
    let path = pair.remote.path();
    for (old, new) in [
        (None, Some(pair.root)),
        (Some(pair.root), Some(ours)),
        (Some(ours), Some(pair.root)),
        (Some(pair.root), None),
    ] {
        assert_eq!(push(&pair, &[RefEdit::exact(auto.clone(), old, new)]).await, [RefOutcome::Moved]);
        assert_eq!(read_ref(path, auto.as_str()), new);
    }
}

#[tokio::test]
async fn a_lease_on_a_value_that_is_gone_is_stale() {
    let scratch = Scratch::new();
    let (pair, [ours, theirs]) = rivals(&scratch).await;
    set_ref(pair.remote.path(), "refs/heads/auto", theirs);
    for expected in [None, Some(pair.root)] {
        let outcome = push(&pair, &[RefEdit::exact(branch("auto"), expected, Some(ours))]).await;
        assert_eq!(outcome, [RefOutcome::Stale { actual: Some(theirs) }], "{expected:?}");
    }
    assert_eq!(read_ref(pair.remote.path(), "refs/heads/auto"), Some(theirs));
    let gone = push(&pair, &[RefEdit::exact(branch("other"), Some(pair.root), Some(ours))]).await;
    assert_eq!(gone, [RefOutcome::Stale { actual: None }]);
}

#[tokio::test]
async fn what_is_there_already_has_moved() {
    let scratch = Scratch::new();
    let (pair, [ours, _]) = rivals(&scratch).await;
    let edit = RefEdit::exact(branch("auto"), None, Some(ours));
    assert_eq!(push(&pair, std::slice::from_ref(&edit)).await, [RefOutcome::Moved]);
    assert_eq!(push(&pair, &[edit]).await, [RefOutcome::Moved], "somebody else made the same commit first");
    assert_eq!(
        push(&pair, &[RefEdit::exact(branch("auto"), Some(ours), Some(ours))]).await,
        [RefOutcome::Moved]
    );
    assert_eq!(push(&pair, &[RefEdit::exact(branch("none"), Some(ours), None)]).await, [RefOutcome::Moved]);
}

#[tokio::test]
async fn a_plain_push_only_goes_forward() {
    let scratch = Scratch::new();
    let (pair, [ours, theirs]) = rivals(&scratch).await;
    let forward = RefEdit::fast_forward(branch("master"), ours);
    set_ref(pair.remote.path(), "refs/heads/master", theirs);
    let stale = [RefOutcome::Stale { actual: Some(theirs) }];
    assert_eq!(push(&pair, std::slice::from_ref(&forward)).await, stale, "a commit we have not even fetched");
    pair.client.fetch(&[branch("master")], LONG).await.unwrap();
    assert_eq!(
        push(&pair, std::slice::from_ref(&forward)).await,
        stale,
        "a commit that ours does not contain"
    );
    assert_eq!(read_ref(pair.remote.path(), "refs/heads/master"), Some(theirs));
    set_ref(pair.remote.path(), "refs/heads/master", pair.root);
    assert_eq!(push(&pair, &[forward]).await, [RefOutcome::Moved]);
}

#[tokio::test]
async fn a_refusal_carries_the_remotes_words_made_harmless() {
    let scratch = Scratch::new();
    let (pair, [ours, _]) = rivals(&scratch).await;
    hook(pair.remote.path(), "pre-receive", r"printf 'policy: \033[31mno images\007 here\n' >&2; exit 1");
    for edit in
        [RefEdit::fast_forward(branch("master"), ours), RefEdit::exact(branch("auto"), None, Some(ours))]
    {
        let outcome = push(&pair, &[edit]).await;
        assert!(matches!(outcome[..], [RefOutcome::Declined { .. }]), "{outcome:?}");
        let reason = reason(&outcome[0]);
        assert!(
            reason.contains("pre-receive hook declined") && reason.contains("policy: no images"),
            "{reason}"
        );
        assert!(!reason.contains(|c: char| c.is_control() && c != '\n'), "{reason:?}");
    }
    assert_eq!(read_ref(pair.remote.path(), "refs/heads/master"), Some(pair.root));
}

#[tokio::test]
async fn in_an_atomic_push_the_guilty_edit_is_told_from_its_victims() {
    let scratch = Scratch::new();
    let (pair, [ours, theirs]) = rivals(&scratch).await;
    let edits =
        [RefEdit::exact(branch("state"), None, Some(ours)), RefEdit::exact(branch("auto"), None, Some(ours))];
    hook(pair.remote.path(), "update", r#"test "$1" != refs/heads/auto || { echo protected >&2; exit 1; }"#);
    let outcome = push(&pair, &edits).await;
    assert!(matches!(outcome[..], [RefOutcome::Aborted, RefOutcome::Declined { .. }]), "{outcome:?}");
    assert!(reason(&outcome[1]).contains("protected"), "{outcome:?}");
    assert_eq!(read_ref(pair.remote.path(), "refs/heads/state"), None);

    set_ref(pair.remote.path(), "refs/heads/auto", theirs);
    let outcome = push(&pair, &edits).await;
    assert_eq!(outcome, [RefOutcome::Aborted, RefOutcome::Stale { actual: Some(theirs) }]);
    assert_eq!(read_ref(pair.remote.path(), "refs/heads/state"), None);
}

#[tokio::test]
async fn a_hook_that_refuses_all_is_nobodys_victim() {
    let scratch = Scratch::new();
    let (pair, [ours, _]) = rivals(&scratch).await;
    hook(pair.remote.path(), "pre-receive", "exit 1");
    let edits = ["a", "b"].map(|name| RefEdit::exact(branch(name), None, Some(ours)));
    let outcome = push(&pair, &edits).await;
    assert!(matches!(outcome[..], [RefOutcome::Declined { .. }, RefOutcome::Declined { .. }]), "{outcome:?}");
}

#[tokio::test]
async fn a_remote_that_is_not_atomic_gets_single_edits() {
    let scratch = Scratch::new();
    let (pair, [ours, theirs]) = rivals(&scratch).await;
    git(pair.remote.path(), &["config", "receive.advertiseAtomic", "false"]);
    set_ref(pair.remote.path(), "refs/heads/auto", theirs);
    let edits = ["state", "auto"].map(|name| RefEdit::exact(branch(name), None, Some(ours)));
    assert_eq!(push(&pair, &edits).await, [RefOutcome::Moved, RefOutcome::Stale { actual: Some(theirs) }]);
    let edits = ["x", "y"].map(|name| RefEdit::exact(branch(name), None, Some(ours)));
    assert_eq!(push(&pair, &edits).await, [RefOutcome::Moved, RefOutcome::Moved]);
}

#[tokio::test]
async fn push_options_are_sent_where_the_remote_takes_them() {
    let scratch = Scratch::new();
    let (pair, [ours, _]) = rivals(&scratch).await;
    let witness = scratch.path("witness");
    hook(pair.remote.path(), "pre-receive", &format!("echo \"$GIT_PUSH_OPTION_0\" >> {}", witness.display()));
    let settings =
        settings(pair.remote.path()).with_push_options(vec![branch("state")], vec!["ci.skip".into()]);
    let client = GitCli::new(settings.clone(), pair.local.clone());
    let push = async |client: &GitCli, name: &str| {
        let edit = RefEdit::exact(branch(name), None, Some(ours));
        assert_eq!(client.push(&[edit], LONG).await.unwrap(), [RefOutcome::Moved]);
    };
    push(&client, "state").await;
    git(pair.remote.path(), &["config", "receive.advertisePushOptions", "true"]);
    git(pair.remote.path(), &["update-ref", "-d", "refs/heads/state"]);
    let client = GitCli::new(settings, pair.local.clone());
    push(&client, "state").await;
    push(&client, "auto").await;
    assert_eq!(std::fs::read_to_string(witness).unwrap(), "\nci.skip\n\n");
}

#[tokio::test]
async fn what_can_not_be_pushed_fails_before_anything_moves() {
    let scratch = Scratch::new();
    let (pair, [ours, theirs]) = rivals(&scratch).await;
    let kind = async |edits: &[RefEdit]| pair.client.push(edits, LONG).await.unwrap_err().kind();
    assert_eq!(kind(&[RefEdit::exact(branch("a"), None, Some(theirs))]).await, ErrorKind::NotFound);
    let twice = RefEdit::exact(branch("a"), None, Some(ours));
    assert_eq!(kind(&[twice.clone(), twice.clone()]).await, ErrorKind::Invalid);
    assert!(pair.client.push(&[], LONG).await.unwrap().is_empty());
    std::fs::remove_dir_all(pair.remote.path()).unwrap();
    assert_eq!(kind(&[twice]).await, ErrorKind::NotFound);
}
