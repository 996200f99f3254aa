use cfgupdater_core::{ObjectFormat, TreeEdit};
use cfgupdater_testkit::memory::git::{MemoryRepo, ObjectKind, encode_tree};

use super::*;

/// Everything below `generated`, and one file in each application's directory, which holds sources too.
fn generated() -> PathSet {
    PathSet::new(["generated/**", "apps/*/made.yml"].map(|pattern| pattern.parse().unwrap()).into())
}

fn tree(repo: &MemoryRepo, files: &[(&str, &str)]) -> TreeId {
    let edit = |(path, content): &(&str, &str)| {
        TreeEdit::file(path.parse().unwrap(), repo.write_blob(content.as_bytes()).unwrap())
    };
    repo.edit_tree(None, &files.iter().map(edit).collect::<Vec<_>>()).unwrap()
}

/// Tells whether two trees are equal apart from generated paths, and that both ways of finding out agree.
fn alike(repo: &MemoryRepo, one: TreeId, other: TreeId) -> bool {
    let is_same = same(repo, &one, &other, &generated()).unwrap();
    assert_eq!(is_same, same(repo, &other, &one, &generated()).unwrap());
    let [one, other] = [one, other].map(|tree| fingerprint(repo, &tree, &generated()).unwrap());
    assert_eq!(is_same, one == other);
    is_same
}

#[test]
fn generated_paths_count_for_nothing_and_all_others_do() {
    let repo = MemoryRepo::new(ObjectFormat::Sha1);
    let base =
        [("Makefile", "all:"), ("apps/web/source", "1"), ("apps/web/made.yml", "old"), ("generated/a", "1")];
    let one = tree(&repo, &base);
    let with = |change: &[(&str, &str)]| tree(&repo, &[&base[..], change].concat());
    for generated in [
        ("apps/web/made.yml", "new"),
        ("generated/a", "2"),
        ("generated/b/c", "3"),
        ("apps/new/made.yml", "4"),
    ] {
        assert!(alike(&repo, one, with(&[generated])), "{generated:?}");
    }
    for input in [
        ("Makefile", "none:"),
        ("apps/web/source", "2"),
        ("apps/web/deep/made.yml", "new"),
        ("apps/made.yml", "new"),
        ("new", ""),
        ("generate", "not below it"),
    ] {
        assert!(!alike(&repo, one, with(&[input])), "{input:?}");
    }
    assert!(alike(&repo, one, tree(&repo, &base[..2])), "without any generated file");
    assert!(!alike(&repo, one, tree(&repo, &base[2..])), "without any other");
}

#[test]
fn the_same_names_in_other_places_are_something_else() {
    let repo = MemoryRepo::new(ObjectFormat::Sha1);
    let one = tree(&repo, &[("apps/a/x", "1"), ("apps/b/y", "2")]);
    for moved in [
        [("apps/a/y", "2"), ("apps/b/x", "1")],
        [("apps/a/b/y", "2"), ("apps/a/x", "1")],
        [("apps/ax", "1"), ("apps/b/y", "2")],
    ] {
        assert!(!alike(&repo, one, tree(&repo, &moved)), "{moved:?}");
    }
}

#[test]
fn a_mode_counts_and_so_does_a_name_that_is_no_text() {
    let repo = MemoryRepo::new(ObjectFormat::Sha1);
    let blob = *repo.write_blob(b"x").unwrap().object_id();
    let named = |name: &[u8], kind| {
        TreeId::new(repo.write_raw(ObjectKind::Tree, &encode_tree(&[TreeEntry::new(name, kind, blob)])))
    };
    let file = |name| named(name, EntryKind::File);
    assert!(!alike(&repo, file(b"run"), named(b"run", EntryKind::Executable)));
    assert!(!alike(&repo, file(b"\xff"), file(b"\xfe")));
    assert!(!alike(&repo, file(b"\xff\xfe"), file("\u{fffd}\u{fffd}".as_bytes())));
    assert!(alike(&repo, file(b"\xff"), file(b"\xff")));
}

#[test]
fn whether_there_is_any_generated_file_is_found_in_mixed_directories_too() {
    let repo = MemoryRepo::new(ObjectFormat::Sha1);
    for (files, expected) in [
        (&[("generated/a", "1")][..], true),
        (&[("apps/web/made.yml", "1"), ("apps/web/source", "1")], true),
        (&[("apps/web/source", "1"), ("Makefile", "1")], false),
    ] {
        assert_eq!(holds_generated(&repo, &tree(&repo, files), &generated()).unwrap(), expected, "{files:?}");
    }
}
