//! Trees: edited, listed, compared.

use cfgupdater_core::{BlobId, EntryKind, GitRepo, ObjectId, TreeEdit, TreeId};
use fastrand::Rng;

use super::{GitRepoHarness, commit, commit_tree, file, tree};
use crate::conformance::seeds::each_seed;
use crate::memory::git::{MemoryRepo, ObjectKind};

/// All five modes are written and read.
pub fn every_kind_of_entry_is_kept(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let blob = *repo.write_blob(b"target").unwrap().object_id();
    let inner = commit(repo, &[], &[("f", "x")], 1);
    let kinds = [
        ("e", EntryKind::Executable, blob),
        ("f", EntryKind::File, blob),
        ("l", EntryKind::Symlink, blob),
        ("s", EntryKind::Submodule, *inner.object_id()),
        ("t", EntryKind::Tree, *repo.commit(&inner).unwrap().tree.object_id()),
    ];
    let edits: Vec<_> =
        kinds.iter().map(|(path, kind, id)| TreeEdit::put(path.parse().unwrap(), *kind, *id)).collect();
    let tree = repo.edit_tree(None, &edits).unwrap();
    let listed: Vec<_> = repo.list(&tree).unwrap().into_iter().map(|entry| (entry.kind, entry.id)).collect();
    assert_eq!(listed, kinds.map(|(_, kind, id)| (kind, id)));
    commit_tree(repo, &[], tree, 2);
}

/// Directories come and go with what is in them.
pub fn edits_create_and_prune_directories(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let base = tree(repo, None, &[("f", "x"), ("d/e/g", "y")]);
    assert_eq!(paths(repo, &base), ["d/e/g", "f"]);
    let pruned = repo.edit_tree(Some(&base), &[TreeEdit::remove("d/e/g".parse().unwrap())]).unwrap();
    assert_eq!(paths(repo, &pruned), ["f"]);
    assert_eq!(repo.list(&pruned).unwrap().len(), 1, "no empty directory is left");
    assert_eq!(tree(repo, Some(&pruned), &[("d/e/g", "y")]), base);
    let nothing = [TreeEdit::remove("d/none".parse().unwrap()), TreeEdit::remove("f/below".parse().unwrap())];
    assert_eq!(repo.edit_tree(Some(&base), &nothing).unwrap(), base, "what isn't there is not removed");
    assert_eq!(repo.edit_tree(Some(&base), &[]).unwrap(), base);
    let whole = repo.edit_tree(Some(&base), &[TreeEdit::remove("d".parse().unwrap())]).unwrap();
    assert_eq!(whole, pruned, "a directory is removed whole");
}

/// A file takes a directory's place, and a directory a file's.
pub fn files_and_directories_replace_each_other(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let base = tree(repo, None, &[("a/b/c", "x"), ("z", "z")]);
    let flat = tree(repo, Some(&base), &[("a/b", "file")]);
    assert_eq!(paths(repo, &flat), ["a/b", "z"]);
    assert_eq!(paths(repo, &tree(repo, Some(&flat), &[("a/b/c", "x")])), ["a/b/c", "z"]);
    assert_eq!(tree(repo, Some(&flat), &[("a/b/c", "x")]), base);
    let changes = repo.diff(Some(&base), &flat).unwrap();
    let told: Vec<_> = changes.iter().map(|change| (change.old.is_some(), change.new.is_some())).collect();
    assert_eq!(told, [(false, true), (true, false)], "a/b appears, a/b/c goes");
}

/// Of two edits of one path the last one counts, whatever they do to each other's directories.
pub fn edits_apply_in_their_order(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let base = tree(repo, None, &[("a/x", "1"), ("a/y", "2")]);
    let remove = |path: &str| TreeEdit::remove(path.parse().unwrap());
    let edits = [remove("a"), file(repo, "a/z", "3"), file(repo, "a/z/deep", "4"), remove("a/z/none")];
    assert_eq!(paths(repo, &repo.edit_tree(Some(&base), &edits).unwrap()), ["a/z/deep"]);
    let edits = [file(repo, "a/z", "3"), remove("a")];
    let empty = repo.edit_tree(Some(&base), &edits).unwrap();
    assert!(repo.list(&empty).unwrap().is_empty());
    let subtree = *tree(repo, None, &[("s", "s")]).object_id();
    let edits = [TreeEdit::put("a".parse().unwrap(), EntryKind::Tree, subtree), file(repo, "a/t", "t")];
    assert_eq!(paths(repo, &repo.edit_tree(Some(&base), &edits).unwrap()), ["a/s", "a/t"]);
}

