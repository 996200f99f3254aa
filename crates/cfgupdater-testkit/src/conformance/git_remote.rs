//! What every [`GitRemote`] must do.
//!
//! A harness makes a remote with one commit and two clients of it; `tests/memory_remote.rs` of this crate shows one.
#![expect(clippy::unwrap_used, reason = "a case that can't go on has failed")]

mod absence;
mod faults;
mod hooks;
mod listing;
mod pushing;

use std::time::Duration;

use cfgupdater_core::{CommitId, GitRemote, GitRepo, RefEdit, RefName, RefOutcome};

use super::git_repo;

pub use absence::*;
pub use faults::*;
pub use hooks::*;
pub use listing::*;
pub use pushing::*;

/// A case that takes longer has failed.
pub const LONG: Duration = Duration::from_mins(1);

/// A remote for one case, with two clients, and what somebody at the server can do.
pub trait GitRemoteHarness {
    /// Returns a client of the remote.
    fn remote(&self) -> &dyn GitRemote;

    /// Returns the local repository of that client.
    fn local(&self) -> &dyn GitRepo;

    /// Returns another client of the same remote, with a local repository of its own.
    fn other(&self) -> (&dyn GitRemote, &dyn GitRepo);

    /// Returns the repository of the server, for looking and for writing what somebody else pushes. It is empty at
    /// first, with its `HEAD` naming `refs/heads/master`.
    fn server(&self) -> &dyn GitRepo;

    /// Points a reference of the server at a commit, or removes it.
    fn set_ref(&self, name: &RefName, to: Option<CommitId>);

    /// Lets the server's `HEAD` name a branch.
    fn set_head(&self, branch: &RefName);

    /// Lets the server's `HEAD` name a commit.
    fn detach_head(&self, commit: &CommitId);

    /// Panics if the server's repository isn't sound. Called after each case.
    fn verify(&self) {}
}

/// For the group `hooks`: the server can decline, and lets others act in between.
pub trait HasHooks: GitRemoteHarness {
    /// Declines all pushes, with these words.
    fn decline_pushes(&self, words: &str);

    /// Declines updates of one reference, with these words.
    fn decline_updates(&self, name: &RefName, words: &str);

    /// Declines to rewind any reference.
    fn deny_rewinding(&self);

    /// Moves a reference after each push's advertisement and before its update.
    fn race(&self, name: &RefName, to: &CommitId);

    /// Holds the lock of a reference, as somebody does whose transaction is under way, or lets it go.
    fn lock(&self, name: &RefName, held: bool);
}

/// For the group `single_edits`: the server may know no atomic push.
pub trait TakesEditsSingly: GitRemoteHarness {
    /// Forgets that there are atomic pushes.
    fn take_edits_singly(&self);
}

/// For the group `faults`: connections end when they shouldn't.
pub trait HasFaults: GitRemoteHarness {
    /// Ends the connection of the next push after all was sent; `taken` says whether the push counts.
    fn cut(&self, taken: bool);

    /// Lets the next push wait for ever, before or after it is `taken`.
    fn stall(&self, taken: bool);

    /// Returns a deadline that a stalled push may use up, long enough for the push to reach the server.
    fn patience(&self) -> Duration;
}

/// For the group `absence`: there are addresses without a repository.
pub trait CanBeAbsent: GitRemoteHarness {
    /// Returns a client of a repository that doesn't exist on the same server.
    fn absent(&self) -> Box<dyn GitRemote>;
}

/// For the group `logins`: the server knows who may come in.
pub trait AsksForLogins: GitRemoteHarness {
    /// Returns a client of the same repository that logs in wrongly, and the secret that it uses.
    fn impostor(&self) -> (Box<dyn GitRemote>, String);
}

