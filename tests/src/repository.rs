//! Real repositories, made and read by the git binary.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

pub use cfgupdater_testkit::git;
use cfgupdater_testkit::git_command;
use tempfile::TempDir;

/// The bare configuration repository.
#[derive(Debug)]
pub struct Remote {
    directory: TempDir,
}

impl Default for Remote {
    fn default() -> Self {
        Self::new()
    }
}

impl Remote {
    /// Makes a repository whose first commit, by a person, holds a README and no images.
    pub fn new() -> Self {
        let remote = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        git(remote.path(), &["init", "--quiet", "--bare", "--initial-branch=master", "."]);
        remote.person().commit("README.md", "the configuration\n", "initial commit").push();
        remote
    }

    /// Returns the directory.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Returns the URL.
    pub fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }

    /// Gives somebody a clone of stable.
    pub fn person(&self) -> Clone {
        let directory = tempfile::tempdir().expect("a temporary directory");
        git(directory.path(), &["clone", "--quiet", &self.url(), "."]);
        Clone { directory }
    }

    /// Returns where a reference points, `None` where there is none.
    pub fn tip(&self, name: &str) -> Option<String> {
        let found =
            git(self.path(), &["for-each-ref", "--format=%(objectname)", &format!("refs/heads/{name}")]);
        (!found.is_empty()).then_some(found)
    }

    /// Returns where stable points.
    pub fn master(&self) -> String {
        self.tip("master").expect("master exists")
    }

    /// Returns where auto points.
    pub fn auto(&self) -> String {
        self.tip("auto").expect("auto exists")
    }

    /// Returns a file's content at a revision, `None` where it isn't there.
    pub fn file(&self, revision: &str, path: &str) -> Option<String> {
        let listed = git(self.path(), &["ls-tree", revision, "--", path]);
        (!listed.is_empty()).then(|| git(self.path(), &["cat-file", "blob", &format!("{revision}:{path}")]))
    }

    /// Returns a commit's message.
    pub fn message(&self, revision: &str) -> String {
        git(self.path(), &["log", "-1", "--format=%B", revision])
    }

    /// Returns the value of a trailer as git reads it.
    pub fn trailer(&self, revision: &str, key: &str) -> String {
        git(
            self.path(),
            &["log", "-1", &format!("--format=%(trailers:key={key},valueonly,separator=%x2C)"), revision],
        )
    }

    /// Lists commits, oldest first.
    pub fn commits(&self, range: &str) -> Vec<String> {
        git(self.path(), &["rev-list", "--reverse", range]).lines().map(str::to_owned).collect()
    }

    /// Returns every reference and where it points.
    pub fn refs(&self) -> String {
        git(self.path(), &["for-each-ref", "--format=%(refname) %(objectname)"])
    }

    /// Installs a hook: a shell script that the repository runs at each push.
    pub fn install_hook(&self, name: &str, script: &str) {
        let path = self.path().join("hooks").join(name);
        std::fs::create_dir_all(path.parent().expect("hooks have a directory")).expect("it can be made");
        std::fs::write(&path, format!("#!/bin/sh\n{script}")).expect("a hook can be written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    }

    /// Checks the repository with git's own strictest check. Where a replica pushes meanwhile, it may list objects first
    /// and meet a branch that is newer; what is broken stays so.
    pub fn fsck(&self) {
        let mut fsck = git_command(self.path(), &["fsck", "--strict", "--no-dangling"]);
        let mut told = String::new();
        for _ in 0..10 {
            let output = fsck.output().expect("git can be run");
            if output.status.success() {
                return;
            }
            told = [output.stdout, output.stderr]
                .map(|text| String::from_utf8_lossy(&text).into_owned())
                .concat();
        }
        panic!("the repository is broken: {told}");
    }
}

/// Somebody's clone.
#[derive(Debug)]
pub struct Clone {
    directory: TempDir,
}

impl Clone {
    /// Returns the directory.
    pub fn path(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    /// Writes a file and commits it.
    pub fn commit(&self, path: &str, content: &str, message: &str) -> &Self {
        let file = self.directory.path().join(path);
        std::fs::create_dir_all(file.parent().expect("a file has a directory"))
            .expect("directories can be made");
        std::fs::write(&file, content).expect("the file can be written");
        git(self.directory.path(), &["add", "--", path]);
        git(self.directory.path(), &["commit", "--quiet", "-m", message]);
        self
    }

    /// Pushes to stable and returns the commit.
    pub fn push(&self) -> String {
        git(self.directory.path(), &["push", "--quiet", "origin", "HEAD:refs/heads/master"]);
        git(self.directory.path(), &["rev-parse", "HEAD"])
    }
}
