//! Scratch repositories, and the real `git` on them.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use cfgupdater_core::{CommitId, GitRepo, NewCommit, RefName, Timestamp, TreeEdit, TreeId};
use cfgupdater_git_backend::{GitCli, GixRepo, RemoteSettings, RemoteUrl};
pub(crate) use cfgupdater_testkit::git;
use cfgupdater_testkit::git_command;
use tempfile::TempDir;

/// Generous: a test that reaches it has failed.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// A directory of repositories.
pub(crate) struct Scratch {
    directory: TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Creates a bare repository.
    pub(crate) fn init(&self, name: &str, format: &str) -> PathBuf {
        let path = self.path(name);
        let format = format!("--object-format={format}");
        git(
            self.directory.path(),
            &["init", "-q", "--bare", "-b", "master", &format, path.to_str().unwrap()],
        );
        path
    }

    /// Creates a bare repository and opens it.
    pub(crate) fn repo(&self, name: &str) -> GixRepo {
        GixRepo::open(&self.init(name, "sha1")).unwrap()
    }

    /// Creates a remote with one commit on `master`, and a client of it.
    pub(crate) fn pair(&self) -> Pair {
        let remote = self.repo("remote.git");
        let root = commit(&remote, &[], &[("README", "hello\n")], 1);
        set_ref(remote.path(), "refs/heads/master", root);
        let local = self.repo("local.git");
        let client = GitCli::new(settings(remote.path()), local.clone());
        Pair { remote, local, client, root }
    }
}

/// A remote, and a local repository that talks to it.
pub(crate) struct Pair {
    pub(crate) remote: GixRepo,
    pub(crate) local: GixRepo,
    pub(crate) client: GitCli,
    pub(crate) root: CommitId,
}

pub(crate) fn settings(remote: &Path) -> RemoteSettings {
    RemoteSettings::new(RemoteUrl::from_path(remote).unwrap())
}

pub(crate) fn name(text: &str) -> RefName {
    text.parse().unwrap()
}

pub(crate) fn branch(text: &str) -> RefName {
    name(&format!("refs/heads/{text}"))
}

/// Runs git and tells whether it succeeded.
pub(crate) fn try_git(directory: &Path, args: &[&str]) -> (bool, String) {
    let output = git_command(directory, args).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

/// What a process of git had to say.
pub(crate) struct Ran {
    pub(crate) succeeded: bool,
    pub(crate) stdout: Vec<u8>,
}

impl Ran {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// Runs git with something to read, however it ends.
pub(crate) fn run(directory: &Path, env: &[(&str, &Path)], args: &[&str], input: &[u8]) -> Ran {
    use std::io::Write;
    let mut command = git_command(directory, args);
    command.envs(env.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // Written aside: git may answer before it has read everything, or end without reading at all.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    Ran { succeeded: output.status.success(), stdout: output.stdout }
}

/// Runs git with something to read, and panics unless it succeeds.
pub(crate) fn git_fed(directory: &Path, env: &[(&str, &Path)], args: &[&str], input: &[u8]) -> String {
    let ran = run(directory, env, args, input);
    assert!(ran.succeeded, "git {args:?} failed");
    ran.text().trim().to_owned()
}

/// Asserts that git finds nothing to object to.
pub(crate) fn assert_sound(repository: &Path) {
    git(repository, &["fsck", "--strict", "--no-progress"]);
}

pub(crate) fn set_ref(repository: &Path, name: &str, commit: CommitId) {
    git(repository, &["update-ref", name, &commit.to_string()]);
}

pub(crate) fn read_ref(repository: &Path, name: &str) -> Option<CommitId> {
    let (found, id) = try_git(repository, &["rev-parse", "--verify", "-q", name]);
    found.then(|| id.trim().parse().unwrap())
}

pub(crate) fn tree(repo: &dyn GitRepo, base: Option<&TreeId>, files: &[(&str, &str)]) -> TreeId {
    let edits: Vec<_> = files
        .iter()
        .map(|(path, text)| TreeEdit::file(path.parse().unwrap(), repo.write_blob(text.as_bytes()).unwrap()))
        .collect();
    repo.edit_tree(base, &edits).unwrap()
}

/// Commits `files` on top of the first parent's tree.
pub(crate) fn commit(
    repo: &dyn GitRepo,
    parents: &[CommitId],
    files: &[(&str, &str)],
    seconds: i64,
) -> CommitId {
    let base = parents.first().map(|parent| repo.commit(parent).unwrap().tree);
    commit_tree(repo, parents, tree(repo, base.as_ref(), files), seconds)
}

pub(crate) fn commit_tree(repo: &dyn GitRepo, parents: &[CommitId], tree: TreeId, seconds: i64) -> CommitId {
    let date = Timestamp::from_millis(seconds * 1000);
    let new = NewCommit::new(tree, parents.to_vec(), ("T", "t@example.org"), date, format!("at {seconds}\n"));
    repo.write_commit(&new).unwrap()
}

/// Makes a `git` that writes down the arguments it is called with. Returns it and the file.
pub(crate) fn recording_git(scratch: &Scratch) -> (PathBuf, PathBuf) {
    let (program, record) = (scratch.path("recording-git"), scratch.path("record"));
    let script = format!("#!/bin/sh\necho \"$*\" >> {}\nexec git \"$@\"\n", record.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    (program, record)
}

/// Installs a hook in a remote.
pub(crate) fn hook(repository: &Path, name: &str, script: &str) {
    let file = repository.join("hooks").join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
}
