//! Carrying one commit's change to another tree.

use cfgupdater_core::{CommitId, GitRepo, TreeEdit};
use cfgupdater_git_backend::{CarryOutcome, GixRepo, carry};

use crate::support::{Scratch, commit, commit_tree, tree};

const LINES: &str = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
const IMAGES: &str = "{\n  \"a\": \"1\",\n  \"b\": \"1\"\n}\n";

fn base(repo: &GixRepo) -> CommitId {
    commit(repo, &[], &[("text", LINES), ("images/w/tags.json", IMAGES), ("d/f", "x\n"), ("g", "x\n")], 1)
}

fn run(repo: &GixRepo, theirs: CommitId, onto: CommitId) -> CarryOutcome {
    carry(repo, &theirs, &onto, &|path| path.starts_with("images/")).unwrap()
}

fn with(repo: &GixRepo, base: CommitId, edits: &[TreeEdit], seconds: i64) -> CommitId {
    let tree = repo.edit_tree(Some(&repo.commit(&base).unwrap().tree), edits).unwrap();
    commit_tree(repo, &[base], tree, seconds)
}

fn conflict(paths: &[&str]) -> CarryOutcome {
    CarryOutcome::Conflict { paths: paths.iter().map(ToString::to_string).collect() }
}

#[test]
fn changes_that_go_together_are_joined() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let base = base(&repo);
    let onto = commit(
        &repo,
        &[base],
        &[
            ("text", &LINES.replace('1', "one")),
            ("images/w/tags.json", &IMAGES.replace("\"a\": \"1\"", "\"a\": \"2\"")),
            ("new", "n"),
        ],
        2,
    );
    let theirs = commit(
        &repo,
        &[base],
        &[
            ("text", &LINES.replace('9', "nine")),
            ("images/w/tags.json", &IMAGES.replace("\"b\": \"1\"", "\"b\": \"2\"")),
            ("d/other", "o"),
        ],
        3,
    );
    let expected = tree(
        &repo,
        Some(&repo.commit(&onto).unwrap().tree),
        &[
            ("text", &LINES.replace('1', "one").replace('9', "nine")),
            ("images/w/tags.json", &IMAGES.replace("\"1\"", "\"2\"")),
            ("d/other", "o"),
        ],
    );
    assert_eq!(run(&repo, theirs, onto), CarryOutcome::Carried { tree: expected });
}

#[test]
fn a_change_that_is_there_already_changes_nothing() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let base = base(&repo);
    let remove = [TreeEdit::remove("g".parse().unwrap())];
    let (onto, theirs) = (with(&repo, base, &remove, 2), with(&repo, base, &remove, 3));
    assert_eq!(run(&repo, theirs, onto), CarryOutcome::Carried { tree: repo.commit(&onto).unwrap().tree });
}

#[test]
fn every_clash_is_named() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let base = base(&repo);
    let onto = commit(
        &repo,
        &[base],
        &[
            ("text", &LINES.replace('5', "five")),
            ("images/w/tags.json", &IMAGES.replace("\"a\": \"1\"", "\"a\": \"2\"")),
            ("d/f", "y\n"),
        ],
        2,
    );
    let theirs = commit(
        &repo,
        &[base],
        &[
            ("text", &LINES.replace('5', "cinq")),
            ("images/w/tags.json", &IMAGES.replace("\"a\": \"1\"", "\"a\": \"3\"")),
        ],
        3,
    );
    let theirs = with(&repo, base, &[TreeEdit::remove("d/f".parse().unwrap())], 4).and_files(&repo, theirs);
    assert_eq!(run(&repo, theirs, onto), conflict(&["d/f", "images/w/tags.json", "text"]));
}

/// Joins the trees of two commits on one parent for a test.
trait AndFiles {
    fn and_files(self, repo: &GixRepo, other: CommitId) -> CommitId;
}

impl AndFiles for CommitId {
    fn and_files(self, repo: &GixRepo, other: CommitId) -> CommitId {
        let parent = repo.commit(&self).unwrap().parents[0];
        let (base, other) = (repo.commit(&parent).unwrap().tree, repo.commit(&other).unwrap().tree);
        let edits: Vec<_> = repo
            .diff(Some(&base), &other)
            .unwrap()
            .into_iter()
            .map(|change| {
                let (kind, id) = change.new.unwrap();
                TreeEdit::put(String::from_utf8(change.path).unwrap().parse().unwrap(), kind, id)
            })
            .collect();
        let tree = repo.edit_tree(Some(&repo.commit(&self).unwrap().tree), &edits).unwrap();
        commit_tree(repo, &[parent], tree, 9)
    }
}

#[test]
fn a_file_is_never_silently_replaced_by_a_directory() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let base = base(&repo);
    let onto = commit(&repo, &[base], &[("h", "a file")], 2);
    let theirs = commit(&repo, &[base], &[("h/i", "in a directory")], 3);
    assert_eq!(run(&repo, theirs, onto), conflict(&["h/i"]));
    assert_eq!(run(&repo, onto, theirs), conflict(&["h"]));
    // The commit itself turns `g` into a directory, and nobody else touched it.
    let theirs = commit(&repo, &[base], &[("g/i", "in a directory")], 3);
    let expected = tree(&repo, Some(&repo.commit(&onto).unwrap().tree), &[("g/i", "in a directory")]);
    assert_eq!(run(&repo, theirs, onto), CarryOutcome::Carried { tree: expected });
}

#[test]
fn merges_and_roots_are_not_carried() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let base = base(&repo);
    let side = commit(&repo, &[base], &[("s", "s")], 2);
    let merge = commit(&repo, &[base, side], &[("s", "s")], 3);
    assert_eq!(run(&repo, merge, base), CarryOutcome::NotOneChange);
    assert_eq!(run(&repo, base, side), CarryOutcome::NotOneChange);
}
