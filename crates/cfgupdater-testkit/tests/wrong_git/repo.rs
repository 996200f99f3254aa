//! Repositories that are wrong on purpose.

use cfgupdater_core::{
    BlobId, Commit, CommitId, EntryKind, Error, ErrorKind, GitRepo, NewCommit, ObjectFormat, ObjectId,
    RefName, RepoPath, TreeChange, TreeEdit, TreeEntry, TreeId, Walk,
};
use cfgupdater_testkit::conformance::git_repo::{CanBeDamaged, GitRepoHarness, StoresRawObjects, run};
use cfgupdater_testkit::memory::git::{MemoryRepo, ObjectKind};

use Wrong as W;

use crate::judge;

/// What is wrong with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    AddsALineFeed,
    EndsMessages,
    CleansIdentities,
    TakesAbsentForEmpty,
    TakesDamageForAbsence,
    LooksUpByEnding,
    PeelsNoTags,
    RefusesOddCommits,
    ForgetsThatFilesRun,
    KeepsEmptyDirectories,
    AppliesEditsBackwards,
    SortsByName,
    FindsNoDirectories,
    OverlooksRemovals,
    RefusesHostileNames,
    KnowsNoSecondParent,
    WalksByDate,
    BelievesDates,
    IgnoresLimits,
    ReadsEverything,
    TakesGarbageForEmpty,
    IsForOneThread,
    RecursesForEachLevel,
    StopsAfterAHundred,
    KnowsNoEmptyTree,
    DropsSignatures,
}

/// Every wrong repository, with exactly the cases it fails.
const WRONG: &[(Wrong, &[&str])] = &[
    (
        W::AddsALineFeed,
        &[
            "blobs_are_named_as_git_names_them",
            "entries_are_found_by_path_and_listed_in_order",
            "random_edits_give_the_naive_tree_and_diff",
        ],
    ),
    (W::EndsMessages, &["commits_are_written_byte_for_byte"]),
    (W::CleansIdentities, &["what_breaks_a_header_is_refused"]),
    (W::TakesAbsentForEmpty, &["ids_of_the_other_format_are_not_here", "what_is_absent_is_not_found"]),
    (W::TakesDamageForAbsence, &["what_is_damaged_is_corrupt", "what_is_no_tree_is_corrupt"]),
    (W::LooksUpByEnding, &["references_resolve_exactly"]),
    (W::PeelsNoTags, &["annotated_tags_resolve_to_their_commits"]),
    (W::RefusesOddCommits, &["odd_commits_of_old_are_read"]),
    (W::ForgetsThatFilesRun, &["every_kind_of_entry_is_kept", "random_edits_give_the_naive_tree_and_diff"]),
    (
        W::KeepsEmptyDirectories,
        &[
            "an_edit_reads_only_the_directories_on_its_path",
            "edits_create_and_prune_directories",
            "random_edits_give_the_naive_tree_and_diff",
        ],
    ),
    (W::AppliesEditsBackwards, &["edits_apply_in_their_order", "random_edits_give_the_naive_tree_and_diff"]),
    (W::SortsByName, &["entries_are_found_by_path_and_listed_in_order"]),
    (W::FindsNoDirectories, &["entries_are_found_by_path_and_listed_in_order"]),
    (
        W::OverlooksRemovals,
        &["files_and_directories_replace_each_other", "random_edits_give_the_naive_tree_and_diff"],
    ),
    (W::RefusesHostileNames, &["hostile_names_are_listed_and_never_touched"]),
    (W::KnowsNoSecondParent, &["ancestry_is_reachability", "what_is_absent_is_not_found"]),
    (W::WalksByDate, &["walks_list_what_is_reachable_in_order"]),
    (W::BelievesDates, &["dates_that_run_backwards_hide_no_less", "walks_list_what_is_reachable_in_order"]),
    (W::IgnoresLimits, &["a_limited_walk_of_first_parents_reads_no_further", "walks_stop_at_their_limit"]),
    (W::ReadsEverything, &["an_edit_reads_only_the_directories_on_its_path"]),
    (W::TakesGarbageForEmpty, &["what_is_damaged_is_corrupt", "what_is_no_tree_is_corrupt"]),
    (W::IsForOneThread, &["threads_share_one_repository"]),
    (W::RecursesForEachLevel, &["the_deepest_trees_need_no_more_stack"]),
    (W::StopsAfterAHundred, &["histories_of_thousands_are_walked"]),
    (W::KnowsNoEmptyTree, &["the_empty_tree_is_a_tree"]),
    (W::DropsSignatures, &["a_signature_is_a_header_of_its_commit"]),
];

#[derive(Debug)]
struct WrongRepo {
    right: MemoryRepo,
    wrong: Wrong,
    home: std::thread::ThreadId,
}