/// Makes a module of tests: `git_remote_conformance!(NAME, HARNESS, GROUP…)`, and where the harness can't be had
/// everywhere `git_remote_conformance!(NAME, HARNESS, GROUP…; if CONDITION)`.
///
/// `HARNESS` is evaluated for each case, on a runtime of tokio. The groups `hooks`, `single_edits`, `faults`, `absence`
/// and `logins` are for harnesses that implement the trait named after it in
/// [`git_remote`](crate::conformance::git_remote). Minor releases may add cases.
#[macro_export]
macro_rules! git_remote_conformance {
    ($name:ident, $harness:expr $(, $group:ident)* $(,)?) => {
        $crate::git_remote_conformance!($name, $harness $(, $group)*; if true);
    };
    ($name:ident, $harness:expr $(, $group:ident)*; if $there:expr) => {
        mod $name {
            #[allow(unused_imports, reason = "the harness may be named by its path")]
            use super::*;

            $crate::git_remote_conformance!(@tests $harness; $there;
                references_that_do_not_exist_are_left_out
                head_names_a_branch_or_none
                what_is_fetched_can_be_read_with_its_history
                rewound_and_deleted_references_are_followed
                a_deadline_that_has_passed_is_a_time_out
                references_are_created_moved_rewound_and_deleted
                a_lease_on_a_value_that_is_gone_is_stale
                what_is_there_already_has_moved
                a_plain_push_only_goes_forward
                in_one_push_all_move_or_none
                what_can_not_be_pushed_fails_before_anything_moves
                of_two_clients_one_wins
            );
            $($crate::git_remote_conformance!(@group $group $harness; $there);)*
        }
    };
    (@group hooks $harness:expr; $there:expr) => {
        $crate::git_remote_conformance!(@tests $harness; $there;
            a_hook_that_declines_is_quoted
            a_guilty_edit_is_told_from_its_victims
            a_hook_that_declines_all_makes_no_victims
            a_server_that_denies_rewinding_declines
            a_race_lost_at_the_server_is_stale
            a_fast_forward_race_lost_to_an_ancestor_is_stale
            a_lock_at_the_server_is_no_refusal
            names_that_can_not_exist_together_are_declined
        );
    };
    (@group single_edits $harness:expr; $there:expr) => {
        $crate::git_remote_conformance!(@tests $harness; $there;
            without_atomic_pushes_each_edit_has_its_own_outcome
            without_atomic_pushes_nothing_moves_after_what_failed
        );
    };
    (@group faults $harness:expr; $there:expr) => {
        $crate::git_remote_conformance!(@tests $harness; $there;
            a_push_cut_before_it_was_taken_is_settled_by_looking
            a_push_cut_after_it_was_taken_has_moved
            a_push_past_its_deadline_is_indeterminate
            a_push_taken_before_its_deadline_has_moved
        );
    };
    (@group absence $harness:expr; $there:expr) => {
        $crate::git_remote_conformance!(@tests $harness; $there;
            a_repository_that_is_not_there_is_not_found
        );
    };
    (@group logins $harness:expr; $there:expr) => {
        $crate::git_remote_conformance!(@tests $harness; $there;
            a_wrong_login_is_told_and_not_repeated
        );
    };
    (@tests $harness:expr; $there:expr; $($case:ident)*) => {
        $(
            #[test]
            fn $case() {
                if $there {
                    $crate::conformance::git_remote::run(|| $harness, $crate::conformance::git_remote::$case);
                }
            }
        )*
    };
}

/// Makes a harness, runs one case on it and has the server verified.
///
/// # Panics
/// Panics where no runtime can be made.
pub fn run<H: GitRemoteHarness>(harness: impl FnOnce() -> H, case: impl AsyncFnOnce(&H)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let harness = harness();
        case(&harness).await;
        harness.verify();
    });
}

fn branch(name: &str) -> RefName {
    format!("refs/heads/{name}").parse().unwrap()
}

/// Puts one commit on the server's `master`.
fn begin(harness: &impl GitRemoteHarness) -> CommitId {
    let root = git_repo::commit(harness.server(), &[], &[("README", "hello\n")], 1);
    harness.set_ref(&branch("master"), Some(root));
    root
}

/// Begins, has the first client fetch, and makes two commits on the root: one here and one at the server.
async fn rivals(harness: &impl GitRemoteHarness) -> [CommitId; 3] {
    let root = begin(harness);
    harness.remote().fetch(&[branch("master")], LONG).await.unwrap();
    let ours = git_repo::commit(harness.local(), &[root], &[("f", "ours")], 2);
    let theirs = git_repo::commit(harness.server(), &[root], &[("f", "theirs")], 3);
    [root, ours, theirs]
}

async fn push(harness: &impl GitRemoteHarness, edits: &[RefEdit]) -> Vec<RefOutcome> {
    harness.remote().push(edits, LONG).await.unwrap()
}

fn at(harness: &impl GitRemoteHarness, name: &RefName) -> Option<CommitId> {
    harness.server().resolve(name).unwrap()
}