/// A tree without entries exists at the root and nowhere below it.
pub fn the_empty_tree_is_a_tree(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let empty = repo.edit_tree(None, &[]).unwrap();
    assert_eq!(*empty.object_id(), ObjectKind::Tree.id_of(repo.object_format(), b""));
    assert!(repo.list(&empty).unwrap().is_empty());
    let put = TreeEdit::put("d".parse().unwrap(), EntryKind::Tree, *empty.object_id());
    assert_eq!(repo.edit_tree(None, &[put]).unwrap(), empty);
    let full = tree(repo, None, &[("d/f", "x")]);
    assert_eq!(repo.diff(Some(&empty), &full).unwrap(), repo.diff(None, &full).unwrap());
    assert!(repo.diff(Some(&full), &full).unwrap().is_empty());
    commit_tree(repo, &[], empty, 1);
}

/// Directories sort as if their names ended in a slash.
pub fn entries_are_found_by_path_and_listed_in_order(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let tree = tree(repo, None, &[("a/x", "1"), ("a.b", "2"), ("a0", "3"), ("a-", "4")]);
    let names: Vec<_> = repo.list(&tree).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, [&b"a-"[..], b"a.b", b"a", b"a0"]);
    let entry = |path: &str| repo.entry(&tree, &path.parse().unwrap()).unwrap();
    assert_eq!(entry("a").unwrap().kind, EntryKind::Tree);
    let found = entry("a/x").unwrap();
    assert_eq!((found.name.as_slice(), found.kind), (&b"x"[..], EntryKind::File));
    assert_eq!(repo.blob(&BlobId::new(found.id)).unwrap(), b"1");
    for absent in ["b", "a/y", "a.b/x", "a/x/y"] {
        assert_eq!(entry(absent), None, "{absent}");
    }
}

/// Any edits give the tree, and any two trees the changes, that the naive repository in memory gives.
pub fn random_edits_give_the_naive_tree_and_diff(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let naive = MemoryRepo::new(repo.object_format());
    let stocks = [repo, &naive].map(Stock::new);
    each_seed(12, |rng| {
        let mut trees: Vec<TreeId> = Vec::new();
        for _ in 0..3 {
            let steps: Vec<Step> = (0..rng.usize(1..10)).map(|_| Step::draw(rng)).collect();
            let [ours, expected] =
                [(repo, &stocks[0]), (&naive as &dyn GitRepo, &stocks[1])].map(|(repo, stock)| {
                    let edits: Vec<_> = steps.iter().map(|step| stock.edit(step)).collect();
                    repo.edit_tree(trees.last(), &edits).unwrap()
                });
            assert_eq!(ours, expected, "{steps:?}");
            if let Some(old) = trees.last() {
                assert_eq!(repo.diff(Some(old), &ours).unwrap(), naive.diff(Some(old), &ours).unwrap());
            }
            trees.push(ours);
        }
    });
}

#[derive(Debug)]
enum Step {
    Put(String, EntryKind, usize),
    PutTree(String),
    Remove(String),
}

impl Step {
    /// Few names, so that files and directories meet; some sort differently as directories.
    fn draw(rng: &mut Rng) -> Self {
        let names = ["a", "b", "a.b", "a-", "a0"];
        let path: Vec<&str> = (0..rng.usize(1..4)).map(|_| names[rng.usize(..names.len())]).collect();
        let kinds = [EntryKind::File, EntryKind::Executable, EntryKind::Symlink];
        match rng.u8(..8) {
            0..4 => Self::Put(path.join("/"), kinds[rng.usize(..3)], rng.usize(..3)),
            4 => Self::PutTree(path.join("/")),
            _ => Self::Remove(path.join("/")),
        }
    }
}

/// What every step may draw on.
struct Stock {
    blobs: Vec<ObjectId>,
    subtree: ObjectId,
}

impl Stock {
    fn new(repo: &dyn GitRepo) -> Self {
        let blobs = (0..3_u8).map(|n| *repo.write_blob(&[b'0' + n]).unwrap().object_id()).collect();
        Self { blobs, subtree: *tree(repo, None, &[("b", "0"), ("a/x", "0")]).object_id() }
    }

    fn edit(&self, step: &Step) -> TreeEdit {
        match step {
            Step::Put(path, kind, content) => {
                TreeEdit::put(path.parse().unwrap(), *kind, self.blobs[*content])
            }
            Step::PutTree(path) => TreeEdit::put(path.parse().unwrap(), EntryKind::Tree, self.subtree),
            Step::Remove(path) => TreeEdit::remove(path.parse().unwrap()),
        }
    }
}

fn paths(repo: &dyn GitRepo, tree: &TreeId) -> Vec<String> {
    let changes = repo.diff(None, tree).unwrap();
    changes.into_iter().map(|change| String::from_utf8(change.path).unwrap()).collect()
}
