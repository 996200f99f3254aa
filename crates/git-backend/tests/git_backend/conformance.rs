//! The suite of the testkit on both engines, and on `git` itself, which shows that the suite asks for nothing that git
//! doesn't do.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use cfgupdater_core::{CommitId, GitRepo, ObjectId, RefName};
use cfgupdater_git_backend::{Engine, LocalRepo};
use cfgupdater_testkit::conformance::git_repo::{
    CanBeDamaged, GitRepoHarness, IsMaintained, StoresRawObjects,
};
use cfgupdater_testkit::git_repo_conformance;
use cfgupdater_testkit::memory::git::ObjectKind;

use crate::cli_repo::CliRepo;
use crate::support::{Scratch, assert_sound, git, git_fed};

/// A repository on this machine that somebody opened.
struct Local<R> {
    repo: R,
    path: PathBuf,
    scratch: Scratch,
}

impl<R> Local<R> {
    fn open(format: &str, open: impl FnOnce(&Path) -> R) -> Self {
        let scratch = Scratch::new();
        let path = scratch.init("a.git", format);
        Self { repo: open(&path), path, scratch }
    }

    fn loose(&self, id: &ObjectId) -> PathBuf {
        let id = id.to_string();
        self.path.join("objects").join(&id[..2]).join(&id[2..])
    }
}

fn local(engine: Engine, format: &str) -> Local<LocalRepo> {
    Local::open(format, |path| LocalRepo::open(path, engine).unwrap())
}

/// Shows the objects of whatever is tested.
trait Objects {
    fn objects(&self) -> &dyn GitRepo;
}

impl Objects for LocalRepo {
    fn objects(&self) -> &dyn GitRepo {
        self.objects()
    }
}

impl Objects for CliRepo {
    fn objects(&self) -> &dyn GitRepo {
        self
    }
}

impl<R: Objects> GitRepoHarness for Local<R> {
    fn repo(&self) -> &dyn GitRepo {
        self.repo.objects()
    }

    fn set_ref(&self, name: &RefName, to: Option<ObjectId>) {
        match to {
            Some(id) => git(&self.path, &["update-ref", name.as_str(), &id.to_string()]),
            None => git(&self.path, &["update-ref", "-d", name.as_str()]),
        };
    }

    fn verify(&self) {
        assert_sound(&self.path);
    }
}

impl<R: Objects> StoresRawObjects for Local<R> {
    fn store(&self, objects: &[(ObjectKind, Vec<u8>)]) {
        for kind in [ObjectKind::Blob, ObjectKind::Tree, ObjectKind::Commit, ObjectKind::Tag] {
            let mut paths = String::new();
            for (at, (_, content)) in objects.iter().enumerate().filter(|(_, (found, _))| *found == kind) {
                let file = self.scratch.path(&format!("raw-{at}"));
                std::fs::write(&file, content).unwrap();
                writeln!(paths, "{}", file.display()).unwrap();
            }
            let args =
                ["hash-object", "-w", "--literally", "--no-filters", "-t", kind.as_str(), "--stdin-paths"];
            git_fed(&self.path, &[], &args, paths.as_bytes());
        }
    }
}

impl<R: Objects> IsMaintained for Local<R> {
    fn bring(&self, parent: Option<&CommitId>, path: &str, content: &str) -> CommitId {
        let from = parent.map(|parent| format!("from {parent}\n")).unwrap_or_default();
        let length = content.len();
        let script = format!(
            "commit refs/heads/brought\ncommitter T <t@example.org> 1 +0000\ndata 0\n{from}M 100644 inline {path}\ndata {length}\n{content}\n"
        );
        let args = ["-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--force"];
        git_fed(&self.path, &[], &args, script.as_bytes());
        git(&self.path, &["rev-parse", "refs/heads/brought"]).trim().parse().unwrap()
    }

    fn repack(&self) {
        git(&self.path, &["repack", "-adq"]);
    }
}

impl<R: Objects> CanBeDamaged for Local<R> {
    fn damage(&self, id: &ObjectId) {
        self.lose(id);
        std::fs::write(self.loose(id), "garbage").unwrap();
    }

    fn lose(&self, id: &ObjectId) {
        std::fs::remove_file(self.loose(id)).unwrap();
    }
}

git_repo_conformance!(gix_sha1, local(Engine::Gix, "sha1"), raw_objects, maintenance, damage, deep_trees);
git_repo_conformance!(gix_sha256, local(Engine::Gix, "sha256"), raw_objects, maintenance, damage, deep_trees);
git_repo_conformance!(libgit2, local(Engine::Libgit2, "sha1"), raw_objects, maintenance, damage, deep_trees);
// Git refuses trees deeper than `core.maxTreeDepth`, and what it thinks of damage is no question here.
git_repo_conformance!(git_sha1, Local::open("sha1", CliRepo::open), raw_objects);
git_repo_conformance!(git_sha256, Local::open("sha256", CliRepo::open), raw_objects);

#[test]
fn libgit2_says_that_it_does_not_know_sha256() {
    let scratch = Scratch::new();
    let error = LocalRepo::open(&scratch.init("a.git", "sha256"), Engine::Libgit2).unwrap_err();
    assert_eq!(error.kind(), cfgupdater_core::ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("gix"), "{error}");
}
