//! Signed commits, judged by `git verify-commit`.

use std::path::{Path, PathBuf};
use std::process::Command;

use cfgupdater_core::{CommitId, ErrorKind, GitRepo, NewCommit, Timestamp};
use cfgupdater_git_backend::{Engine, Mirror, MirrorSettings, SigningKey};
use cfgupdater_testkit::can_run;

use crate::ssh_server::generate;
use crate::support::{LONG, Scratch, assert_sound, settings, try_git};

const WHO: &str = "bot@example.com";

async fn mirror(scratch: &Scratch, name: &str, format: &str, key: &Path, engine: Engine) -> Mirror {
    let remote = settings(&scratch.init(&format!("{name}-remote.git"), format));
    let settings = MirrorSettings::new(scratch.path(name), remote);
    Mirror::open(settings.with_engine(engine).with_signing_key(SigningKey::new(key)), LONG).await.unwrap()
}

fn write(mirror: &Mirror, message: &str) -> Result<CommitId, cfgupdater_core::Error> {
    let tree = mirror.edit_tree(None, &[]).unwrap();
    mirror.write_commit(&NewCommit::new(
        tree,
        vec![],
        ("Bot", WHO),
        Timestamp::from_millis(9000),
        message.to_owned(),
    ))
}

/// Trusts the public half of a key, as a person who verifies does.
fn allowed(scratch: &Scratch, key: &Path) -> PathBuf {
    let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
    let file = scratch.path("allowed");
    std::fs::write(&file, format!("{WHO} namespaces=\"git\" {public}")).unwrap();
    file
}

fn verifies(directory: &Path, allowed: &Path, commit: &CommitId) -> (bool, String) {
    let trusted = format!("gpg.ssh.allowedSignersFile={}", allowed.display());
    try_git(directory, &["-c", "gpg.format=ssh", "-c", &trusted, "verify-commit", &commit.to_string()])
}

#[tokio::test]
async fn git_verifies_what_is_signed_and_notices_what_was_altered() {
    if !can_run(&["ssh-keygen"]) {
        return;
    }
    let scratch = Scratch::new();
    let key = scratch.path("key");
    generate(&key);
    let allowed = allowed(&scratch, &key);
    let mut ids = Vec::new();
    for (name, format, engine) in [
        ("gix", "sha1", Engine::Gix),
        ("libgit2", "sha1", Engine::Libgit2),
        ("sha256", "sha256", Engine::Gix),
    ] {
        let mirror = mirror(&scratch, name, format, &key, engine).await;
        let commit = write(&mirror, "chore: update app\n\nAutocommit-Id: x\n").unwrap();
        let directory = scratch.path(name);
        assert_eq!(verifies(&directory, &allowed, &commit), (true, String::new()), "{name}");
        // Replicas make the same commit.
        assert_eq!(write(&mirror, "chore: update app\n\nAutocommit-Id: x\n").unwrap(), commit);
        assert_eq!(mirror.commit(&commit).unwrap().message, "chore: update app\n\nAutocommit-Id: x\n");
        assert_sound(&directory);
        ids.push(commit);
        let stolen = SigningKey::new(&key);
        assert!(!format!("{stolen:?}{mirror:?}").contains("PRIVATE"));
    }
    assert_eq!(ids[0], ids[1], "both engines write the same");
    let directory = scratch.path("gix");
    let (_, raw) = try_git(&directory, &["cat-file", "commit", &ids[0].to_string()]);
    std::fs::write(scratch.path("altered"), raw.replace("app", "db")).unwrap();
    let (made, altered) = try_git(
        &directory,
        &["hash-object", "-w", "-t", "commit", scratch.path("altered").to_str().unwrap()],
    );
    assert!(made);
    assert!(!verifies(&directory, &allowed, &altered.trim().parse().unwrap()).0, "it verifies what it likes");
}

#[tokio::test]
async fn a_key_that_can_not_sign_is_told_by_its_file_and_nothing_is_written() {
    if !can_run(&["ssh-keygen"]) {
        return;
    }
    let scratch = Scratch::new();
    let keygen = |name: &str, arguments: &[&str]| {
        let file = scratch.path(name);
        let made = Command::new("ssh-keygen").args(["-q", "-f"]).arg(&file).args(arguments).status().unwrap();
        assert!(made.success());
        file
    };
    std::fs::write(scratch.path("garbage"), "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n").unwrap();
    let cases = [
        (scratch.path("absent"), ErrorKind::Other, "can't be read"),
        (scratch.path("garbage"), ErrorKind::Invalid, "no Ed25519 key"),
        (keygen("locked", &["-t", "ed25519", "-N", "secret"]), ErrorKind::Invalid, "passphrase"),
        (keygen("ecdsa", &["-t", "ecdsa", "-N", ""]), ErrorKind::Invalid, "no Ed25519 key"),
        (keygen("rsa", &["-t", "rsa", "-b", "2048", "-N", ""]), ErrorKind::Invalid, "no Ed25519 key"),
    ];
    for (file, kind, says) in cases {
        let error = SigningKey::new(&file).check().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let told = error.to_string();
        assert!(told.contains(says) && told.contains(file.to_str().unwrap()), "{told}");
        assert!(!told.contains("c2VjcmV0"), "{told}");
    }
    // A key that is gone for a while is read once it is back.
    let key = scratch.path("key");
    let mirror = mirror(&scratch, "mirror", "sha1", &key, Engine::Gix).await;
    assert_eq!(write(&mirror, "m").unwrap_err().kind(), ErrorKind::Other);
    generate(&key);
    write(&mirror, "m").unwrap();
}