impl WrongRepo {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == wrong
    }

    /// Turns one kind of error into another one.
    fn twisted<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.map_err(|error| match error.kind() {
            ErrorKind::Corrupt if self.is(W::TakesDamageForAbsence) => {
                Error::new(ErrorKind::NotFound, "lost")
            }
            _ => error,
        })
    }

    fn check_thread(&self) -> Result<(), Error> {
        if self.is(W::IsForOneThread) && std::thread::current().id() != self.home {
            return Err(Error::new(ErrorKind::Other, "another thread"));
        }
        Ok(())
    }

    /// Reads all that a tree holds.
    fn read_all(&self, tree: &TreeId) -> Result<(), Error> {
        let mut open = vec![*tree];
        while let Some(tree) = open.pop() {
            let below = self.right.list(&tree)?.into_iter().filter(|entry| entry.kind == EntryKind::Tree);
            open.extend(below.map(|entry| TreeId::new(entry.id)));
        }
        Ok(())
    }

    /// Finds a way down to a commit through none that is older.
    fn is_hidden_by_newer(&self, hidden: &[CommitId], id: CommitId) -> Result<bool, Error> {
        let date = self.right.commit(&id)?.committed_at;
        let mut open = hidden.to_vec();
        while let Some(at) = open.pop() {
            let commit = self.right.commit(&at)?;
            if at == id {
                return Ok(true);
            }
            if commit.committed_at >= date {
                open.extend(commit.parents);
            }
        }
        Ok(false)
    }

    fn depth(&self, tree: &TreeId) -> Result<usize, Error> {
        let (mut depth, mut open) = (0, vec![*tree]);
        while let Some(tree) = open.pop() {
            depth += 1;
            let below = self.right.list(&tree)?.into_iter().filter(|entry| entry.kind == EntryKind::Tree);
            open.extend(below.map(|entry| TreeId::new(entry.id)).take(1));
        }
        Ok(depth)
    }
}

impl GitRepo for WrongRepo {
    fn object_format(&self) -> ObjectFormat {
        self.right.object_format()
    }

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error> {
        if self.is(W::LooksUpByEnding) && self.right.resolve(name)?.is_none() {
            let alike = name.as_str().replacen("refs/heads/", "refs/heads/refs/heads/", 1);
            return self.right.resolve(&alike.parse().unwrap());
        }
        let found = self.right.resolve(name)?;
        let is_tag = name.as_str().starts_with("refs/tags/");
        Ok(if self.is(W::PeelsNoTags) && is_tag { None } else { found })
    }

    fn commit(&self, id: &CommitId) -> Result<Commit, Error> {
        self.check_thread()?;
        let commit = self.twisted(self.right.commit(id))?;
        if self.is(W::RefusesOddCommits) && commit.message.contains('\u{fffd}') {
            return Err(Error::new(ErrorKind::Corrupt, "no UTF-8"));
        }
        Ok(commit)
    }

    fn has_commit(&self, id: &CommitId) -> Result<bool, Error> {
        self.right.has_commit(id)
    }

    fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error> {
        if self.is(W::KnowsNoSecondParent) {
            return Ok(self.right.walk(&Walk::from(*descendant).first_parent())?.contains(ancestor));
        }
        self.right.is_ancestor(ancestor, descendant)
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error> {
        self.right.merge_base(one, other)
    }

    fn walk(&self, range: &Walk) -> Result<Vec<CommitId>, Error> {
        let mut range = range.clone();
        if self.is(W::IgnoresLimits) {
            range.limit = None;
        }
        if self.is(W::BelievesDates) {
            let hidden = std::mem::take(&mut range.hide);
            let mut seen = Vec::new();
            for id in self.right.walk(&range)? {
                if !self.is_hidden_by_newer(&hidden, id)? {
                    seen.push(id);
                }
            }
            return Ok(seen);
        }
        let mut listed = self.right.walk(&range)?;
        if self.is(W::StopsAfterAHundred) {
            listed.truncate(100);
        }
        if self.is(W::WalksByDate) {
            let mut dated = Vec::new();
            for id in listed {
                dated.push((self.right.commit(&id)?.committed_at, id));
            }
            dated.sort_by_key(|(date, _)| std::cmp::Reverse(*date));
            return Ok(dated.into_iter().map(|(_, id)| id).collect());
        }
        Ok(listed)
    }

    fn entry(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<TreeEntry>, Error> {
        let found = self.right.entry(tree, path)?;
        Ok(found.filter(|entry| !(self.is(W::FindsNoDirectories) && entry.kind == EntryKind::Tree)))
    }

    fn list(&self, tree: &TreeId) -> Result<Vec<TreeEntry>, Error> {
        let mut entries = match self.twisted(self.right.list(tree)) {
            Err(error) if error.kind() == ErrorKind::Corrupt && self.is(W::TakesGarbageForEmpty) => {
                Vec::new()
            }
            entries => entries?,
        };
        let is_hostile = |entry: &TreeEntry| entry.name.starts_with(b".") || !entry.name.is_ascii();
        if self.is(W::RefusesHostileNames) && entries.iter().any(is_hostile) {
            return Err(Error::new(ErrorKind::Corrupt, "a hostile name"));
        }
        if self.is(W::SortsByName) {
            entries.sort_by(|one, other| one.name.cmp(&other.name));
        }
        Ok(entries)
    }

    fn diff(&self, old: Option<&TreeId>, new: &TreeId) -> Result<Vec<TreeChange>, Error> {
        if self.is(W::RecursesForEachLevel) && self.depth(new)? > 5_000 {
            return Err(Error::new(ErrorKind::Other, "the stack is too small"));
        }
        let mut changes = self.twisted(self.right.diff(old, new))?;
        if self.is(W::OverlooksRemovals) {
            changes.retain(|change| change.new.is_some());
        }
        Ok(changes)
    }

    fn blob(&self, id: &BlobId) -> Result<Vec<u8>, Error> {
        match self.twisted(self.right.blob(id)) {
            Err(error) if error.kind() == ErrorKind::NotFound && self.is(W::TakesAbsentForEmpty) => {
                Ok(Vec::new())
            }
            content => content,
        }
    }

    fn write_blob(&self, content: &[u8]) -> Result<BlobId, Error> {
        self.check_thread()?;
        let mut content = content.to_vec();
        if self.is(W::AddsALineFeed) && !content.ends_with(b"\n") {
            content.push(b'\n');
        }
        self.right.write_blob(&content)
    }

    fn edit_tree(&self, base: Option<&TreeId>, edits: &[TreeEdit]) -> Result<TreeId, Error> {
        let mut edits = edits.to_vec();
        if self.is(W::AppliesEditsBackwards) {
            edits.reverse();
        }
        if self.is(W::ReadsEverything)
            && let Some(base) = base
        {
            self.read_all(base)?;
        }
        if self.is(W::ForgetsThatFilesRun) {
            for edit in &mut edits {
                if let Some((kind @ EntryKind::Executable, _)) = &mut edit.entry {
                    *kind = EntryKind::File;
                }
            }
        }
        if self.is(W::KeepsEmptyDirectories)
            && let [TreeEdit { entry: None, path, .. }] = edits.as_slice()
        {
            let file = self.right.write_blob(b"")?;
            let keep: RepoPath = format!("{path}.keep").parse().unwrap();
            edits.push(TreeEdit::file(keep, file));
        }
        if self.is(W::KnowsNoEmptyTree) && base.is_none() && edits.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, "nothing to write"));
        }
        self.twisted(self.right.edit_tree(base, &edits))
    }

    fn write_commit(&self, commit: &NewCommit) -> Result<CommitId, Error> {
        let mut commit = commit.clone();
        if self.is(W::EndsMessages) && !commit.message.ends_with('\n') {
            commit.message.push('\n');
        }
        if self.is(W::CleansIdentities) {
            commit.name.retain(|letter| !letter.is_control());
        }
        if self.is(W::DropsSignatures) {
            commit.signature = None;
        }
        self.right.write_commit(&commit)
    }
}

struct Harness(WrongRepo);

impl GitRepoHarness for Harness {
    fn repo(&self) -> &dyn GitRepo {
        &self.0
    }

    fn set_ref(&self, name: &RefName, to: Option<ObjectId>) {
        self.0.right.set_ref(name, to);
    }
}

impl StoresRawObjects for Harness {
    fn store(&self, objects: &[(ObjectKind, Vec<u8>)]) {
        for (kind, content) in objects {
            self.0.right.write_raw(*kind, content);
        }
    }
}

impl CanBeDamaged for Harness {
    fn damage(&self, id: &ObjectId) {
        self.0.right.damage(*id);
    }

    fn lose(&self, id: &ObjectId) {
        self.0.right.lose(id);
    }
}

fn play(wrong: Wrong, case: impl FnOnce(&Harness)) {
    let right = MemoryRepo::new(ObjectFormat::Sha1);
    run(&Harness(WrongRepo { right, wrong, home: std::thread::current().id() }), case);
}

#[test]
fn each_wrong_repository_fails_exactly_the_cases_named_for_it() {
    let cases = crate::cases!(play; cfgupdater_testkit::conformance::git_repo;
        blobs_are_named_as_git_names_them
        commits_are_written_byte_for_byte
        a_signature_is_a_header_of_its_commit
        what_breaks_a_header_is_refused
        what_is_absent_is_not_found
        ids_of_the_other_format_are_not_here
        references_resolve_exactly
        threads_share_one_repository
        every_kind_of_entry_is_kept
        edits_create_and_prune_directories
        files_and_directories_replace_each_other
        edits_apply_in_their_order
        the_empty_tree_is_a_tree
        entries_are_found_by_path_and_listed_in_order
        random_edits_give_the_naive_tree_and_diff
        ancestry_is_reachability
        walks_list_what_is_reachable_in_order
        dates_that_run_backwards_hide_no_less
        walks_stop_at_their_limit
        annotated_tags_resolve_to_their_commits
        histories_of_thousands_are_walked
        odd_commits_of_old_are_read
        hostile_names_are_listed_and_never_touched
        what_is_no_tree_is_corrupt
        what_is_damaged_is_corrupt
        a_limited_walk_of_first_parents_reads_no_further
        an_edit_reads_only_the_directories_on_its_path
        the_deepest_trees_need_no_more_stack
    );
    judge(&cases, WRONG, &["histories_of_thousands_are_walked", "the_deepest_trees_need_no_more_stack"]);
}
