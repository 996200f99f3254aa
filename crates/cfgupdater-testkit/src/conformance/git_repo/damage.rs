//! Objects that are lost or damaged.

use cfgupdater_core::{BlobId, CommitId, ErrorKind, TreeEdit, TreeId, Walk};

use super::{CanBeDamaged, commit_tree, file, tree};

/// What is there and can't be read is corrupt, never absent.
pub fn what_is_damaged_is_corrupt(harness: &impl CanBeDamaged) {
    let repo = harness.repo();
    // Nothing is read before it is damaged: a backend may remember what it read.
    let tree = tree(repo, None, &[("f", "x")]);
    let id = commit_tree(repo, &[], tree, 1);
    let blob = *repo.write_blob(b"x").unwrap().object_id();
    for object in [blob, *tree.object_id(), *id.object_id()] {
        harness.damage(&object);
        assert_eq!(
            repo.blob(&BlobId::new(object)).unwrap_err().kind(),
            ErrorKind::Corrupt,
            "its kind can't even be told"
        );
    }
    assert_eq!(repo.list(&TreeId::new(*tree.object_id())).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(repo.commit(&CommitId::new(*id.object_id())).unwrap_err().kind(), ErrorKind::Corrupt);
}

/// A walk of first parents with a limit reads only what it lists.
pub fn a_limited_walk_of_first_parents_reads_no_further(harness: &impl CanBeDamaged) {
    let repo = harness.repo();
    let tree = tree(repo, None, &[("f", "x")]);
    let root = commit_tree(repo, &[], tree, 1);
    let middle = commit_tree(repo, &[root], tree, 2);
    let tip = commit_tree(repo, &[middle], tree, 3);
    harness.lose(root.object_id());
    assert_eq!(repo.walk(&Walk::from(tip).first_parent().limit(2)).unwrap(), [tip, middle]);
    assert_eq!(repo.walk(&Walk::from(tip).first_parent()).unwrap_err().kind(), ErrorKind::NotFound);
}

/// The cost of an edit grows with the depth of its path: what lies beside the path is neither read nor needed.
pub fn an_edit_reads_only_the_directories_on_its_path(harness: &impl CanBeDamaged) {
    let repo = harness.repo();
    let files: Vec<String> = (0..20).map(|d| format!("dir{d}/sub/file")).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|path| (path.as_str(), path.as_str())).collect();
    let base = tree(repo, None, &files);
    let subtrees: Vec<_> =
        repo.list(&base).unwrap().into_iter().filter(|entry| entry.name != b"dir0").collect();
    for entry in &subtrees {
        harness.lose(&entry.id);
    }
    let edited = repo.edit_tree(Some(&base), &[file(repo, "dir0/sub/file", "new")]).unwrap();
    assert!(subtrees.iter().all(|entry| repo.list(&edited).unwrap().contains(entry)));
    let removed = repo.edit_tree(Some(&base), &[TreeEdit::remove("dir0".parse().unwrap())]).unwrap();
    assert_eq!(repo.list(&removed).unwrap().len(), 19);
    assert_eq!(repo.diff(Some(&base), &edited).unwrap().len(), 1, "equal subtrees are not read");
}
