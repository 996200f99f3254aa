//! Single objects and references.

use cfgupdater_core::{
    BlobId, CommitId, ErrorKind, NewCommit, ObjectFormat, RefName, Timestamp, TreeEdit, TreeId,
};

use super::{GitRepoHarness, commit, tree};
use crate::memory::git::ObjectKind;

/// A blob's id is git's, and its bytes come back as they were.
pub fn blobs_are_named_as_git_names_them(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    for content in [&b""[..], b"hello\n", b"\0binary\xff", &b"long ".repeat(100_000)] {
        let id = repo.write_blob(content).unwrap();
        assert_eq!(*id.object_id(), ObjectKind::Blob.id_of(repo.object_format(), content));
        assert_eq!(repo.blob(&id).unwrap(), content);
        assert_eq!(repo.write_blob(content).unwrap(), id, "written twice");
    }
}

/// A commit has exactly the bytes that git would write, so equal commits have equal ids everywhere.
pub fn commits_are_written_byte_for_byte(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let tree = tree(repo, None, &[("d/f", "x")]);
    let first = commit(repo, &[], &[("f", "1")], 1);
    let other = commit(repo, &[], &[("f", "2")], 2);
    let date = Timestamp::from_millis(1_700_000_000_999);
    let message = "subject\n\nbody \u{fc}\n\nAutocommit-Kind: introduce";
    let new =
        NewCommit::new(tree, vec![first, other], ("B\u{f6}t", "b@example.org"), date, message.to_owned());
    let id = repo.write_commit(&new).unwrap();
    let who = "B\u{f6}t <b@example.org> 1700000000 +0000";
    let bytes =
        format!("tree {tree}\nparent {first}\nparent {other}\nauthor {who}\ncommitter {who}\n\n{message}");
    assert_eq!(*id.object_id(), ObjectKind::Commit.id_of(repo.object_format(), bytes.as_bytes()));
    let read = repo.commit(&id).unwrap();
    assert_eq!((read.id, read.tree, read.parents), (id, tree, vec![first, other]));
    assert_eq!((read.author.as_str(), read.message.as_str()), ("B\u{f6}t <b@example.org>", message));
    assert_eq!(read.committed_at, date.floor_to_seconds());
}

/// A signature stands in the header, indented, and changes nothing else of what is read.
pub fn a_signature_is_a_header_of_its_commit(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let tree = tree(repo, None, &[("f", "x")]);
    let who = "A <a@example.org> 7 +0000";
    let new =
        NewCommit::new(tree, vec![], ("A", "a@example.org"), Timestamp::from_millis(7000), "m\n".to_owned());
    let header = match repo.object_format() {
        ObjectFormat::Sha256 => "gpgsig-sha256",
        ObjectFormat::Sha1 => "gpgsig",
    };
    let signature = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----";
    let indented = signature.replace('\n', "\n ");
    let bytes = format!("tree {tree}\nauthor {who}\ncommitter {who}\n{header} {indented}\n\nm\n");
    let id = repo.write_commit(&new.clone().with_signature(signature)).unwrap();
    assert_eq!(*id.object_id(), ObjectKind::Commit.id_of(repo.object_format(), bytes.as_bytes()));
    let (signed, plain) =
        (repo.commit(&id).unwrap(), repo.commit(&repo.write_commit(&new).unwrap()).unwrap());
    assert_eq!((signed.tree, signed.author, signed.message), (plain.tree, plain.author, plain.message));
    let broken = new.with_signature("x\r\0");
    assert_eq!(repo.write_commit(&broken).unwrap_err().kind(), ErrorKind::Invalid);
}

/// Nothing in a name or message can add a line to a commit's header, and git has no dates before 1970.
pub fn what_breaks_a_header_is_refused(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let tree = tree(repo, None, &[("f", "x")]);
    let epoch = Timestamp::default();
    for (name, email, date, message) in [
        ("A\nparent x", "a@example.org", epoch, "m"),
        ("A", "a@example.org> 1 +0000\nx <", epoch, "m"),
        ("", "a@example.org", epoch, "m"),
        ("A", "a@example.org", epoch, "m\0"),
        ("A", "a@example.org", Timestamp::from_millis(-5000), "m"),
    ] {
        let new = NewCommit::new(tree, vec![], (name, email), date, message.to_owned());
        assert_eq!(repo.write_commit(&new).unwrap_err().kind(), ErrorKind::Invalid, "{new:?}");
    }
}

