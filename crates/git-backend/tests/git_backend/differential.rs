//! Random chains, texts and messages, judged by git. `CFGUPDATER_CONFORMANCE_CASES` raises their number, and a seed that
//! fails is printed.

use std::path::Path;

use cfgupdater_core::{CommitId, EntryKind, GitRepo, TreeEdit, TreeEntry, TreeId};
use cfgupdater_git_backend::{CarryOutcome, Engine, LocalRepo, carry};
use cfgupdater_testkit::conformance::seeds::each_seed;
use cfgupdater_testkit::memory::git::encode_tree;
use fastrand::Rng;

use crate::cli_repo::CliRepo;
use crate::support::{Ran, Scratch, assert_sound, commit, commit_tree, git, run, set_ref, try_git};

/// One repository, opened three times.
struct Judged {
    scratch: Scratch,
    gix: LocalRepo,
    libgit2: LocalRepo,
    cli: CliRepo,
}

impl Judged {
    fn new() -> Self {
        let scratch = Scratch::new();
        let path = scratch.init("a.git", "sha1");
        let open = |engine| LocalRepo::open(&path, engine).unwrap();
        Self { gix: open(Engine::Gix), libgit2: open(Engine::Libgit2), cli: CliRepo::open(&path), scratch }
    }

    fn path(&self) -> &Path {
        self.gix.path()
    }

    fn repos(&self) -> [&dyn GitRepo; 3] {
        [self.gix.objects(), self.libgit2.objects(), &self.cli]
    }

    /// Carries one commit on all three, which must agree.
    fn carry(&self, commit: CommitId, onto: CommitId) -> CarryOutcome {
        let [gix, libgit2, cli] = self.repos().map(|repo| carry(repo, &commit, &onto, &|_| false).unwrap());
        assert_eq!(gix, libgit2);
        assert_eq!(gix, cli);
        gix
    }
}

const FILES: [&str; 4] = ["a", "d/b", "d/e/c", "z"];

/// A text of distinct lines.
fn text(rng: &mut Rng, file: &str) -> String {
    (0..rng.usize(1..30)).map(|line| format!("{file} {line}\n")).collect()
}

