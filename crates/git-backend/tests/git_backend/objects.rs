//! Single objects, and the packs that other processes bring.

use cfgupdater_core::{EntryKind, ErrorKind, GitRepo, NewCommit, ObjectFormat, Timestamp, TreeEdit};
use cfgupdater_git_backend::GixRepo;

use crate::support::{Scratch, assert_sound, commit, commit_tree, git, git_fed, name, set_ref, tree};

#[test]
fn git_reads_what_was_written_byte_for_byte() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let blob = repo.write_blob(b"\0binary\xff\n").unwrap();
    assert_eq!(repo.blob(&blob).unwrap(), b"\0binary\xff\n");
    assert_eq!(git(repo.path(), &["cat-file", "-s", &blob.to_string()]).trim(), "9");

    let tree = repo.edit_tree(None, &[TreeEdit::file("d/f".parse().unwrap(), blob)]).unwrap();
    let date = Timestamp::from_millis(1_700_000_000_999);
    let message = "subject\n\nbody \u{fc}\n\nAutocommit-Kind: introduce";
    let id = repo
        .write_commit(&NewCommit::new(tree, vec![], ("B\u{f6}t", "b@example.org"), date, message.into()))
        .unwrap();
    let raw = git(repo.path(), &["cat-file", "commit", &id.to_string()]);
    let who = "B\u{f6}t <b@example.org> 1700000000 +0000";
    assert_eq!(raw, format!("tree {tree}\nauthor {who}\ncommitter {who}\n\n{message}"));
    assert_sound(repo.path());

    let read = repo.commit(&id).unwrap();
    assert_eq!(
        (read.tree, read.message.as_str(), read.author.as_str()),
        (tree, message, "B\u{f6}t <b@example.org>")
    );
    assert_eq!(read.committed_at, date.floor_to_seconds());
}

#[test]
fn equal_commits_have_equal_ids() {
    let scratch = Scratch::new();
    let (one, other) = (scratch.repo("a.git"), scratch.repo("b.git"));
    assert_eq!(commit(&one, &[], &[("f", "x")], 7), commit(&other, &[], &[("f", "x")], 7));
}

#[test]
fn a_sha256_repository_works_alike() {
    let scratch = Scratch::new();
    let repo = GixRepo::open(&scratch.init("a.git", "sha256")).unwrap();
    assert_eq!(repo.object_format(), ObjectFormat::Sha256);
    let first = commit(&repo, &[], &[("a/b", "1"), ("c", "2")], 1);
    let second = commit(&repo, &[first], &[("a/b", "3")], 2);
    set_ref(repo.path(), "refs/heads/master", second);
    assert_sound(repo.path());
    git(repo.path(), &["repack", "-adq"]);
    let (old, new) = (repo.commit(&first).unwrap().tree, repo.commit(&second).unwrap().tree);
    assert_eq!(repo.diff(Some(&old), &new).unwrap().len(), 1);
    assert!(repo.is_ancestor(&first, &second).unwrap());
}

