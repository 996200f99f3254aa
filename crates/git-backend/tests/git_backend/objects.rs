//! What the suite doesn't ask: directories that vanish, and files that only save time.

use cfgupdater_core::{EntryKind, ErrorKind, GitRepo, TreeEntry, TreeId, Walk};
use cfgupdater_git_backend::{Engine, LocalRepo};

use cfgupdater_testkit::memory::git::encode_tree;

use crate::support::{Scratch, commit, git, name, run, set_ref};

const ENGINES: [Engine; 2] = [Engine::Gix, Engine::Libgit2];

#[test]
fn a_directory_that_is_gone_is_corrupt() {
    for engine in ENGINES {
        let scratch = Scratch::new();
        assert_eq!(LocalRepo::open(&scratch.path("none"), engine).unwrap_err().kind(), ErrorKind::Corrupt);
        let repo = LocalRepo::open(&scratch.init("a.git", "sha1"), engine).unwrap();
        std::fs::remove_dir_all(repo.path()).unwrap();
        let repo = repo.objects();
        assert_eq!(repo.resolve(&name("refs/heads/master")).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(repo.write_blob(b"x").unwrap_err().kind(), ErrorKind::Corrupt);
    }
}

#[test]
fn a_reference_to_nothing_is_corrupt() {
    for engine in ENGINES {
        let scratch = Scratch::new();
        let repo = LocalRepo::open(&scratch.init("a.git", "sha1"), engine).unwrap();
        std::fs::write(repo.path().join("refs/heads/master"), format!("{}\n", "1".repeat(40))).unwrap();
        let error = repo.objects().resolve(&name("refs/heads/master")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
}

#[test]
fn packed_references_and_a_commit_graph_change_nothing() {
    for engine in ENGINES {
        let scratch = Scratch::new();
        let local = LocalRepo::open(&scratch.init("a.git", "sha1"), engine).unwrap();
        let repo: &dyn GitRepo = local.objects();
        // Dates run backwards, which a commit-graph knows and the commits don't.
        let root = commit(repo, &[], &[("f", "0")], 10);
        let one = commit(repo, &[root], &[("f", "1")], 9);
        let other = commit(repo, &[root], &[("f", "2")], 8);
        let merge = commit(repo, &[one, other], &[("f", "3")], 7);
        let tip = commit(repo, &[merge], &[("f", "4")], 6);
        set_ref(local.path(), "refs/heads/master", merge);
        let walk = Walk::from(tip).hiding(one);
        let before = repo.walk(&walk).unwrap();
        assert_eq!(before, [tip, merge, other]);
        git(local.path(), &["pack-refs", "--all"]);
        git(local.path(), &["commit-graph", "write", "--reachable", "--no-progress"]);
        assert_eq!(repo.walk(&walk).unwrap(), before);
        assert_eq!(repo.resolve(&name("refs/heads/master")).unwrap(), Some(merge));
        assert!(repo.is_ancestor(&other, &tip).unwrap());
        assert!(!repo.is_ancestor(&other, &one).unwrap());
    }
}

#[test]
fn a_tree_that_multiplies_itself_is_refused_before_it_fills_the_memory() {
    let scratch = Scratch::new();
    let path = scratch.init("a.git", "sha1");
    let leaf = LocalRepo::open(&path, Engine::Gix).unwrap().objects().write_blob(b"x").unwrap();
    let mut below = (EntryKind::File, *leaf.object_id());
    for _ in 0..8 {
        let names: Vec<String> = (0..10).map(|n| format!("n{n}")).collect();
        let entries: Vec<TreeEntry> =
            names.iter().map(|name| TreeEntry::new(name.as_bytes(), below.0, below.1)).collect();
        let args = ["hash-object", "-w", "--literally", "-t", "tree", "--stdin"];
        let tree: TreeId = run(&path, &[], &args, &encode_tree(&entries)).text().trim().parse().unwrap();
        below = (EntryKind::Tree, *tree.object_id());
    }
    for engine in ENGINES {
        let repo = LocalRepo::open(&path, engine).unwrap();
        let error = repo.objects().diff(None, &TreeId::new(below.1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
}