/// Changes, adds and removes a few lines of a text.
fn changed(rng: &mut Rng, text: &str, by: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for edit in 0..rng.usize(1..4) {
        let new = format!("{by} {edit}");
        let at = rng.usize(..=lines.len());
        match rng.u8(..3) {
            0 => lines.insert(at, new),
            1 if at < lines.len() => lines[at] = new,
            _ if at < lines.len() => drop(lines.remove(at)),
            _ => lines.push(new),
        }
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Commits one random change on top of `parent`.
fn change(rng: &mut Rng, repo: &dyn GitRepo, parent: CommitId, by: &str) -> CommitId {
    let base = repo.commit(&parent).unwrap().tree;
    let path: cfgupdater_core::RepoPath = FILES[rng.usize(..FILES.len())].parse().unwrap();
    let old = repo.entry(&base, &path).unwrap();
    let edit = match old {
        Some(_) if rng.u8(..8) == 0 => TreeEdit::remove(path),
        Some(old) => {
            let content = repo.blob(&cfgupdater_core::BlobId::new(old.id)).unwrap();
            let content = changed(rng, &String::from_utf8(content).unwrap(), by);
            TreeEdit::file(path, repo.write_blob(content.as_bytes()).unwrap())
        }
        None => TreeEdit::file(path, repo.write_blob(text(rng, by).as_bytes()).unwrap()),
    };
    let tree = repo.edit_tree(Some(&base), &[edit]).unwrap();
    commit_tree(repo, &[parent], tree, rng.i64(1..1_000_000))
}

/// Re-applies a chain, one commit after the other; `None` where one conflicts.
fn reapplied(judged: &Judged, chain: &[CommitId], onto: CommitId) -> Option<Vec<TreeId>> {
    let (mut trees, mut tip) = (Vec::new(), onto);
    for (at, link) in chain.iter().enumerate() {
        let CarryOutcome::Carried { tree } = judged.carry(*link, tip) else { return None };
        tip = commit_tree(judged.gix.objects(), &[tip], tree, i64::try_from(at).unwrap());
        trees.push(tree);
    }
    Some(trees)
}

/// Lists the trees of a range, oldest first.
fn trees(repository: &Path, range: &str) -> Vec<TreeId> {
    let listed = git(repository, &["log", "--reverse", "--topo-order", "--format=%T", range]);
    listed.lines().map(|line| line.parse().unwrap()).collect()
}

const NO_RENAMES: [&str; 4] = ["-c", "merge.renames=false", "-c", "merge.directoryRenames=false"];

fn rebased(judged: &Judged, root: CommitId, tip: CommitId, onto: CommitId) -> Option<Vec<TreeId>> {
    let worktree = judged.scratch.path("worktree");
    let _ = std::fs::remove_dir_all(&worktree);
    git(judged.path(), &["worktree", "prune"]);
    git(judged.path(), &["worktree", "add", "-q", "--detach", worktree.to_str().unwrap(), &tip.to_string()]);
    let (root, onto) = (root.to_string(), onto.to_string());
    let rebase = ["rebase", "-q", "--empty=keep", "--onto", &onto, &root];
    let (succeeded, _) = try_git(&worktree, &[&NO_RENAMES[..], &rebase].concat());
    succeeded.then(|| trees(&worktree, &format!("{onto}..HEAD")))
}

/// Asks `git replay`; the outer `None` says that this git doesn't have it.
#[expect(clippy::option_option, reason = "not asked and a conflict are two answers")]
fn replayed(judged: &Judged, root: CommitId, tip: CommitId, onto: CommitId) -> Option<Option<Vec<TreeId>>> {
    set_ref(judged.path(), "refs/heads/chain", tip);
    let (onto, range) = (onto.to_string(), format!("{root}..chain"));
    let replay = run(judged.path(), &[], &["replay", "--onto", &onto, &range], b"");
    if !replay.succeeded
        && !try_git(judged.path(), &["replay", "--onto", &onto, &format!("{root}..{root}")]).0
    {
        return None;
    }
    let new = replay.text().split(' ').nth(2).map(str::to_owned);
    Some(new.filter(|_| replay.succeeded).map(|new| trees(judged.path(), &format!("{onto}..{new}"))))
}

#[test]
fn chains_are_reapplied_as_git_rebases_and_replays_them() {
    each_seed(10, |rng| {
        let judged = Judged::new();
        let repo = judged.gix.objects();
        let texts: Vec<String> = FILES.iter().map(|file| text(rng, file)).collect();
        let files: Vec<(&str, &str)> = FILES.iter().copied().zip(texts.iter().map(String::as_str)).collect();
        let root = commit(repo, &[], &files, 1);
        let mut onto = root;
        for _ in 0..rng.usize(1..3) {
            onto = change(rng, repo, onto, "theirs");
        }
        let mut chain: Vec<CommitId> = Vec::new();
        for link in 0..rng.usize(1..5) {
            let parent = chain.last().copied().unwrap_or(root);
            chain.push(change(rng, repo, parent, &format!("ours {link}")));
        }
        let tip = chain[chain.len() - 1];
        let ours = reapplied(&judged, &chain, onto);
        let by_rebase = rebased(&judged, root, tip, onto);
        assert_eq!(ours, by_rebase, "git rebase");
        // It gives up on a conflict as we do, and finds renames that it can't be told to overlook.
        if let (Some(Some(by_replay)), Some(ours)) = (replayed(&judged, root, tip, onto), &ours) {
            assert_eq!(ours, &by_replay, "git replay");
        }
        assert_sound(judged.path());
    });
}

#[test]
fn texts_are_merged_as_git_merges_them() {
    each_seed(40, |rng| {
        let judged = Judged::new();
        let repo = judged.gix.objects();
        let base = text(rng, "line");
        let (ours, theirs) = (changed(rng, &base, "ours"), changed(rng, &base, "theirs"));
        let root = commit(repo, &[], &[("f", &base)], 1);
        let [onto, carried] = [&ours, &theirs].map(|text| commit(repo, &[root], &[("f", text)], 2));
        let (by_git, told) = merged_by_git(&judged, &base, &ours, &theirs);
        match judged.carry(carried, onto) {
            CarryOutcome::Carried { tree } => {
                assert!(by_git.succeeded, "git finds a conflict in {told}");
                assert_eq!(content(repo, &tree), by_git.text(), "{told}");
            }
            CarryOutcome::Conflict { .. } => assert!(!by_git.succeeded, "git finds no conflict in {told}"),
            other => panic!("{other:?}"),
        }
        assert_sound(judged.path());
    });
}

/// A text of few different lines, which may end in CRLF or without a line feed.
fn repetitive(rng: &mut Rng) -> String {
    let end = if rng.bool() { "\r\n" } else { "\n" };
    let lines = (0..rng.usize(2..14)).map(|_| format!("{}{end}", ["x", "y", ""][rng.usize(..3)]));
    lines.collect()
}

/// Changes a text of few different lines, often into lines that it has already.
fn repeated(rng: &mut Rng, text: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..=lines.len());
        let new = ["x\n", "y\n", "\n", "x\r\n", "new\n"][rng.usize(..5)];
        match rng.u8(..3) {
            0 => lines.insert(at, new),
            1 if at < lines.len() => lines[at] = new,
            _ if at < lines.len() => drop(lines.remove(at)),
            _ => {}
        }
    }
    let text = lines.concat();
    if rng.u8(..4) == 0 { text.trim_end_matches('\n').to_owned() } else { text }
}

