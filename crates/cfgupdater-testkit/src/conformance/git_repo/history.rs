//! Ancestry and walks, judged by naive reachability.

use std::collections::BTreeSet;

use cfgupdater_core::{CommitId, GitRepo, Walk};
use fastrand::Rng;

use super::{GitRepoHarness, commit};
use crate::conformance::seeds::each_seed;

/// A history as drawn: for each commit the positions of its parents, which come before it, and its date.
struct Shape {
    parents: Vec<Vec<usize>>,
    dates: Vec<i64>,
}

impl Shape {
    /// Dates run any way, since commits carry those of the intents they stand for.
    fn draw(rng: &mut Rng) -> Self {
        let count = rng.usize(2..14);
        let parents = (0..count).map(|at| {
            let drawn: BTreeSet<usize> = (0..rng.usize(..3)).map(|_| rng.usize(..at.max(1))).collect();
            drawn.into_iter().filter(|parent| *parent < at).rev().collect()
        });
        let parents = parents.collect();
        let mut dates: Vec<i64> = (1..).take(count).collect();
        rng.shuffle(&mut dates);
        Self { parents, dates }
    }

    fn build(&self, repo: &dyn GitRepo) -> Vec<CommitId> {
        let mut ids: Vec<CommitId> = Vec::new();
        for (at, parents) in self.parents.iter().enumerate() {
            let parents: Vec<_> = parents.iter().map(|parent| ids[*parent]).collect();
            ids.push(commit(repo, &parents, &[("f", &at.to_string())], self.dates[at]));
        }
        ids
    }

    fn reachable(&self, from: &[usize], first_parent: bool) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open = from.to_vec();
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                let parents = self.parents[at].iter();
                open.extend(parents.take(if first_parent { 1 } else { usize::MAX }));
            }
        }
        seen
    }

    /// Tells whether each commit is the newest of those whose children are out.
    fn is_in_order(&self, listed: &[usize], first_parent: bool) -> bool {
        let parents = |at: usize| {
            let all = &self.parents[at];
            &all[..all.len().min(if first_parent { 1 } else { usize::MAX })]
        };
        (0..listed.len()).all(|position| {
            let rest = &listed[position..];
            let is_ready = |at: usize| !rest.iter().any(|child| parents(*child).contains(&at));
            let newest = rest.iter().filter(|at| is_ready(**at)).map(|at| self.dates[*at]).max();
            is_ready(rest[0]) && Some(self.dates[rest[0]]) == newest
        })
    }
}

/// One commit is an ancestor of another if it is reachable, and a merge base is a best common one.
pub fn ancestry_is_reachability(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    each_seed(8, |rng| {
        let shape = Shape::draw(rng);
        let ids = shape.build(repo);
        for _ in 0..12 {
            let (one, other) = (rng.usize(..ids.len()), rng.usize(..ids.len()));
            let [ours, theirs] = [one, other].map(|at| shape.reachable(&[at], false));
            assert_eq!(repo.is_ancestor(&ids[one], &ids[other]).unwrap(), theirs.contains(&one));
            let common: BTreeSet<usize> = ours.intersection(&theirs).copied().collect();
            let covered: BTreeSet<usize> =
                common.iter().flat_map(|at| shape.reachable(&shape.parents[*at], false)).collect();
            let best: Vec<_> = common.difference(&covered).map(|at| ids[*at]).collect();
            match repo.merge_base(&ids[one], &ids[other]).unwrap() {
                Some(base) => assert!(best.contains(&base), "{base} is no best common ancestor"),
                None => assert!(best.is_empty(), "{best:?} are common"),
            }
        }
    });
}

/// A range holds what the tip reaches and nothing hidden reaches; children come before parents, else the newest first.
pub fn walks_list_what_is_reachable_in_order(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    each_seed(8, |rng| {
        let shape = Shape::draw(rng);
        let ids = shape.build(repo);
        for first_parent in [false, true, false] {
            let tip = rng.usize(..ids.len());
            let hide: Vec<usize> = (0..rng.usize(..3)).map(|_| rng.usize(..ids.len())).collect();
            let mut walk = hide.iter().fold(Walk::from(ids[tip]), |walk, at| walk.hiding(ids[*at]));
            walk.first_parent = first_parent;
            let listed = repo.walk(&walk).unwrap();
            let listed: Vec<usize> =
                listed.iter().map(|id| ids.iter().position(|other| other == id).unwrap()).collect();
            let hidden = shape.reachable(&hide, false);
            let expected: BTreeSet<usize> =
                shape.reachable(&[tip], first_parent).difference(&hidden).copied().collect();
            assert_eq!(listed.iter().copied().collect::<BTreeSet<_>>(), expected);
            assert_eq!(listed.len(), expected.len(), "each commit once");
            assert!(shape.is_in_order(&listed, first_parent), "{listed:?} of {:?}", shape.parents);
        }
    });
}

/// What is hidden only through commits that look much older stays hidden.
pub fn dates_that_run_backwards_hide_no_less(harness: &impl GitRepoHarness) {
    let shape = Shape {
        parents: vec![vec![], vec![0], vec![1], vec![2], vec![1, 3], vec![3]],
        dates: vec![80, 90, 4, 5, 100, 99],
    };
    let ids = shape.build(harness.repo());
    assert_eq!(harness.repo().walk(&Walk::from(ids[4]).hiding(ids[5])).unwrap(), [ids[4]]);
}

/// A limit cuts the list and changes nothing else.
pub fn walks_stop_at_their_limit(harness: &impl GitRepoHarness) {
    let repo = harness.repo();
    let shape =
        Shape { parents: vec![vec![], vec![0], vec![0], vec![1, 2], vec![3]], dates: vec![1, 2, 3, 4, 5] };
    let ids = shape.build(repo);
    let walk = Walk::from(ids[4]);
    let all = repo.walk(&walk).unwrap();
    assert_eq!(all.len(), 5);
    for limit in 0..6 {
        assert_eq!(repo.walk(&walk.clone().limit(limit)).unwrap(), all[..limit.min(5)]);
    }
    let line = repo.walk(&walk.first_parent().limit(2)).unwrap();
    assert_eq!(line, [ids[4], ids[3]]);
}
