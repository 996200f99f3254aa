//! The mirror: created, damaged in every way, and well again after the next fetch.

use std::path::Path;

use cfgupdater_core::{BlobId, CommitId, ErrorKind, GitRemote, GitRepo, ObjectFormat, RefEdit, RefOutcome};
use cfgupdater_git_backend::{Engine, GixRepo, Mirror, MirrorSettings};

const ENGINES: [Engine; 2] = [Engine::Gix, Engine::Libgit2];

use crate::support::{LONG, Scratch, assert_sound, branch, commit, git, set_ref, settings};

struct Setup {
    scratch: Scratch,
    remote: GixRepo,
    tip: CommitId,
}

impl Setup {
    fn new(format: &str) -> Self {
        let scratch = Scratch::new();
        let remote = GixRepo::open(&scratch.init("remote.git", format)).unwrap();
        let tip = commit(&remote, &[], &[("d/f", "content")], 1);
        set_ref(remote.path(), "refs/heads/master", tip);
        Self { scratch, remote, tip }
    }

    async fn open(&self) -> Mirror {
        self.open_on(Engine::Gix).await
    }

    async fn open_on(&self, engine: Engine) -> Mirror {
        let directory = self.scratch.path("data/mirror.git");
        let settings = MirrorSettings::new(directory, settings(self.remote.path())).with_engine(engine);
        Mirror::open(settings, LONG).await.unwrap()
    }
}

async fn fetch(mirror: &Mirror) -> CommitId {
    mirror.fetch(&[branch("master")], LONG).await.unwrap()[&branch("master")]
}

/// Reads a file through every level of a commit.
fn read(mirror: &Mirror, tip: CommitId) -> Result<Vec<u8>, cfgupdater_core::Error> {
    let tree = mirror.commit(&tip)?.tree;
    let entry = mirror.entry(&tree, &"d/f".parse().unwrap())?.unwrap();
    mirror.blob(&BlobId::new(entry.id))
}

fn loose_objects(directory: &Path) -> Vec<std::path::PathBuf> {
    let objects = directory.join("objects").read_dir().unwrap().map(|entry| entry.unwrap().path());
    let fans = objects.filter(|path| path.file_name().unwrap().len() == 2);
    fans.flat_map(|path| path.read_dir().unwrap().map(|entry| entry.unwrap().path())).collect()
}

#[tokio::test]
async fn a_mirror_is_created_and_found_again() {
    for (format, expected) in [("sha1", ObjectFormat::Sha1), ("sha256", ObjectFormat::Sha256)] {
        let setup = Setup::new(format);
        let mirror = setup.open().await;
        assert_eq!(mirror.object_format(), expected);
        assert_eq!(fetch(&mirror).await, setup.tip);
        let next = commit(&mirror, &[setup.tip], &[("d/f", "next")], 2);
        let edit = RefEdit::fast_forward(branch("master"), next);
        assert_eq!(mirror.push(&[edit], LONG).await.unwrap(), [RefOutcome::Moved]);
        assert_sound(setup.remote.path());
        drop(mirror);
        let again = setup.open().await;
        assert!(again.has_commit(&setup.tip).unwrap());
        assert_eq!(fetch(&again).await, next);
    }
}

#[tokio::test]
async fn the_address_is_not_kept_in_the_mirror() {
    let setup = Setup::new("sha1");
    let mirror = setup.open().await;
    fetch(&mirror).await;
    let config = git(mirror.path(), &["config", "--local", "--list"]);
    assert!(!config.contains("remote"), "{config}");
    assert!(!mirror.path().join("FETCH_HEAD").exists());
}