/// Where lines repeat, which of them belong together is a matter of taste; that no change is lost isn't.
#[test]
fn texts_of_repeated_lines_are_never_merged_where_git_finds_a_conflict() {
    let judged = Judged::new();
    let repo = judged.gix.objects();
    each_seed(150, |rng| {
        let base = repetitive(rng);
        let sides = [repeated(rng, &base), repeated(rng, &base)];
        let root = commit(repo, &[], &[("f", &base)], 1);
        let [onto, carried] = sides.each_ref().map(|text| commit(repo, &[root], &[("f", text)], 2));
        let CarryOutcome::Carried { .. } = carry(repo, &carried, &onto, &|_| false).unwrap() else { return };
        let [ours, theirs] = &sides;
        let (by_git, told) = merged_by_git(&judged, &base, ours, theirs);
        assert!(by_git.succeeded, "git finds a conflict in {told}");
    });
    assert_sound(judged.path());
}

/// Asks `git merge-file`, and returns the texts to be told where something is wrong.
fn merged_by_git(judged: &Judged, base: &str, ours: &str, theirs: &str) -> (Ran, String) {
    let files = [("ours", ours), ("base", base), ("theirs", theirs)];
    let paths = files.map(|(name, text)| {
        let path = judged.scratch.path(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let by_git = run(judged.path(), &[], &["merge-file", "-p", &paths[0], &paths[1], &paths[2]], b"");
    (by_git, format!("base:\n{base:?}\nours:\n{ours:?}\ntheirs:\n{theirs:?}"))
}

/// Reads the file `f` of a tree.
fn content(repo: &dyn GitRepo, tree: &TreeId) -> String {
    let entry = repo.entry(tree, &"f".parse().unwrap()).unwrap().unwrap();
    String::from_utf8(repo.blob(&cfgupdater_core::BlobId::new(entry.id)).unwrap()).unwrap()
}

#[test]
fn hostile_changes_are_not_carried_and_odd_ones_are_as_git_carries_them() {
    let judged = Judged::new();
    let repo = judged.gix.objects();
    let root = commit(repo, &[], &[("f", "x")], 1);
    let onto = commit(repo, &[root], &[("other", "y")], 2);
    let blob = *repo.write_blob(b"/etc").unwrap().object_id();
    let file = repo.list(&repo.commit(&root).unwrap().tree).unwrap().remove(0);
    for name in [&b".git"[..], b"..", b".", b"a\nb", b".GIT", b"git~1", b"\xff"] {
        let content = encode_tree(&[TreeEntry::new(name, EntryKind::File, blob), file.clone()]);
        let args = ["hash-object", "-w", "--literally", "-t", "tree", "--stdin"];
        let tree = run(judged.path(), &[], &args, &content).text().trim().parse().unwrap();
        let hostile = commit_tree(repo, &[root], tree, 3);
        assert!(matches!(judged.carry(hostile, onto), CarryOutcome::Conflict { .. }), "{name:?}");
    }
    let put = |path: &str, kind, id| TreeEdit::put(path.parse().unwrap(), kind, id);
    for edit in [
        put("link", EntryKind::Symlink, blob),
        put(".gitmodules", EntryKind::File, blob),
        put("sub", EntryKind::Submodule, *root.object_id()),
    ] {
        let tree = repo.edit_tree(Some(&repo.commit(&root).unwrap().tree), &[edit]).unwrap();
        let odd = commit_tree(repo, &[root], tree, 3);
        let base = format!("--merge-base={root}");
        let merged =
            git(judged.path(), &["merge-tree", "--write-tree", &base, &onto.to_string(), &odd.to_string()]);
        assert_eq!(judged.carry(odd, onto), CarryOutcome::Carried { tree: merged.trim().parse().unwrap() });
    }
}

#[test]
fn a_collection_of_garbage_meanwhile_disturbs_no_engine() {
    let judged = Judged::new();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let mut rounds = 0;
            while !done.load(std::sync::atomic::Ordering::Relaxed) || rounds < 3 {
                git(judged.path(), &["gc", "-q"]);
                rounds += 1;
            }
        });
        // Also when an assertion fails: the scope waits for the collector.
        let finally = Finally(&done);
        let mut written: Vec<CommitId> = Vec::new();
        for round in 0..60 {
            let repo = judged.repos()[round % 2];
            let parents: Vec<CommitId> = written.last().copied().into_iter().collect();
            let id = commit(repo, &parents, &[("d/f", &round.to_string())], i64::try_from(round).unwrap());
            set_ref(judged.path(), "refs/heads/master", id);
            written.push(id);
            for repo in [judged.gix.objects(), judged.libgit2.objects()] {
                let looked_at = written[round / 2];
                assert!(repo.has_commit(&looked_at).unwrap(), "round {round}");
                let tree = repo.commit(&looked_at).unwrap().tree;
                let entry = repo.entry(&tree, &"d/f".parse().unwrap()).unwrap().unwrap();
                assert_eq!(
                    repo.blob(&cfgupdater_core::BlobId::new(entry.id)).unwrap(),
                    (round / 2).to_string().as_bytes()
                );
                assert!(repo.is_ancestor(&written[0], &id).unwrap());
            }
        }
        drop(finally);
        collector.join().unwrap();
    });
    assert_sound(judged.path());
}