/// What isn't there is not found, and an object of another kind isn't there either.
pub fn what_is_absent_is_not_found(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let here = commit(repo, &[], &[("f", "x")], 1);
    let blob = *repo.write_blob(b"x").unwrap().object_id();
    let absent = ObjectKind::Blob.id_of(repo.object_format(), b"nowhere");
    for id in [absent, blob] {
        let (id, tree) = (CommitId::new(id), TreeId::new(id));
        assert_eq!(repo.commit(&id).unwrap_err().kind(), ErrorKind::NotFound);
        assert!(!repo.has_commit(&id).unwrap());
        assert_eq!(repo.list(&tree).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(repo.diff(None, &tree).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(repo.entry(&tree, &"f".parse().unwrap()).unwrap_err().kind(), ErrorKind::NotFound);
    }
    assert!(repo.has_commit(&here).unwrap());
    let absent_commit = CommitId::new(absent);
    assert_eq!(repo.is_ancestor(&absent_commit, &here).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(repo.is_ancestor(&here, &absent_commit).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(repo.merge_base(&here, &absent_commit).unwrap_err().kind(), ErrorKind::NotFound);
    let walk = cfgupdater_core::Walk::from(absent_commit);
    assert_eq!(repo.walk(&walk).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(repo.blob(&BlobId::new(absent)).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(repo.blob(&BlobId::new(*here.object_id())).unwrap_err().kind(), ErrorKind::NotFound);
}

/// An id of the other hash function names nothing here.
pub fn ids_of_the_other_format_are_not_here(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let other = match repo.object_format() {
        ObjectFormat::Sha1 => ObjectFormat::Sha256,
        ObjectFormat::Sha256 => ObjectFormat::Sha1,
    };
    let id = ObjectKind::Blob.id_of(other, b"x");
    assert!(!repo.has_commit(&CommitId::new(id)).unwrap());
    assert_eq!(repo.commit(&CommitId::new(id)).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(repo.blob(&BlobId::new(id)).unwrap_err().kind(), ErrorKind::NotFound);
    let put = TreeEdit::file("f".parse().unwrap(), BlobId::new(id));
    assert_eq!(repo.edit_tree(None, &[put]).unwrap_err().kind(), ErrorKind::NotFound);
}

/// A name resolves to its own reference only, never to one that merely ends alike.
pub fn references_resolve_exactly(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let name = |text: &str| text.parse::<RefName>().unwrap();
    assert_eq!(repo.resolve(&name("HEAD")).unwrap(), None, "an unborn branch");
    let (id, next) = (commit(repo, &[], &[("f", "x")], 1), commit(repo, &[], &[("f", "y")], 2));
    harness.set_ref(&name("refs/heads/master"), Some(*id.object_id()));
    harness.set_ref(&name("refs/heads/refs/heads/auto"), Some(*id.object_id()));
    assert_eq!(repo.resolve(&name("refs/heads/master")).unwrap(), Some(id));
    assert_eq!(repo.resolve(&name("HEAD")).unwrap(), Some(id));
    assert_eq!(repo.resolve(&name("refs/heads/auto")).unwrap(), None);
    assert_eq!(repo.resolve(&name("refs/heads/refs/heads")).unwrap(), None);
    harness.set_ref(&name("refs/heads/master"), Some(*next.object_id()));
    assert_eq!(repo.resolve(&name("refs/heads/master")).unwrap(), Some(next), "moved by somebody else");
    harness.set_ref(&name("refs/heads/master"), None);
    assert_eq!(repo.resolve(&name("refs/heads/master")).unwrap(), None);
}

/// Calls may be made from several threads.
pub fn threads_share_one_repository(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for round in 0..10 {
                    let id = commit(repo, &[], &[("f", &format!("{thread} {round}"))], round);
                    assert!(repo.has_commit(&id).unwrap());
                }
            });
        }
    });
}
