//! Objects that others wrote: many, odd, hostile.

use cfgupdater_core::{
    CommitId, EntryKind, ErrorKind, ObjectId, RefName, Timestamp, TreeEdit, TreeEntry, TreeId, Walk,
};

use super::{StoresRawObjects, commit, file, tree};
use crate::memory::git::{ObjectKind, encode_tree};

/// A tag that is an object of its own counts as the commit it names.
pub fn annotated_tags_resolve_to_their_commits(harness: &impl StoresRawObjects) {
    let repo = harness.repo();
    let id = commit(repo, &[], &[("f", "x")], 1);
    let tag = format!("object {id}\ntype commit\ntag v1\ntagger T <t@example.org> 1 +0000\n\nv1\n");
    harness.store(&[(ObjectKind::Tag, tag.clone().into_bytes())]);
    let name: RefName = "refs/tags/v1".parse().unwrap();
    harness.set_ref(&name, Some(ObjectKind::Tag.id_of(repo.object_format(), tag.as_bytes())));
    assert_eq!(repo.resolve(&name).unwrap(), Some(id));
}

/// Ten thousand commits are a history like any other.
pub fn histories_of_thousands_are_walked(harness: &impl StoresRawObjects) {
    let repo = harness.repo();
    let tree = tree(repo, None, &[("f", "x")]);
    let (mut objects, mut ids) = (Vec::new(), Vec::<CommitId>::new());
    for at in 0..10_000 {
        let parent = ids.last().map(|id| format!("parent {id}\n")).unwrap_or_default();
        let who = format!("T <t@example.org> {at} +0000");
        let text = format!("tree {tree}\n{parent}author {who}\ncommitter {who}\n\nat {at}\n");
        ids.push(CommitId::new(ObjectKind::Commit.id_of(repo.object_format(), text.as_bytes())));
        objects.push((ObjectKind::Commit, text.into_bytes()));
    }
    harness.store(&objects);
    let (root, tip) = (ids[0], ids[9_999]);
    harness.set_ref(&"refs/heads/master".parse().unwrap(), Some(*tip.object_id()));
    let newest_first: Vec<_> = ids.iter().rev().copied().collect();
    assert_eq!(repo.walk(&Walk::from(tip).first_parent()).unwrap(), newest_first);
    assert_eq!(repo.walk(&Walk::from(tip)).unwrap(), newest_first);
    assert_eq!(repo.walk(&Walk::from(tip).hiding(ids[9_997])).unwrap(), newest_first[..2]);
    assert!(repo.is_ancestor(&root, &tip).unwrap());
    assert!(!repo.is_ancestor(&tip, &root).unwrap());
    assert_eq!(repo.merge_base(&ids[5_000], &tip).unwrap(), Some(ids[5_000]));
}

/// Histories hold commits with further headers and with text that isn't UTF-8.
pub fn odd_commits_of_old_are_read(harness: &impl StoresRawObjects) {
    let repo = harness.repo();
    let tree = tree(repo, None, &[("f", "x")]);
    let text = format!(
        "tree {tree}\nauthor A B <a@b> 12 -0130\ncommitter C <c@d> 34 +0200\nencoding ISO-8859-1\ngpgsig x\n y\n\ncaf\u{1} subject\n\nbody"
    );
    let bytes: Vec<u8> = text.bytes().map(|byte| if byte == 1 { 0xe9 } else { byte }).collect();
    harness.store(&[(ObjectKind::Commit, bytes.clone())]);
    let id = CommitId::new(ObjectKind::Commit.id_of(repo.object_format(), &bytes));
    let read = repo.commit(&id).unwrap();
    assert_eq!((read.author.as_str(), read.committed_at), ("A B <a@b>", Timestamp::from_millis(34_000)));
    assert_eq!(read.message, "caf\u{fffd} subject\n\nbody");
}