#[tokio::test]
async fn a_directory_deleted_under_a_running_mirror_is_fetched_afresh() {
    for engine in ENGINES {
        let setup = Setup::new("sha1");
        let mirror = setup.open_on(engine).await;
        fetch(&mirror).await;
        std::fs::remove_dir_all(setup.scratch.path("data")).unwrap();
        assert_eq!(read(&mirror, setup.tip).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(mirror.write_blob(b"x").unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(fetch(&mirror).await, setup.tip);
        assert_eq!(read(&mirror, setup.tip).unwrap(), b"content");
        assert_sound(mirror.path());
    }
}

#[tokio::test]
async fn a_directory_deleted_unnoticed_is_fetched_afresh_too() {
    for engine in ENGINES {
        let setup = Setup::new("sha1");
        let mirror = setup.open_on(engine).await;
        fetch(&mirror).await;
        std::fs::remove_dir_all(mirror.path()).unwrap();
        assert_eq!(fetch(&mirror).await, setup.tip);
        assert_eq!(read(&mirror, setup.tip).unwrap(), b"content");
    }
}

#[tokio::test]
async fn damaged_objects_are_fetched_afresh_once_they_are_noticed() {
    for engine in ENGINES {
        for damage in ["truncated", "garbage", "lost"] {
            let setup = Setup::new("sha1");
            let mirror = setup.open_on(engine).await;
            fetch(&mirror).await;
            for object in loose_objects(mirror.path()) {
                std::fs::remove_file(&object).unwrap();
                match damage {
                    "truncated" => std::fs::write(&object, "").unwrap(),
                    "garbage" => std::fs::write(&object, "no object").unwrap(),
                    _ => {}
                }
            }
            assert!(read(&mirror, setup.tip).is_err(), "{damage}");
            assert_eq!(fetch(&mirror).await, setup.tip, "{damage}");
            assert_eq!(read(&mirror, setup.tip).unwrap(), b"content", "{damage}");
            assert_sound(mirror.path());
        }
    }
}

#[tokio::test]
async fn one_lost_blob_is_noticed_by_whoever_reads_it() {
    for engine in ENGINES {
        let setup = Setup::new("sha1");
        let mirror = setup.open_on(engine).await;
        fetch(&mirror).await;
        let tree = mirror.commit(&setup.tip).unwrap().tree;
        let blob = mirror.entry(&tree, &"d/f".parse().unwrap()).unwrap().unwrap().id.to_string();
        std::fs::remove_file(mirror.path().join("objects").join(&blob[..2]).join(&blob[2..])).unwrap();
        assert_eq!(read(&mirror, setup.tip).unwrap_err().kind(), ErrorKind::Corrupt);
        fetch(&mirror).await;
        assert_eq!(read(&mirror, setup.tip).unwrap(), b"content");
    }
}

#[tokio::test]
async fn locks_left_by_a_killed_process_do_not_stop_it() {
    let setup = Setup::new("sha1");
    let mirror = setup.open().await;
    fetch(&mirror).await;
    std::fs::write(mirror.path().join("refs/cfgupdater/remote/heads/master.lock"), "").unwrap();
    let next = commit(&setup.remote, &[setup.tip], &[("d/f", "next")], 2);
    set_ref(setup.remote.path(), "refs/heads/master", next);
    assert_eq!(fetch(&mirror).await, next);
    assert_eq!(read(&mirror, next).unwrap(), b"next");
}

#[tokio::test]
async fn a_mirror_that_can_not_be_opened_is_created_again() {
    for engine in ENGINES {
        let setup = Setup::new("sha1");
        fetch(&setup.open_on(engine).await).await;
        std::fs::write(setup.scratch.path("data/mirror.git/HEAD"), "nonsense").unwrap();
        let mirror = setup.open_on(engine).await;
        assert_eq!(fetch(&mirror).await, setup.tip);
        std::fs::remove_dir_all(mirror.path()).unwrap();
        std::fs::write(mirror.path(), "a file").unwrap();
        assert_eq!(fetch(&setup.open_on(engine).await).await, setup.tip);
    }
}

#[tokio::test]
async fn a_format_guessed_wrong_on_an_empty_remote_is_put_right() {
    let scratch = Scratch::new();
    let remote = GixRepo::open(&scratch.init("remote.git", "sha256")).unwrap();
    let directory = scratch.path("mirror.git");
    let mirror = Mirror::open(MirrorSettings::new(directory, settings(remote.path())), LONG).await.unwrap();
    assert!(mirror.fetch(&[branch("master")], LONG).await.unwrap().is_empty());
    let tip = commit(&remote, &[], &[("d/f", "content")], 1);
    set_ref(remote.path(), "refs/heads/master", tip);
    assert_eq!(fetch(&mirror).await, tip);
    assert_eq!(read(&mirror, tip).unwrap(), b"content");
}

#[tokio::test]
async fn a_remote_that_is_gone_leaves_the_mirror_readable() {
    let setup = Setup::new("sha1");
    let mirror = setup.open().await;
    fetch(&mirror).await;
    std::fs::remove_dir_all(setup.remote.path()).unwrap();
    let error = mirror.fetch(&[branch("master")], LONG).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    assert_eq!(read(&mirror, setup.tip).unwrap(), b"content");
}

#[tokio::test]
async fn a_recreated_mirror_starts_empty() {
    for engine in ENGINES {
        let setup = Setup::new("sha1");
        let mirror = setup.open_on(engine).await;
        fetch(&mirror).await;
        mirror.recreate(LONG).await.unwrap();
        assert!(!mirror.has_commit(&setup.tip).unwrap());
        assert_eq!(fetch(&mirror).await, setup.tip);
    }
}

#[tokio::test]
async fn consolidating_drops_nothing_that_was_just_written() {
    for engine in ENGINES {
        let setup = Setup::new("sha1");
        let mirror = setup.open_on(engine).await;
        fetch(&mirror).await;
        // The sixteenth consolidation is a thorough one.
        for round in 0..17 {
            let unreachable = commit(&mirror, &[setup.tip], &[("d/f", &round.to_string())], round);
            mirror.consolidate().await.unwrap();
            assert_eq!(read(&mirror, unreachable).unwrap(), round.to_string().as_bytes());
        }
        assert!(loose_objects(mirror.path()).is_empty());
        assert!(
            mirror.path().join("objects/info/commit-graphs").exists()
                || mirror.path().join("objects/info/commit-graph").exists()
        );
        assert_sound(mirror.path());
        assert_eq!(fetch(&mirror).await, setup.tip);
    }
}
