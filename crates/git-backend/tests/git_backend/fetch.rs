//! Listing and fetching.

use cfgupdater_core::{ErrorKind, GitRemote, GitRepo, RefEdit, RefMap, RefOutcome};
use cfgupdater_git_backend::{Engine, GitCli, GixRepo, LocalRepo, RemoteSettings};

use crate::support::{
    LONG, Scratch, assert_sound, branch, commit, git, name, recording_git, set_ref, settings,
};

#[tokio::test]
async fn names_that_do_not_exist_are_left_out() {
    let scratch = Scratch::new();
    let pair = scratch.pair();
    set_ref(pair.remote.path(), "refs/heads/x/refs/heads/auto", pair.root);
    let names = [branch("master"), branch("auto"), name("HEAD")];
    let expected = RefMap::from([(branch("master"), pair.root), (name("HEAD"), pair.root)]);
    assert_eq!(pair.client.ls_remote(&names, LONG).await.unwrap(), expected);
    assert_eq!(pair.client.fetch(&names, LONG).await.unwrap(), expected);
    assert!(pair.local.has_commit(&pair.root).unwrap());
    assert_eq!(pair.client.head_branch(LONG).await.unwrap(), Some(branch("master")));
    assert!(pair.client.ls_remote(&[], LONG).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_unborn_or_detached_head_names_no_branch() {
    let scratch = Scratch::new();
    let pair = scratch.pair();
    git(pair.remote.path(), &["update-ref", "--no-deref", "HEAD", &pair.root.to_string()]);
    assert_eq!(pair.client.head_branch(LONG).await.unwrap(), None);
    git(pair.remote.path(), &["symbolic-ref", "HEAD", "refs/heads/unborn"]);
    assert_eq!(pair.client.head_branch(LONG).await.unwrap(), None);
}

#[tokio::test]
async fn rewound_and_deleted_references_are_followed() {
    let scratch = Scratch::new();
    let pair = scratch.pair();
    let next = commit(&pair.remote, &[pair.root], &[("f", "x")], 2);
    set_ref(pair.remote.path(), "refs/heads/auto", next);
    let names = [branch("master"), branch("auto")];
    assert_eq!(pair.client.fetch(&names, LONG).await.unwrap()[&branch("auto")], next);
    set_ref(pair.remote.path(), "refs/heads/auto", pair.root);
    assert_eq!(pair.client.fetch(&names, LONG).await.unwrap()[&branch("auto")], pair.root);
    git(pair.remote.path(), &["update-ref", "-d", "refs/heads/auto"]);
    assert_eq!(pair.client.fetch(&names, LONG).await.unwrap(), RefMap::from([(branch("master"), pair.root)]));
    // A name may come back as a directory of names.
    set_ref(pair.remote.path(), "refs/heads/auto/1", next);
    assert_eq!(pair.client.fetch(&[branch("auto/1")], LONG).await.unwrap()[&branch("auto/1")], next);
}

#[tokio::test]
async fn an_unchanged_remote_is_listed_but_not_fetched() {
    let scratch = Scratch::new();
    let pair = scratch.pair();
    let (program, record) = recording_git(&scratch);
    let client = GitCli::new(settings(pair.remote.path()).with_git(program), pair.local.clone());
    let fetches = async || {
        let fetched = client.fetch(&[branch("master")], LONG).await.unwrap();
        let calls = std::fs::read_to_string(&record).unwrap();
        std::fs::remove_file(&record).unwrap();
        (fetched[&branch("master")], calls.lines().filter(|call| call.contains(" fetch ")).count())
    };
    assert_eq!(fetches().await, (pair.root, 1));
    assert_eq!(fetches().await, (pair.root, 0));
    let next = commit(&pair.remote, &[pair.root], &[("f", "x")], 2);
    set_ref(pair.remote.path(), "refs/heads/master", next);
    assert_eq!(fetches().await, (next, 1));
}

#[tokio::test]
async fn what_was_pushed_is_not_fetched_back_and_what_others_push_is() {
    let scratch = Scratch::new();
    let pair = scratch.pair();
    let (program, record) = recording_git(&scratch);
    let client = GitCli::new(settings(pair.remote.path()).with_git(program), pair.local.clone());
    client.fetch(&[branch("master")], LONG).await.unwrap();
    let ours = commit(&pair.local, &[pair.root], &[("f", "ours")], 2);
    let edits =
        [RefEdit::exact(branch("auto"), None, Some(ours)), RefEdit::fast_forward(branch("master"), ours)];
    assert_eq!(client.push(&edits, LONG).await.unwrap(), [RefOutcome::Moved, RefOutcome::Moved]);
    std::fs::remove_file(&record).unwrap();
    let names = [branch("auto"), branch("master")];
    let fetched = client.fetch(&names, LONG).await.unwrap();
    assert_eq!(fetched, RefMap::from([(branch("auto"), ours), (branch("master"), ours)]));
    let calls = std::fs::read_to_string(&record).unwrap();
    assert!(!calls.contains(" fetch "), "{calls}");
    let theirs = commit(&pair.remote, &[pair.root], &[("f", "theirs")], 3);
    set_ref(pair.remote.path(), "refs/heads/auto", theirs);
    assert_eq!(client.fetch(&names, LONG).await.unwrap()[&branch("auto")], theirs);
    assert!(pair.local.has_commit(&theirs).unwrap());
}

#[tokio::test]
async fn hundreds_of_fetches_into_one_open_repository() {
    for engine in [Engine::Gix, Engine::Libgit2] {
        let scratch = Scratch::new();
        let pair = scratch.pair();
        let local = LocalRepo::open(&scratch.init("other.git", "sha1"), engine).unwrap();
        let client = GitCli::new(settings(pair.remote.path()), local.clone());
        let mut tip = pair.root;
        for round in 0..300 {
            tip = commit(&pair.remote, &[tip], &[("d/f", &round.to_string())], round);
            std::fs::write(pair.remote.path().join("refs/heads/master"), format!("{tip}\n")).unwrap();
            let fetched = client.fetch(&[branch("master")], LONG).await.unwrap();
            assert_eq!(fetched[&branch("master")], tip);
            let tree = local.objects().commit(&tip).unwrap().tree;
            assert!(local.objects().entry(&tree, &"d/f".parse().unwrap()).unwrap().is_some());
        }
        assert_sound(local.path());
    }
}

#[tokio::test]
async fn a_wrong_address_says_so() {
    let scratch = Scratch::new();
    let client = GitCli::new(settings(&scratch.path("nowhere.git")), scratch.repo("local.git"));
    let error = client.fetch(&[branch("master")], LONG).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("nowhere.git") && error.to_string().contains("address"), "{error}");
}

#[tokio::test]
async fn a_missing_git_says_so() {
    let scratch = Scratch::new();
    let pair = scratch.pair();
    let settings = settings(pair.remote.path()).with_git("/nonexistent/git");
    let error = GitCli::new(settings, pair.local).ls_remote(&[branch("master")], LONG).await.unwrap_err();
    assert!(error.to_string().contains("/nonexistent/git"), "{error}");
}

#[tokio::test]
async fn a_remote_of_another_format_makes_the_mirror_corrupt() {
    let scratch = Scratch::new();
    let remote = GixRepo::open(&scratch.init("remote.git", "sha256")).unwrap();
    set_ref(remote.path(), "refs/heads/master", commit(&remote, &[], &[("f", "x")], 1));
    let client = GitCli::new(settings(remote.path()), scratch.repo("local.git"));
    let error = client.fetch(&[branch("master")], LONG).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
}

#[tokio::test]
async fn a_repository_of_another_user_on_this_machine_is_served() {
    let scratch = Scratch::new();
    let pair = scratch.pair();
    // Only a privileged user can give a directory away; others have nothing to test here.
    if std::os::unix::fs::chown(pair.remote.path(), Some(12345), None).is_err() {
        return;
    }
    let url: cfgupdater_git_backend::RemoteUrl =
        format!("file://{}", pair.remote.path().display()).parse().unwrap();
    let client = GitCli::new(RemoteSettings::new(url), pair.local.clone());
    client.fetch(&[branch("master")], LONG).await.unwrap();
    let next = commit(&pair.local, &[pair.root], &[("f", "x")], 2);
    let edit = cfgupdater_core::RefEdit::fast_forward(branch("master"), next);
    assert_eq!(client.push(&[edit], LONG).await.unwrap(), [cfgupdater_core::RefOutcome::Moved]);
}

#[tokio::test]
async fn configuration_and_hooks_of_the_local_repository_run_nothing() {
    let scratch = Scratch::new();
    let pair = scratch.pair();
    let witness = scratch.path("witness");
    let script = format!("touch {}", witness.display());
    for name in ["reference-transaction", "post-checkout", "pre-push", "pre-auto-gc"] {
        crate::support::hook(pair.local.path(), name, &script);
    }
    pair.client.fetch(&[branch("master")], LONG).await.unwrap();
    let next = commit(&pair.local, &[pair.root], &[("f", "x")], 2);
    pair.client.push(&[cfgupdater_core::RefEdit::fast_forward(branch("master"), next)], LONG).await.unwrap();
    assert!(!witness.exists());
}