/// Sets a flag when it is dropped.
struct Finally<'a>(&'a std::sync::atomic::AtomicBool);

impl Drop for Finally<'_> {
    fn drop(&mut self) {
        self.0.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

#[test]
fn messages_are_read_as_git_reads_them() {
    let scratch = Scratch::new();
    assert!(
        cfgupdater_core::Autocommit::decode(&joined(ours())).is_some(),
        "a message that nobody changed is ours"
    );
    each_seed(60, |rng| {
        let message = message(rng);
        let by_git = run(
            &scratch.path(""),
            &[],
            &["interpret-trailers", "--parse", "--no-divider"],
            message.as_bytes(),
        );
        let by_git: Vec<(String, String)> = by_git.text().lines().filter_map(pair).collect();
        let Some(said) = cfgupdater_core::Autocommit::decode(&message) else { return };
        let first =
            |key: &str| by_git.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str());
        assert_eq!(first("Autocommit-Id"), Some(said.id.to_string().as_str()), "{message}");
        assert_eq!(first("Autocommit-Kind"), Some(said.kind.as_str()), "{message}");
        assert_eq!(first("Autocommit-Target"), Some(said.wave.as_str()), "{message}");
        assert_eq!(first("Autocommit-Actor").unwrap_or_default(), said.actor, "{message}");
    });
}

fn pair(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once(": ").or_else(|| line.strip_suffix(':').map(|key| (key, "")))?;
    Some((key.to_owned(), value.to_owned()))
}

/// The lines of a message as we write it.
fn ours() -> Vec<String> {
    let (id, app_sha) = ("a".repeat(32), "1".repeat(40));
    let trailers = [
        ("App-SHA", app_sha.as_str()),
        ("Target", "staging"),
        ("Reason", "new images published"),
        ("Version", "1"),
        ("Kind", "introduce"),
        ("Id", &id),
        ("Set", "app"),
        ("Actor", "app-ci"),
    ];
    let subject = ["chore: update app to 0123456789".to_owned(), String::new()];
    subject.into_iter().chain(trailers.map(|(key, value)| format!("Autocommit-{key}: {value}"))).collect()
}

fn joined(lines: Vec<String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

/// A message as we write it, with lines put in and taken out anywhere.
fn message(rng: &mut Rng) -> String {
    let mut lines = ours();
    let odd = [
        "",
        " ",
        "\t",
        "prose without any key",
        "Key: value",
        "Autocommit-Actor: mallory",
        " continued",
        "# comment",
        "---",
        "Autocommit-Kind: promote",
        "Signed-off-by: A <a@example.org>",
        "no-space:value",
        "spaced : value",
        "(cherry picked from commit 0123)",
        "\u{2028}",
        "Empty:",
        "Autocommit-Target:  production  ",
        "\r",
    ];
    for _ in 0..rng.usize(..4) {
        match rng.u8(..4) {
            0 => drop(lines.remove(rng.usize(..lines.len()))),
            _ => lines.insert(rng.usize(1..=lines.len()), odd[rng.usize(..odd.len())].to_owned()),
        }
    }
    joined(lines)
}
