//! What every [`GitRepo`] must do.
//!
//! ```
//! use cfgupdater_core::{CommitId, GitRepo, ObjectFormat, ObjectId, RefName};
//! use cfgupdater_testkit::conformance::git_repo::GitRepoHarness;
//! use cfgupdater_testkit::memory::git::MemoryRepo;
//!
//! struct Harness(MemoryRepo);
//!
//! impl GitRepoHarness for Harness {
//!     fn repo(&self) -> &dyn GitRepo {
//!         &self.0
//!     }
//!     fn set_ref(&self, name: &RefName, to: Option<ObjectId>) {
//!         self.0.set_ref(name, to);
//!     }
//! }
//!
//! cfgupdater_testkit::git_repo_conformance!(memory, Harness(MemoryRepo::new(ObjectFormat::Sha1)));
//! # fn main() {}
//! ```
#![expect(clippy::unwrap_used, reason = "a case that can't go on has failed")]

mod damage;
mod history;
mod maintenance;
mod objects;
mod raw_objects;
mod trees;

use cfgupdater_core::{CommitId, GitRepo, NewCommit, ObjectId, RefName, Timestamp, TreeEdit, TreeId};

use crate::memory::git::ObjectKind;

pub use damage::*;
pub use history::*;
pub use maintenance::*;
pub use objects::*;
pub use raw_objects::*;
pub use trees::*;

/// An empty repository for one case, and what a [`GitRepo`] can't do to it.
pub trait GitRepoHarness {
    /// Returns the repository under test, empty, its `HEAD` naming the unborn `refs/heads/master`.
    fn repo(&self) -> &dyn GitRepo;

    /// Points a reference at any object, or removes it, as somebody else would.
    fn set_ref(&self, name: &RefName, to: Option<ObjectId>);

    /// Panics if the repository isn't sound, as `git fsck --strict` judges it. Called after each case that leaves it
    /// sound.
    fn verify(&self) {}
}

/// For the group `raw_objects`: somebody else can write any object.
pub trait StoresRawObjects: GitRepoHarness {
    /// Stores objects, as wrong as their content may be, as quickly for thousands as for one.
    fn store(&self, objects: &[(ObjectKind, Vec<u8>)]);
}

/// For the group `maintenance`: other processes fetch into the repository and repack it.
pub trait IsMaintained: GitRepoHarness {
    /// Brings a commit that holds one file, in a pack of its own, as a fetch does.
    fn bring(&self, parent: Option<&CommitId>, path: &str, content: &str) -> CommitId;

    /// Packs everything that references reach into one pack, and drops all packs there were.
    fn repack(&self);
}

/// For the group `damage`: objects can be damaged.
pub trait CanBeDamaged: GitRepoHarness {
    /// Turns what holds an object that the case wrote into garbage.
    fn damage(&self, id: &ObjectId);

    /// Removes an object that the case wrote.
    fn lose(&self, id: &ObjectId);
}

/// Runs one case, then has the repository verified.
pub fn run<H: GitRepoHarness>(harness: &H, case: impl FnOnce(&H)) {
    case(harness);
    harness.verify();
}

/// Makes a module of tests: `git_repo_conformance!(NAME, HARNESS, GROUP…)`.
///
/// `HARNESS` is evaluated for each case. The groups `raw_objects`, `maintenance`, `damage` and `deep_trees` are for
/// harnesses that can do what they need: [`StoresRawObjects`](crate::conformance::git_repo::StoresRawObjects) for the
/// first and the last, [`IsMaintained`](crate::conformance::git_repo::IsMaintained) and
/// [`CanBeDamaged`](crate::conformance::git_repo::CanBeDamaged). Minor releases may add cases.
#[macro_export]
macro_rules! git_repo_conformance {
    ($name:ident, $harness:expr $(, $group:ident)* $(,)?) => {
        mod $name {
            #[allow(unused_imports, reason = "the harness may be named by its path")]
            use super::*;

            $crate::git_repo_conformance!(@tests $harness; run;
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
            );
            $($crate::git_repo_conformance!(@group $group $harness);)*
        }
    };
    (@group raw_objects $harness:expr) => {
        $crate::git_repo_conformance!(@tests $harness; run;
            annotated_tags_resolve_to_their_commits
            histories_of_thousands_are_walked
            odd_commits_of_old_are_read
        );
        $crate::git_repo_conformance!(@tests $harness; run_unverified;
            hostile_names_are_listed_and_never_touched
            what_is_no_tree_is_corrupt
        );
    };
    (@group maintenance $harness:expr) => {
        $crate::git_repo_conformance!(@tests $harness; run;
            hundreds_of_packs_are_found_as_they_arrive
            repacking_under_an_open_handle_loses_nothing
        );
    };
    (@group damage $harness:expr) => {
        $crate::git_repo_conformance!(@tests $harness; run_unverified;
            what_is_damaged_is_corrupt
            a_limited_walk_of_first_parents_reads_no_further
            an_edit_reads_only_the_directories_on_its_path
        );
    };
    (@group deep_trees $harness:expr) => {
        $crate::git_repo_conformance!(@tests $harness; run_unverified;
            the_deepest_trees_need_no_more_stack
        );
    };
    (@tests $harness:expr; $run:ident; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                $crate::conformance::git_repo::$run(&$harness, $crate::conformance::git_repo::$case);
            }
        )*
    };
}

/// Runs one case that leaves an unsound repository.
pub fn run_unverified<H: GitRepoHarness>(harness: &H, case: impl FnOnce(&H)) {
    case(harness);
}

/// Writes `files` into a tree.
pub(super) fn tree(repo: &dyn GitRepo, base: Option<&TreeId>, files: &[(&str, &str)]) -> TreeId {
    let edits: Vec<TreeEdit> = files.iter().map(|(path, text)| file(repo, path, text)).collect();
    repo.edit_tree(base, &edits).expect("a tree")
}

pub(super) fn file(repo: &dyn GitRepo, path: &str, text: &str) -> TreeEdit {
    TreeEdit::file(path.parse().expect("a path"), repo.write_blob(text.as_bytes()).expect("a blob"))
}

/// Commits `files` on top of the first parent's tree.
pub(super) fn commit(
    repo: &dyn GitRepo,
    parents: &[CommitId],
    files: &[(&str, &str)],
    seconds: i64,
) -> CommitId {
    let base = parents.first().map(|parent| repo.commit(parent).expect("a parent").tree);
    commit_tree(repo, parents, tree(repo, base.as_ref(), files), seconds)
}

pub(super) fn commit_tree(repo: &dyn GitRepo, parents: &[CommitId], tree: TreeId, seconds: i64) -> CommitId {
    let date = Timestamp::from_millis(seconds * 1000);
    let message = format!("at {seconds}\n");
    let new = NewCommit::new(tree, parents.to_vec(), ("T", "t@example.org"), date, message);
    repo.write_commit(&new).expect("a commit")
}
