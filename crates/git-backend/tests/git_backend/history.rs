//! Random histories with dates that run any way, judged by git and by naive reachability.

use std::collections::BTreeSet;

use cfgupdater_core::{CommitId, GitRepo, Walk};
use cfgupdater_git_backend::GixRepo;
use proptest::prelude::*;

use crate::support::{Scratch, commit, git, set_ref, try_git};

/// For each commit, the positions of its parents among the earlier ones; and a date for each.
fn shape() -> impl Strategy<Value = (Vec<Vec<usize>>, Vec<i64>)> {
    (2..14_usize).prop_flat_map(|count| {
        let parents = (0..count).map(|at| {
            prop::collection::btree_set(0..at.max(1), 0..3)
                .prop_map(move |set| if at == 0 { vec![] } else { set.into_iter().rev().collect() })
        });
        let dates = Just((1..=i64::try_from(count).unwrap()).collect::<Vec<_>>()).prop_shuffle();
        (parents.collect::<Vec<_>>(), dates)
    })
}

fn build(repo: &GixRepo, parents: &[Vec<usize>], dates: &[i64]) -> Vec<CommitId> {
    let mut ids: Vec<CommitId> = Vec::new();
    for (at, parents) in parents.iter().enumerate() {
        let parents: Vec<_> = parents.iter().map(|parent| ids[*parent]).collect();
        ids.push(commit(repo, &parents, &[("f", &at.to_string())], dates[at]));
    }
    ids
}

fn reachable(parents: &[Vec<usize>], from: usize) -> BTreeSet<usize> {
    let mut seen = BTreeSet::new();
    let mut queue = vec![from];
    while let Some(at) = queue.pop() {
        if seen.insert(at) {
            queue.extend(&parents[at]);
        }
    }
    seen
}

fn by_git(repo: &GixRepo, args: &[&str]) -> Vec<CommitId> {
    git(repo.path(), args).lines().map(|line| line.parse().unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ranges_hold_what_is_reachable_and_come_in_gits_order((parents, dates) in shape(), pick in any::<(u8, u8, u8)>()) {
        let scratch = Scratch::new();
        let repo = scratch.repo("a.git");
        let ids = build(&repo, &parents, &dates);
        let [tip, hide, other] = [pick.0, pick.1, pick.2].map(|pick| usize::from(pick) % ids.len());

        let all = repo.walk(&Walk::from(ids[tip])).unwrap();
        prop_assert_eq!(&all, &by_git(&repo, &["rev-list", "--date-order", &ids[tip].to_string()]));

        let range = repo.walk(&Walk::from(ids[tip]).hiding(ids[hide]).hiding(ids[other])).unwrap();
        let hidden: BTreeSet<_> = reachable(&parents, hide).union(&reachable(&parents, other)).copied().collect();
        let expected: BTreeSet<_> = reachable(&parents, tip).difference(&hidden).map(|at| ids[*at]).collect();
        prop_assert_eq!(range.iter().copied().collect::<BTreeSet<_>>(), expected);
        // The order of a range is that of the whole.
        let position = |id: &CommitId| all.iter().position(|other| other == id);
        let is_parent = |pair: &[CommitId]| repo.commit(&pair[1]).unwrap().parents.contains(&pair[0]);
        let in_order = range.iter().all(|id| position(id).is_some()) && !range.windows(2).any(is_parent);
        prop_assert!(in_order);
        prop_assert_eq!(&repo.walk(&Walk::from(ids[tip]).hiding(ids[hide]).hiding(ids[other]).limit(2)).unwrap()[..], &range[..range.len().min(2)]);

        let line = repo.walk(&Walk::from(ids[tip]).first_parent()).unwrap();
        prop_assert_eq!(&line, &by_git(&repo, &["rev-list", "--first-parent", "--topo-order", &ids[tip].to_string()]));
        let cut = repo.walk(&Walk::from(ids[tip]).first_parent().hiding(ids[hide])).unwrap();
        let hidden: BTreeSet<_> = reachable(&parents, hide).into_iter().map(|at| ids[at]).collect();
        prop_assert_eq!(cut, line.into_iter().filter(|id| !hidden.contains(id)).collect::<Vec<_>>());
    }

    #[test]
    fn ancestry_is_gits((parents, dates) in shape(), pick in any::<(u8, u8)>()) {
        let scratch = Scratch::new();
        let repo = scratch.repo("a.git");
        let ids = build(&repo, &parents, &dates);
        let [one, other] = [pick.0, pick.1].map(|pick| ids[usize::from(pick) % ids.len()]);
        let (one_text, other_text) = (one.to_string(), other.to_string());
        let is_ancestor = try_git(repo.path(), &["merge-base", "--is-ancestor", &one_text, &other_text]).0;
        prop_assert_eq!(repo.is_ancestor(&one, &other).unwrap(), is_ancestor);
        let (_, bases) = try_git(repo.path(), &["merge-base", "--all", &one_text, &other_text]);
        let bases: Vec<CommitId> = bases.lines().map(|line| line.parse().unwrap()).collect();
        match repo.merge_base(&one, &other).unwrap() {
            Some(base) => prop_assert!(bases.contains(&base)),
            None => prop_assert!(bases.is_empty()),
        }
    }
}

#[test]
fn a_commit_graph_changes_nothing() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let parents = vec![vec![], vec![0], vec![1], vec![0], vec![2, 3], vec![4]];
    let ids = build(&repo, &parents, &[10, 9, 8, 7, 6, 5]);
    let walk = Walk::from(ids[5]).hiding(ids[1]);
    let before = repo.walk(&walk).unwrap();
    set_ref(repo.path(), "refs/heads/master", ids[4]);
    git(repo.path(), &["commit-graph", "write", "--reachable", "--no-progress"]);
    assert_eq!(repo.walk(&walk).unwrap(), before);
    assert_eq!(before.len(), 4);
    assert!(repo.is_ancestor(&ids[3], &ids[5]).unwrap());
    assert!(!repo.is_ancestor(&ids[3], &ids[2]).unwrap());
}

#[test]
fn a_limited_first_parent_walk_stops_early() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    let ids = build(&repo, &[vec![], vec![0], vec![1]], &[1, 2, 3]);
    let root = ids[0].to_string();
    std::fs::remove_file(repo.path().join("objects").join(&root[..2]).join(&root[2..])).unwrap();
    assert_eq!(repo.walk(&Walk::from(ids[2]).first_parent().limit(2)).unwrap(), [ids[2], ids[1]]);
}

#[test]
fn dates_that_run_backwards_hide_no_less() {
    let scratch = Scratch::new();
    let repo = scratch.repo("a.git");
    // The tip reaches commit 1 directly, and what is hidden reaches it only through two much older-looking commits.
    let ids =
        build(&repo, &[vec![], vec![0], vec![1], vec![2], vec![1, 3], vec![3]], &[80, 90, 4, 5, 100, 99]);
    assert_eq!(repo.walk(&Walk::from(ids[4]).hiding(ids[5])).unwrap(), [ids[4]]);
}
