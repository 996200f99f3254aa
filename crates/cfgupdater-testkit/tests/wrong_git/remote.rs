//! Remotes that are wrong on purpose.

use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{
    Error, ErrorKind, Expected, GitRemote, GitRepo, ObjectFormat, RefEdit, RefMap, RefName, RefOutcome,
};
use cfgupdater_testkit::conformance::git_remote::{LONG, run};
use cfgupdater_testkit::memory::git::{MemoryGitServer, MemoryRemote};

use Wrong as W;

use crate::git_harness::Harness;
use crate::judge;

/// What is wrong with a remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    IgnoresLeases,
    RewindsStable,
    TakesUnsureForMoved,
    TakesUnsureForFailed,
    TakesStaleForDeclined,
    TakesLocksForRefusals,
    TakesWhatIsThereForStale,
    PushesOneByOne,
    BlamesVictims,
    FindsEveryVictim,
    SaysNoReason,
    ColoursReasons,
    IgnoresDeadlines,
    FetchesNothing,
    RemembersReferences,
    FindsAlikeNames,
    KnowsOneBranch,
    OverlooksMistakes,
}

/// Every wrong remote, with exactly the cases it fails.
const WRONG: &[(Wrong, &[&str])] = &[
    (
        W::IgnoresLeases,
        &[
            "a_lease_on_a_value_that_is_gone_is_stale",
            "a_push_past_its_deadline_is_indeterminate",
            "in_one_push_all_move_or_none",
            "of_two_clients_one_wins",
            "without_atomic_pushes_each_edit_has_its_own_outcome",
            "without_atomic_pushes_nothing_moves_after_what_failed",
        ],
    ),
    (W::RewindsStable, &["a_plain_push_only_goes_forward", "a_push_past_its_deadline_is_indeterminate"]),
    (
        W::TakesUnsureForMoved,
        &[
            "a_push_cut_before_it_was_taken_is_settled_by_looking",
            "a_push_past_its_deadline_is_indeterminate",
        ],
    ),
    (
        W::TakesUnsureForFailed,
        &[
            "a_push_cut_before_it_was_taken_is_settled_by_looking",
            "a_push_past_its_deadline_is_indeterminate",
        ],
    ),
    (
        W::TakesStaleForDeclined,
        &[
            "a_fast_forward_race_lost_to_an_ancestor_is_stale",
            "a_lease_on_a_value_that_is_gone_is_stale",
            "a_plain_push_only_goes_forward",
            "a_race_lost_at_the_server_is_stale",
            "in_one_push_all_move_or_none",
            "of_two_clients_one_wins",
            "without_atomic_pushes_each_edit_has_its_own_outcome",
            "without_atomic_pushes_nothing_moves_after_what_failed",
        ],
    ),
    (W::TakesLocksForRefusals, &["a_lock_at_the_server_is_no_refusal"]),
    (W::TakesWhatIsThereForStale, &["what_is_there_already_has_moved"]),
    (
        W::PushesOneByOne,
        &[
            "a_guilty_edit_is_told_from_its_victims",
            "a_lock_at_the_server_is_no_refusal",
            "in_one_push_all_move_or_none",
            "what_can_not_be_pushed_fails_before_anything_moves",
            "without_atomic_pushes_nothing_moves_after_what_failed",
        ],
    ),
    (
        W::BlamesVictims,
        &[
            "a_guilty_edit_is_told_from_its_victims",
            "in_one_push_all_move_or_none",
            "without_atomic_pushes_nothing_moves_after_what_failed",
        ],
    ),
    (
        W::FindsEveryVictim,
        &[
            "a_guilty_edit_is_told_from_its_victims",
            "a_hook_that_declines_all_makes_no_victims",
            "a_hook_that_declines_is_quoted",
            "a_server_that_denies_rewinding_declines",
            "names_that_can_not_exist_together_are_declined",
        ],
    ),
    (
        W::SaysNoReason,
        &[
            "a_guilty_edit_is_told_from_its_victims",
            "a_hook_that_declines_all_makes_no_victims",
            "a_hook_that_declines_is_quoted",
            "a_server_that_denies_rewinding_declines",
            "names_that_can_not_exist_together_are_declined",
        ],
    ),
    (W::ColoursReasons, &["a_hook_that_declines_is_quoted"]),
    (W::IgnoresDeadlines, &["a_deadline_that_has_passed_is_a_time_out"]),
    (
        W::FetchesNothing,
        &[
            "a_fast_forward_race_lost_to_an_ancestor_is_stale",
            "a_guilty_edit_is_told_from_its_victims",
            "a_hook_that_declines_all_makes_no_victims",
            "a_hook_that_declines_is_quoted",
            "a_lease_on_a_value_that_is_gone_is_stale",
            "a_lock_at_the_server_is_no_refusal",
            "a_plain_push_only_goes_forward",
            "a_push_cut_after_it_was_taken_has_moved",
            "a_push_cut_before_it_was_taken_is_settled_by_looking",
            "a_push_past_its_deadline_is_indeterminate",
            "a_push_taken_before_its_deadline_has_moved",
            "a_race_lost_at_the_server_is_stale",
            "a_server_that_denies_rewinding_declines",
            "in_one_push_all_move_or_none",
            "names_that_can_not_exist_together_are_declined",
            "of_two_clients_one_wins",
            "references_are_created_moved_rewound_and_deleted",
            "references_that_do_not_exist_are_left_out",
            "what_can_not_be_pushed_fails_before_anything_moves",
            "what_is_fetched_can_be_read_with_its_history",
            "what_is_there_already_has_moved",
            "without_atomic_pushes_each_edit_has_its_own_outcome",
            "without_atomic_pushes_nothing_moves_after_what_failed",
        ],
    ),
    (
        W::RemembersReferences,
        &["references_that_do_not_exist_are_left_out", "rewound_and_deleted_references_are_followed"],
    ),
    (W::FindsAlikeNames, &["references_that_do_not_exist_are_left_out"]),
    (W::KnowsOneBranch, &["head_names_a_branch_or_none"]),
    (W::OverlooksMistakes, &["what_can_not_be_pushed_fails_before_anything_moves"]),
];

