//! The repository in memory passes the suite that real ones pass, and is stricter where git is lenient.

use cfgupdater_core::{
    CommitId, EntryKind, ErrorKind, GitRepo, NewCommit, ObjectFormat, ObjectId, RefName, Timestamp, TreeEdit,
};
use cfgupdater_testkit::conformance::git_repo::{CanBeDamaged, GitRepoHarness, StoresRawObjects};
use cfgupdater_testkit::git_repo_conformance;
use cfgupdater_testkit::memory::git::{MemoryRepo, ObjectKind};

struct Harness(MemoryRepo);

impl Harness {
    fn new(format: ObjectFormat) -> Self {
        Self(MemoryRepo::new(format))
    }
}

impl GitRepoHarness for Harness {
    fn repo(&self) -> &dyn GitRepo {
        &self.0
    }

    fn set_ref(&self, name: &RefName, to: Option<ObjectId>) {
        self.0.set_ref(name, to);
    }
}

impl StoresRawObjects for Harness {
    fn store(&self, objects: &[(ObjectKind, Vec<u8>)]) {
        for (kind, content) in objects {
            self.0.write_raw(*kind, content);
        }
    }
}

impl CanBeDamaged for Harness {
    fn damage(&self, id: &ObjectId) {
        self.0.damage(*id);
    }

    fn lose(&self, id: &ObjectId) {
        self.0.lose(id);
    }
}

git_repo_conformance!(sha1, Harness::new(ObjectFormat::Sha1), raw_objects, damage, deep_trees);
git_repo_conformance!(sha256, Harness::new(ObjectFormat::Sha256), raw_objects, damage, deep_trees);

#[test]
fn what_git_would_let_pass_fails() {
    let repo = MemoryRepo::new(ObjectFormat::Sha1);
    let absent = ObjectKind::Blob.id_of(ObjectFormat::Sha1, b"nowhere");
    let blob = repo.write_blob(b"x").unwrap();
    let put = |kind, id| repo.edit_tree(None, &[TreeEdit::put("f".parse().unwrap(), kind, id)]);
    assert_eq!(put(EntryKind::File, absent).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(put(EntryKind::Tree, *blob.object_id()).unwrap_err().kind(), ErrorKind::NotFound);

    let tree = put(EntryKind::File, *blob.object_id()).unwrap();
    let write = |parents: Vec<CommitId>, message: &str| {
        let who = ("T", "t@example.org");
        repo.write_commit(&NewCommit::new(tree, parents, who, Timestamp::default(), message.to_owned()))
    };
    let root = write(vec![], "root").unwrap();
    assert_eq!(write(vec![CommitId::new(absent)], "m").unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(write(vec![root, root], "m").unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(write(vec![root], "\n").unwrap_err().kind(), ErrorKind::Invalid);
}
