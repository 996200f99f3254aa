//! Deadlines and dropped futures: nothing is left behind, and nothing unsure is called settled.

use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cfgupdater_core::{ErrorKind, GitRemote, RefEdit, RefOutcome};

use crate::support::{LONG, Pair, Scratch, branch, commit, hook};

/// Makes the remote hang in a hook. The hook and all it starts hold `alive` open for writing.
fn hang(scratch: &Scratch, remote: &Path, when: &str) -> std::path::PathBuf {
    for name in ["alive", "never"] {
        assert!(Command::new("mkfifo").arg(scratch.path(name)).status().unwrap().success());
    }
    let script = format!(
        "trap '' TERM\nexec 3>{alive}\nread -r line <{never}",
        alive = scratch.path("alive").display(),
        never = scratch.path("never").display()
    );
    hook(remote, when, &script);
    scratch.path("alive")
}

/// Opens `alive`, which waits for the hook to start.
async fn started(alive: std::path::PathBuf) -> std::fs::File {
    tokio::task::spawn_blocking(move || std::fs::File::open(alive).unwrap()).await.unwrap()
}

/// Returns once no process holds `alive` any more.
async fn gone(mut alive: std::fs::File) {
    let end = tokio::task::spawn_blocking(move || alive.read_to_end(&mut Vec::new()).unwrap());
    assert_eq!(tokio::time::timeout(LONG, end).await.expect("a process outlived its push").unwrap(), 0);
}

async fn ready(scratch: &Scratch) -> (Pair, [RefEdit; 1]) {
    let pair = scratch.pair();
    pair.client.fetch(&[branch("master")], LONG).await.unwrap();
    let next = commit(&pair.local, &[pair.root], &[("f", "x")], 2);
    (pair, [RefEdit::exact(branch("auto"), None, Some(next))])
}

#[tokio::test]
async fn a_push_past_its_deadline_is_ended_and_indeterminate() {
    let scratch = Scratch::new();
    let (pair, edits) = ready(&scratch).await;
    let alive = hang(&scratch, pair.remote.path(), "pre-receive");
    let (outcome, alive) = tokio::join!(pair.client.push(&edits, Duration::from_secs(4)), started(alive));
    let outcome = outcome.unwrap();
    assert!(matches!(outcome[..], [RefOutcome::Indeterminate { .. }]), "{outcome:?}");
    gone(alive).await;
}

#[tokio::test]
async fn a_push_that_landed_before_it_was_ended_has_moved() {
    let scratch = Scratch::new();
    let (pair, edits) = ready(&scratch).await;
    let alive = hang(&scratch, pair.remote.path(), "post-receive");
    let (outcome, alive) = tokio::join!(pair.client.push(&edits, Duration::from_secs(4)), started(alive));
    assert_eq!(outcome.unwrap(), [RefOutcome::Moved]);
    gone(alive).await;
}

#[tokio::test]
async fn a_dropped_push_ends_every_process() {
    let scratch = Scratch::new();
    let (pair, edits) = ready(&scratch).await;
    let alive = hang(&scratch, pair.remote.path(), "pre-receive");
    let client = pair.client.clone();
    let push = tokio::spawn(async move { client.push(&edits, LONG).await });
    let alive = started(alive).await;
    push.abort();
    gone(alive).await;
}

#[tokio::test]
async fn a_deadline_that_has_passed_is_a_time_out() {
    let scratch = Scratch::new();
    let pair = scratch.pair();
    let error = pair.client.fetch(&[branch("master")], Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
}