#[derive(Debug)]
struct WrongRemote {
    right: MemoryRemote,
    server: MemoryGitServer,
    wrong: Wrong,
    seen: std::sync::Mutex<RefMap>,
}

impl WrongRemote {
    /// Says what an edit would believe in if it believed in whatever there is.
    fn believing(&self, edit: &RefEdit) -> RefEdit {
        let actual = self.server.repo().resolve(&edit.name).unwrap();
        RefEdit::exact(edit.name.clone(), actual, edit.new)
    }

    async fn push_right(&self, edits: &[RefEdit], deadline: Duration) -> Result<Vec<RefOutcome>, Error> {
        match self.wrong {
            W::IgnoresLeases | W::RewindsStable => {
                let is_ignored = |edit: &&RefEdit| match edit.expected {
                    Expected::Exactly(_) => self.wrong == W::IgnoresLeases,
                    Expected::Ancestor => self.wrong == W::RewindsStable && edit.new.is_some(),
                };
                let names: Vec<RefName> = edits.iter().map(|edit| edit.name.clone()).collect();
                let _ = self.right.ls_remote(&names, LONG).await;
                let edits: Vec<RefEdit> = edits
                    .iter()
                    .map(|edit| if is_ignored(&edit) { self.believing(edit) } else { edit.clone() })
                    .collect();
                self.right.push(&edits, deadline).await
            }
            W::PushesOneByOne => {
                let mut outcomes = Vec::new();
                for edit in edits {
                    outcomes.extend(self.right.push(std::slice::from_ref(edit), deadline).await?);
                }
                Ok(outcomes)
            }
            _ => self.right.push(edits, deadline).await,
        }
    }

    fn twisted(&self, edit: &RefEdit, outcome: RefOutcome, was_there: bool) -> RefOutcome {
        match (self.wrong, outcome) {
            (W::TakesUnsureForMoved, RefOutcome::Indeterminate { .. }) => RefOutcome::Moved,
            (W::TakesStaleForDeclined, RefOutcome::Stale { .. }) => {
                RefOutcome::Declined { reason: "somebody was quicker".into() }
            }
            (W::TakesWhatIsThereForStale, RefOutcome::Moved) if was_there => {
                RefOutcome::Stale { actual: edit.new }
            }
            (W::BlamesVictims, RefOutcome::Aborted) => {
                RefOutcome::Declined { reason: "protected closed".into() }
            }
            (W::FindsEveryVictim, RefOutcome::Declined { .. }) => RefOutcome::Aborted,
            (W::SaysNoReason, RefOutcome::Declined { .. }) => RefOutcome::Declined { reason: String::new() },
            (W::ColoursReasons, RefOutcome::Declined { reason }) => {
                RefOutcome::Declined { reason: format!("\u{1b}[31m{reason}") }
            }
            (_, outcome) => outcome,
        }
    }

