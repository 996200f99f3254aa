//! What a command changes is taken back where it is generated, and nowhere else.

use cfgupdater_core::{GitRepo, RenderFailureKind, TreeEdit};

use crate::support::{Site, render};

/// Copies every file of `sources` into `generated`, and removes what has no source.
const COPY: &str = "
mkdir -p generated
for file in generated/*; do [ -e sources/${file#generated/} ] || rm -f $file; done
for file in sources/*; do sed s/x/y/ $file > generated/${file#sources/}; done
";

#[tokio::test]
async fn files_that_are_made_changed_and_removed_are_taken_back() {
    let site = Site::new();
    let renderer = site.renderer(|_| ());
    let tree = site.tree(&[
        ("render.sh", COPY),
        ("sources/a", "x1"),
        ("sources/b", "x2"),
        ("generated/b", "old"),
        ("generated/c", "gone"),
        ("README", "kept"),
    ]);
    let rendered = render(&renderer, tree).await.unwrap();
    assert_eq!(rendered.findings, Vec::<String>::new());
    let result = site.repo.edit_tree(Some(&tree), &rendered.edits).unwrap();
    let files = site.files(&result);
    assert_eq!(files["generated/a"], "y1");
    assert_eq!(files["generated/b"], "y2");
    assert!(!files.contains_key("generated/c") && files["README"] == "kept", "{files:?}");
    // Rendered again, nothing changes; and from another tree the directory is moved on.
    assert_eq!(render(&renderer, result).await.unwrap().edits, []);
    let next = site.edited(Some(&result), &[("sources/a", "x9")]);
    let rendered = render(&renderer, next).await.unwrap();
    let next = site.repo.edit_tree(Some(&next), &rendered.edits).unwrap();
    assert_eq!((rendered.edits.len(), site.files(&next)["generated/a"].as_str()), (1, "y9"));
}

#[tokio::test]
async fn only_what_differs_is_written_from_one_tree_to_the_next() {
    use std::os::unix::fs::MetadataExt;
    let site = Site::new();
    let renderer = site.renderer(|_| ());
    let one = site.tree(&[("render.sh", "true"), ("same", "1"), ("d/changes", "1"), ("e/goes", "1")]);
    render(&renderer, one).await.unwrap();
    let open = |path: &str| {
        let root = std::fs::read_dir(site.scratch().join("files")).unwrap().next().unwrap().unwrap().path();
        std::fs::File::open(root.join(path)).unwrap()
    };
    let inode = |file: &std::fs::File| file.metadata().unwrap().ino();
    // Held open: the number of a file that is gone may be given to the next one.
    let before = (open("same"), open("d/changes"));
    let other = site.tree(&[("render.sh", "true"), ("same", "1"), ("d/changes", "2"), ("e", "a file now")]);
    render(&renderer, other).await.unwrap();
    assert_eq!(inode(&open("same")), inode(&before.0));
    assert_ne!(inode(&open("d/changes")), inode(&before.1));
    assert_eq!(site.laid_out(), ["d/changes", "e", "render.sh", "same"]);
}

#[tokio::test]
async fn what_is_not_generated_is_undone_and_reported() {
    let site = Site::new();
    let renderer = site.renderer(|_| ());
    let script = "echo 1 > generated/a; echo new > stray; echo x >> README; rm d/kept; mkdir -p deep/er; echo > deep/er/x";
    let tree = site.tree(&[("render.sh", script), ("README", "r"), ("d/kept", "k"), ("generated/a", "0")]);
    let rendered = render(&renderer, tree).await.unwrap();
    assert_eq!(rendered.edits.len(), 1, "{rendered:?}");
    assert!(rendered.findings[0].contains("and 3 more, which was not taken"), "{rendered:?}");
    assert_eq!(site.laid_out(), ["README", "d/kept", "generated/a", "render.sh"]);
}

#[tokio::test]
async fn a_change_of_the_same_size_at_the_same_moment_is_seen() {
    let site = Site::new();
    let renderer = site.renderer(|_| ());
    let tree = site.tree(&[("render.sh", "echo 2 > generated/a"), ("generated/a", "1\n")]);
    for _ in 0..20 {
        let rendered = render(&renderer, tree).await.unwrap();
        assert_eq!(rendered.edits.len(), 1);
    }
}

#[tokio::test]
async fn executables_and_links_of_the_tree_stay_what_they_are() {
    let site = Site::new();
    let renderer = site.renderer(|_| ());
    let base = site.tree(&[("render.sh", "./tool > generated/a; cat link > generated/b"), ("d/f", "linked")]);
    let tool = site.repo.write_blob(b"#!/bin/sh\necho run\n").unwrap();
    let link = site.repo.write_blob(b"d/f").unwrap();
    let tree = site
        .repo
        .edit_tree(
            Some(&base),
            &[
                TreeEdit::put(
                    "tool".parse().unwrap(),
                    cfgupdater_core::EntryKind::Executable,
                    *tool.object_id(),
                ),
                TreeEdit::put(
                    "link".parse().unwrap(),
                    cfgupdater_core::EntryKind::Symlink,
                    *link.object_id(),
                ),
                TreeEdit::file("generated/z".parse().unwrap(), tool),
            ],
        )
        .unwrap();
    let rendered = render(&renderer, tree).await.unwrap();
    let result = site.repo.edit_tree(Some(&tree), &rendered.edits).unwrap();
    assert_eq!(site.files(&result)["generated/a"], "run\n");
    assert_eq!(site.files(&result)["generated/b"], "linked");
    assert_eq!((rendered.edits.len(), rendered.findings.len()), (2, 0));
}

#[tokio::test]
async fn a_failure_tells_the_command_its_status_and_the_end_of_its_output() {
    let site = Site::new();
    let renderer = site.renderer(|_| ());
    let tree = site.tree(&[("render.sh", "echo starting; echo 'line 3: no such field' >&2; exit 4")]);
    let failure = render(&renderer, tree).await.unwrap_err();
    assert_eq!(failure.kind, RenderFailureKind::Tree);
    for says in ["`sh render.sh regenerate` failed", "4", "line 3: no such field"] {
        assert!(failure.message.contains(says), "{failure}");
    }
    // The next tree is rendered as if nothing had been.
    let tree = site.tree(&[("render.sh", COPY), ("sources/a", "x")]);
    assert_eq!(render(&renderer, tree).await.unwrap().edits.len(), 1);
}

#[tokio::test]
async fn what_is_given_up_has_ended_before_the_next_one_begins() {
    let site = Site::new();
    let renderer = site.renderer(|_| ());
    let endless = "while :; do echo x >> generated/endless; done";
    let endless = site.tree(&[("render.sh", endless), ("generated/old", "0")]);
    let next = site.tree(&[("render.sh", "echo 1 > generated/old"), ("generated/old", "0")]);
    for _ in 0..3 {
        tokio::select! {
            ended = render(&renderer, endless) => panic!("{ended:?}"),
            () = begun(&site, "generated/endless") => {}
        }
        let edits = render(&renderer, next).await.unwrap().edits;
        assert_eq!(edits.len(), 1, "{edits:?}");
        assert_eq!(site.laid_out(), ["generated/old", "render.sh"]);
    }
}

/// Waits until a command has made a file.
async fn begun(site: &Site, file: &str) {
    let is_there = || {
        let directories = std::fs::read_dir(site.scratch().join("files")).ok()?;
        directories.flatten().find(|directory| directory.path().join(file).exists())
    };
    while is_there().is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
