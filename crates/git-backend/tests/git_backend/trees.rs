//! Random edits of trees, judged by a naive model that git turns into a tree.

use std::collections::BTreeMap;
use std::fmt::Write;

use cfgupdater_core::{BlobId, EntryKind, GitRepo, ObjectId, TreeEdit, TreeId};
use cfgupdater_git_backend::GixRepo;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::support::{Scratch, assert_sound, commit_tree, git, git_fed};

type Model = BTreeMap<String, (EntryKind, ObjectId)>;

#[derive(Debug, Clone)]
enum Step {
    Put(String, bool, u8),
    PutTree(String),
    Remove(String),
}

/// Few names, so that files and directories meet; some sort differently as directories.
fn path() -> impl Strategy<Value = String> {
    vec(prop::sample::select(vec!["a", "b", "a.b", "a-", "a0"]), 1..4).prop_map(|parts| parts.join("/"))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (path(), any::<bool>(), 0..3_u8).prop_map(|(path, executable, content)| Step::Put(path, executable, content)),
        1 => path().prop_map(Step::PutTree),
        3 => path().prop_map(Step::Remove),
    ]
}

/// What every step may draw on.
struct Stock {
    blobs: Vec<BlobId>,
    subtree: TreeId,
}

impl Stock {
    fn new(repo: &GixRepo) -> Self {
        let blobs: Vec<_> = (0..3_u8).map(|n| repo.write_blob(&[b'0' + n]).unwrap()).collect();
        let edits = ["b", "a/x"].map(|path| TreeEdit::file(path.parse().unwrap(), blobs[0]));
        let subtree = repo.edit_tree(None, &edits).unwrap();
        Self { blobs, subtree }
    }

    fn edit(&self, step: &Step) -> TreeEdit {
        match step {
            Step::Put(path, executable, content) => {
                let kind = if *executable { EntryKind::Executable } else { EntryKind::File };
                TreeEdit::put(path.parse().unwrap(), kind, *self.blobs[usize::from(*content)].object_id())
            }
            Step::PutTree(path) => {
                TreeEdit::put(path.parse().unwrap(), EntryKind::Tree, *self.subtree.object_id())
            }
            Step::Remove(path) => TreeEdit::remove(path.parse().unwrap()),
        }
    }

    fn apply(&self, model: &mut Model, step: &Step) {
        let (Step::Put(path, ..) | Step::PutTree(path) | Step::Remove(path)) = step;
        model.retain(|key, _| key != path && !key.starts_with(&format!("{path}/")));
        if matches!(step, Step::Remove(_)) {
            return;
        }
        model.retain(|key, _| !path.starts_with(&format!("{key}/")));
        let edit = self.edit(step);
        let (kind, id) = edit.entry.unwrap();
        if kind == EntryKind::Tree {
            for below in ["b", "a/x"] {
                model.insert(format!("{path}/{below}"), (EntryKind::File, *self.blobs[0].object_id()));
            }
        } else {
            model.insert(path.clone(), (kind, id));
        }
    }
}

fn tree_by_git(repo: &GixRepo, model: &Model) -> String {
    let index = repo.path().join("oracle-index");
    let _ = std::fs::remove_file(&index);
    let mut lines = String::new();
    for (path, (kind, id)) in model {
        let mode = if *kind == EntryKind::Executable { "100755" } else { "100644" };
        writeln!(lines, "{mode} {id}\t{path}").unwrap();
    }
    git_fed(
        repo.path(),
        &[("GIT_INDEX_FILE", &index)],
        &["update-index", "--add", "--index-info"],
        lines.as_bytes(),
    );
    git_fed(repo.path(), &[("GIT_INDEX_FILE", &index)], &["write-tree"], b"")
}

/// Writes changes as `git diff-tree --raw -z` does.
fn raw(repo: &GixRepo, old: &TreeId, new: &TreeId) -> String {
    let mode = |kind| if kind == EntryKind::Executable { "100755" } else { "100644" };
    let side = |leaf: Option<(EntryKind, ObjectId)>| {
        leaf.map_or(("000000", "0".repeat(40)), |(kind, id)| (mode(kind), id.to_string()))
    };
    let mut text = String::new();
    for change in repo.diff(Some(old), new).unwrap() {
        let ((old_mode, old_id), (new_mode, new_id)) = (side(change.old), side(change.new));
        let letter = match (change.old, change.new) {
            (None, _) => 'A',
            (_, None) => 'D',
            _ => 'M',
        };
        let path = String::from_utf8(change.path).unwrap();
        write!(text, ":{old_mode} {new_mode} {old_id} {new_id} {letter}\0{path}\0").unwrap();
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn edits_give_the_tree_and_the_diff_that_git_gives(first in vec(step(), 1..10), second in vec(step(), 1..10)) {
        let scratch = Scratch::new();
        let repo = scratch.repo("a.git");
        let stock = Stock::new(&repo);
        let mut model = Model::new();
        let mut base = None;
        let mut trees = Vec::new();
        for steps in [first, second] {
            let edits: Vec<_> = steps.iter().map(|step| stock.edit(step)).collect();
            for step in &steps {
                stock.apply(&mut model, step);
            }
            let tree = repo.edit_tree(base.as_ref(), &edits).unwrap();
            prop_assert_eq!(tree.to_string(), tree_by_git(&repo, &model));
            commit_tree(&repo, &[], tree, 1);
            base = Some(tree);
            trees.push(tree);
        }
        assert_sound(repo.path());
        let (old, new) = (trees[0], trees[1]);
        let by_git = git(repo.path(), &["diff-tree", "-r", "--raw", "-z", "--no-abbrev", &old.to_string(), &new.to_string()]);
        prop_assert_eq!(raw(&repo, &old, &new), by_git);
    }
}

#[test]
fn an_edit_reads_and_writes_only_the_directories_on_its_path() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let blob = repo.write_blob(b"x").unwrap();
    let edits: Vec<_> =
        (0..40).map(|d| TreeEdit::file(format!("dir{d}/sub/file{d}").parse().unwrap(), blob)).collect();
    let base = repo.edit_tree(None, &edits).unwrap();
    // Everything off the edited path is taken away: an edit that read it would fail.
    for d in 1..40 {
        let tree = repo.entry(&base, &format!("dir{d}").parse().unwrap()).unwrap().unwrap().id.to_string();
        std::fs::remove_file(repo.path().join("objects").join(&tree[..2]).join(&tree[2..])).unwrap();
    }
    let count = || git(repo.path(), &["count-objects"]).split(' ').next().unwrap().parse::<usize>().unwrap();
    let before = count();
    let other = repo.write_blob(b"y").unwrap();
    repo.edit_tree(Some(&base), &[TreeEdit::file("dir0/sub/file0".parse().unwrap(), other)]).unwrap();
    assert_eq!(count() - before, 4, "one blob and three trees");
}
