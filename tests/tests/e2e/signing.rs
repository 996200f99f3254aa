//! Signed commits, for forges that require them.

use std::path::{Path, PathBuf};
use std::process::Command;

use cfgupdater_testkit::can_run;
use cfgupdater_tests::{Options, Remote, Service, eventually, git};
use tempfile::TempDir;

/// A key pair of the service, and the file by which its public half is trusted.
struct Keys {
    directory: TempDir,
}

impl Keys {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(directory.path().join("key"));
        assert!(keygen.status().unwrap().success());
        let public = std::fs::read_to_string(directory.path().join("key.pub")).unwrap();
        std::fs::write(directory.path().join("allowed"), format!("cfgupdater@localhost {public}")).unwrap();
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn options(&self) -> Options {
        let key = self.path("key");
        let repo = format!("[repo.commit]\nssh_signing_key_file = \"{}\"\n", key.display());
        Options { repo, ..Options::default() }
    }
}

/// Lets a repository refuse commits by others than those whom the file `allowed` trusts, as a rule of forges does.
fn require_signatures(remote: &Remote, allowed: &Path) {
    let verify = format!("git -c gpg.format=ssh -c gpg.ssh.allowedSignersFile={}", allowed.display());
    let script = format!(
        "while read old new name; do
  for commit in $(git rev-list \"$new\" --not --all); do
    {verify} verify-commit \"$commit\" || exit 1
  done
done"
    );
    remote.install_hook("pre-receive", &script);
}

#[test]
fn the_main_job_goes_through_where_every_commit_must_be_signed() {
    if !can_run(&["ssh-keygen"]) {
        return;
    }
    let (remote, keys) = (Remote::new(), Keys::new());
    require_signatures(&remote, &keys.path("allowed"));
    let service = Service::with(&remote, &keys.options());
    let told = service.announce(1);
    let commit = told["commit"].as_str().unwrap();
    service.status(commit, "ci", "success");
    assert_eq!(service.end_of(told["intent"].as_str().unwrap())["end"], "landed");
    for target in ["staging-1", "staging-2"] {
        service.deployed("staging", target, commit, "succeeded").ok();
    }
    eventually("the promotion", || (remote.auto() != remote.master()).then_some(()));
    for branch in ["auto", "cfgupdater/state"] {
        assert!(git(remote.path(), &["cat-file", "commit", branch]).contains("BEGIN SSH SIGNATURE"));
    }
    remote.fsck();
}

#[test]
fn without_its_key_a_service_says_so_and_writes_nothing() {
    if !can_run(&["ssh-keygen"]) {
        return;
    }
    let (remote, keys) = (Remote::new(), Keys::new());
    let service = Service::with(&remote, &keys.options());
    let before = eventually("the first state", || remote.tip("cfgupdater/state"));
    std::fs::remove_file(keys.path("key")).unwrap();
    let refused = service.announce_reply(1);
    assert_eq!(refused.status, 503, "{refused:?}");
    service.eventually_why("the key that signs commits can't be read");
    assert_eq!(remote.tip("cfgupdater/state"), Some(before));
}