#[test]
fn what_is_absent_is_not_found_and_what_is_broken_is_corrupt() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let blob = repo.write_blob(b"x").unwrap();
    let absent = "1".repeat(40);
    assert_eq!(repo.commit(&absent.parse().unwrap()).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(repo.commit(&blob.to_string().parse().unwrap()).unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!repo.has_commit(&absent.parse().unwrap()).unwrap());
    assert!(!repo.has_commit(&blob.to_string().parse().unwrap()).unwrap());
    assert!(!repo.has_commit(&"1".repeat(64).parse().unwrap()).unwrap());
    let unrelated = commit(&repo, &[], &[("f", "x")], 1);
    assert_eq!(
        repo.is_ancestor(&absent.parse().unwrap(), &unrelated).unwrap_err().kind(),
        ErrorKind::NotFound
    );

    let (directory, file) = (blob.to_string()[..2].to_owned(), blob.to_string()[2..].to_owned());
    let path = repo.path().join("objects").join(directory).join(file);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "garbage").unwrap();
    assert_eq!(repo.blob(&blob).unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_directory_that_is_gone_is_corrupt() {
    let scratch = Scratch::new();
    assert_eq!(GixRepo::open(&scratch.path("none")).unwrap_err().kind(), ErrorKind::Corrupt);
    let repo = scratch.repo("a.git");
    std::fs::remove_dir_all(repo.path()).unwrap();
    assert_eq!(repo.resolve(&name("refs/heads/master")).unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(repo.write_blob(b"x").unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn references_resolve_exactly_and_tags_to_their_commits() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    assert_eq!(repo.resolve(&name("HEAD")).unwrap(), None, "an unborn branch");
    let id = commit(&repo, &[], &[("f", "x")], 1);
    set_ref(repo.path(), "refs/heads/master", id);
    set_ref(repo.path(), "refs/heads/refs/heads/auto", id);
    git(repo.path(), &["tag", "-a", "-m", "t", "v1", &id.to_string()]);
    assert_eq!(repo.resolve(&name("refs/heads/master")).unwrap(), Some(id));
    assert_eq!(repo.resolve(&name("HEAD")).unwrap(), Some(id));
    assert_eq!(repo.resolve(&name("refs/tags/v1")).unwrap(), Some(id));
    assert_eq!(repo.resolve(&name("refs/heads/auto")).unwrap(), None);
    git(repo.path(), &["pack-refs", "--all"]);
    assert_eq!(repo.resolve(&name("refs/heads/master")).unwrap(), Some(id));
}

#[test]
fn one_open_handle_finds_hundreds_of_packs_as_they_arrive() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let mut parent = String::new();
    for round in 0..300 {
        // One process, one new pack: what a fetch does to the object database.
        let script = format!(
            "commit refs/heads/master\ncommitter T <t@example.org> {round} +0000\ndata 0\n{parent}M 100644 inline f\ndata 3\n{round:03}\n"
        );
        let args = ["-c", "fastimport.unpackLimit=0", "fast-import", "--quiet", "--force"];
        git_fed(repo.path(), &[], &args, script.as_bytes());
        let id = repo.resolve(&name("refs/heads/master")).unwrap().unwrap();
        assert!(repo.has_commit(&id).unwrap(), "round {round}");
        let tree = repo.commit(&id).unwrap().tree;
        let entry = repo.entry(&tree, &"f".parse().unwrap()).unwrap().unwrap();
        let blob = cfgupdater_core::BlobId::new(entry.id);
        assert_eq!(repo.blob(&blob).unwrap(), format!("{round:03}").as_bytes());
        parent = format!("from {id}\n");
    }
    let packs = repo.path().join("objects/pack").read_dir().unwrap().count();
    assert!(packs >= 600, "expected a pack and an index a round, found {packs} files");
}

#[test]
fn a_repack_under_an_open_handle_loses_nothing() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let mut tips = Vec::new();
    for round in 0..20 {
        let parents: Vec<_> = tips.last().copied().into_iter().collect();
        tips.push(commit(&repo, &parents, &[("d/f", &round.to_string())], round));
        set_ref(repo.path(), "refs/heads/master", tips[tips.len() - 1]);
        git(repo.path(), &["repack", "-adq"]);
        assert!(tips.iter().all(|id| repo.has_commit(id).unwrap()), "round {round}");
    }
}

#[test]
fn threads_share_one_repository() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let repo = &repo;
            scope.spawn(move || {
                for round in 0..25 {
                    let id = commit(repo, &[], &[("f", &format!("{thread} {round}"))], round);
                    assert!(repo.has_commit(&id).unwrap());
                }
            });
        }
    });
    assert_sound(repo.path());
}

#[test]
fn a_name_git_would_misread_can_not_reach_a_header() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let tree = tree(&repo, None, &[("f", "x")]);
    let new =
        NewCommit::new(tree, vec![], ("A\nparent x", "a@example.org"), Timestamp::default(), String::new());
    assert_eq!(repo.write_commit(&new).unwrap_err().kind(), ErrorKind::Invalid);
    assert_sound(repo.path());
}

#[test]
fn kinds_are_gits_modes() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let blob = *repo.write_blob(b"target").unwrap().object_id();
    let inner = commit(&repo, &[], &[("f", "x")], 1);
    let kinds = [
        ("e", EntryKind::Executable, blob),
        ("l", EntryKind::Symlink, blob),
        ("s", EntryKind::Submodule, *inner.object_id()),
        ("t", EntryKind::Tree, *repo.commit(&inner).unwrap().tree.object_id()),
    ];
    let edits: Vec<_> =
        kinds.iter().map(|(path, kind, id)| TreeEdit::put(path.parse().unwrap(), *kind, *id)).collect();
    let tree = repo.edit_tree(None, &edits).unwrap();
    let listed: Vec<_> = repo.list(&tree).unwrap().into_iter().map(|entry| (entry.kind, entry.id)).collect();
    assert_eq!(listed, kinds.map(|(_, kind, id)| (kind, id)));
    let modes: Vec<_> =
        git(repo.path(), &["ls-tree", &tree.to_string()]).lines().map(|line| line[..6].to_owned()).collect();
    assert_eq!(modes, ["100755", "120000", "160000", "040000"]);
    commit_tree(&repo, &[], tree, 2);
    assert_sound(repo.path());
}