    fn within(&self, deadline: Duration) -> Duration {
        if self.wrong == W::IgnoresDeadlines { LONG } else { deadline }
    }

    fn remembered(&self, listed: RefMap) -> RefMap {
        if self.wrong != W::RemembersReferences {
            return listed;
        }
        let mut seen = self.seen.lock().unwrap();
        for (name, id) in listed {
            seen.entry(name).or_insert(id);
        }
        seen.clone()
    }
}

#[async_trait]
impl GitRemote for WrongRemote {
    async fn ls_remote(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        let mut listed = self.right.ls_remote(names, self.within(deadline)).await?;
        if self.wrong == W::FindsAlikeNames {
            for name in names.iter().filter(|name| name.as_str().ends_with("auto")) {
                let alike: RefName = "refs/heads/x/refs/heads/auto".parse().unwrap();
                listed.extend(self.server.repo().resolve(&alike)?.map(|id| (name.clone(), id)));
            }
        }
        Ok(listed)
    }

    async fn fetch(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error> {
        if self.wrong == W::FetchesNothing {
            return self.right.ls_remote(names, deadline).await;
        }
        Ok(self.remembered(self.right.fetch(names, self.within(deadline)).await?))
    }

    async fn push(&self, edits: &[RefEdit], deadline: Duration) -> Result<Vec<RefOutcome>, Error> {
        let is_there = |edit: &RefEdit| self.server.repo().resolve(&edit.name).unwrap() == edit.new;
        let there: Vec<bool> = edits.iter().map(is_there).collect();
        let outcomes = match self.push_right(edits, deadline).await {
            Err(error) if self.wrong == W::OverlooksMistakes && error.kind() != ErrorKind::Unavailable => {
                return Ok(vec![RefOutcome::Moved; edits.len()]);
            }
            Err(error) if self.wrong == W::TakesLocksForRefusals => {
                let declined = || RefOutcome::Declined { reason: error.to_string() };
                return if error.kind() == ErrorKind::Unavailable {
                    Ok(edits.iter().map(|_| declined()).collect())
                } else {
                    Err(error)
                };
            }
            outcomes => outcomes?,
        };
        let is_unsure = |outcome: &RefOutcome| matches!(outcome, RefOutcome::Indeterminate { .. });
        if self.wrong == W::TakesUnsureForFailed && outcomes.iter().any(is_unsure) {
            return Err(Error::new(ErrorKind::Unavailable, "the connection ended"));
        }
        let all = edits.iter().zip(outcomes).zip(there);
        Ok(all.map(|((edit, outcome), was_there)| self.twisted(edit, outcome, was_there)).collect())
    }

    async fn head_branch(&self, deadline: Duration) -> Result<Option<RefName>, Error> {
        let found = self.right.head_branch(self.within(deadline)).await?;
        Ok(if self.wrong == W::KnowsOneBranch { Some("refs/heads/master".parse().unwrap()) } else { found })
    }
}

fn play(wrong: Wrong, case: impl AsyncFnOnce(&Harness<WrongRemote>)) {
    let client = |right, server: &MemoryGitServer| WrongRemote {
        right,
        server: server.clone(),
        wrong,
        seen: std::sync::Mutex::default(),
    };
    run(|| Harness::new(ObjectFormat::Sha1, client), case);
}

#[test]
fn each_wrong_remote_fails_exactly_the_cases_named_for_it() {
    let cases = crate::cases!(play; cfgupdater_testkit::conformance::git_remote;
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
        a_hook_that_declines_is_quoted
        a_guilty_edit_is_told_from_its_victims
        a_hook_that_declines_all_makes_no_victims
        a_server_that_denies_rewinding_declines
        a_race_lost_at_the_server_is_stale
        a_fast_forward_race_lost_to_an_ancestor_is_stale
        a_lock_at_the_server_is_no_refusal
        names_that_can_not_exist_together_are_declined
        without_atomic_pushes_each_edit_has_its_own_outcome
        without_atomic_pushes_nothing_moves_after_what_failed
        a_push_cut_before_it_was_taken_is_settled_by_looking
        a_push_cut_after_it_was_taken_has_moved
        a_push_past_its_deadline_is_indeterminate
        a_push_taken_before_its_deadline_has_moved
    );
    judge(&cases, WRONG, &[]);
}