/// Names that would escape the tree or take over a checkout are shown as they are, and an edit beside them leaves them.
pub fn hostile_names_are_listed_and_never_touched(harness: &impl StoresRawObjects) {
    let repo = harness.repo();
    let blob = *repo.write_blob(b"../../etc/passwd").unwrap().object_id();
    let inner = *tree(repo, None, &[("config", "x")]).object_id();
    let entry =
        |name: &[u8], kind| TreeEntry::new(name, kind, if kind == EntryKind::Tree { inner } else { blob });
    let hostile = [
        entry(b".", EntryKind::File),
        entry(b"..", EntryKind::Tree),
        entry(b".git", EntryKind::Tree),
        entry(b".gitmodules", EntryKind::Symlink),
        entry(b"a\nb", EntryKind::File),
        entry(b"escape", EntryKind::Symlink),
        entry(b"\xff\xfe", EntryKind::File),
    ];
    let content = encode_tree(&hostile);
    harness.store(&[(ObjectKind::Tree, content.clone())]);
    let tree = TreeId::new(ObjectKind::Tree.id_of(repo.object_format(), &content));
    assert_eq!(repo.list(&tree).unwrap(), hostile);
    let paths: Vec<_> = repo.diff(None, &tree).unwrap().into_iter().map(|change| change.path).collect();
    assert!(paths.contains(&b"../config".to_vec()) && paths.contains(&b"a\nb".to_vec()), "{paths:?}");
    assert_eq!(paths.len(), hostile.len());
    let edited = repo.edit_tree(Some(&tree), &[file(repo, "safe", "s")]).unwrap();
    let kept = repo.list(&edited).unwrap();
    assert!(hostile.iter().all(|entry| kept.contains(entry)), "{kept:?}");
    assert_eq!(kept.len(), hostile.len() + 1);
}

/// What has the kind of a tree and isn't one can't be read.
pub fn what_is_no_tree_is_corrupt(harness: &impl StoresRawObjects) {
    let repo = harness.repo();
    for content in [&b"garbage"[..], b"100644 name\0tooshort", b"9 x\0", b"100644 no-end"] {
        harness.store(&[(ObjectKind::Tree, content.to_vec())]);
        let tree = TreeId::new(ObjectKind::Tree.id_of(repo.object_format(), content));
        assert_eq!(repo.list(&tree).unwrap_err().kind(), ErrorKind::Corrupt, "{content:?}");
        assert_eq!(repo.diff(None, &tree).unwrap_err().kind(), ErrorKind::Corrupt);
        let edit = TreeEdit::remove("f".parse().unwrap());
        assert_eq!(repo.edit_tree(Some(&tree), &[edit]).unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

/// Ten thousand directories in each other fit on a stack of a quarter of what threads have.
pub fn the_deepest_trees_need_no_more_stack<H: StoresRawObjects>(harness: &H) {
    let repo = harness.repo();
    let format = repo.object_format();
    let (mut objects, mut below) = (Vec::new(), *repo.write_blob(b"x").unwrap().object_id());
    for level in 0..10_000 {
        let kind = if level == 0 { EntryKind::File } else { EntryKind::Tree };
        let content = encode_tree(&[TreeEntry::new(*b"d", kind, below)]);
        below = ObjectKind::Tree.id_of(format, &content);
        objects.push((ObjectKind::Tree, content));
    }
    harness.store(&objects);
    let deepest = TreeId::new(below);
    let on_little_stack = |work: &(dyn Fn() + Sync)| {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(512 << 10).spawn_scoped(scope, work);
            thread.expect("a thread").join().expect("enough stack");
        });
    };
    on_little_stack(&|| {
        let changes = repo.diff(None, &deepest).unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].path.len(), 2 * 10_000 - 1);
    });
    // The deepest path there can be: 4,096 bytes.
    on_little_stack(&|| {
        let path: cfgupdater_core::RepoPath = vec!["d"; 2_048].join("/").parse().unwrap();
        assert_eq!(repo.entry(&deepest, &path).unwrap().map(|entry| entry.kind), Some(EntryKind::Tree));
        let blob: ObjectId = *repo.write_blob(b"y").unwrap().object_id();
        let put = |base| repo.edit_tree(base, &[TreeEdit::put(path.clone(), EntryKind::File, blob)]).unwrap();
        let (cut, made) = (put(Some(&deepest)), put(None));
        assert_eq!(cut, made, "all above holds nothing else");
        assert!(
            repo.list(&repo.edit_tree(Some(&cut), &[TreeEdit::remove(path.clone())]).unwrap())
                .unwrap()
                .is_empty()
        );
    });
}
