//! The commits of the state branch: batches of records, folded by the product's own data format.

use std::sync::Arc;

use cfgupdater_core::{Entry, IntentId, State};

use super::node::StateNode;

/// One commit of the state branch.
#[derive(Debug, Clone)]
pub struct StateCommit {
    /// The commit before it.
    pub parent: Option<StateNode>,
    /// What it records.
    pub entry: Entry,
    /// The state that results.
    pub state: Arc<State>,
}

/// All commits of the state branch ever made, pushed or not.
#[derive(Debug, Clone, Default)]
pub struct StateCommits {
    commits: Vec<StateCommit>,
}

impl StateCommits {
    /// Adds a commit; the same record on the same parent gives the same commit.
    pub fn add(&mut self, parent: Option<StateNode>, entry: Entry) -> StateNode {
        let same = |commit: &StateCommit| commit.parent == parent && commit.entry == entry;
        if let Some(known) = self.commits.iter().rposition(same) {
            return StateNode::at(known);
        }
        let mut state = parent.map(|parent| (*self.commit(parent).state).clone()).unwrap_or_default();
        state.apply_entry(&entry);
        self.commits.push(StateCommit { parent, entry, state: Arc::new(state) });
        StateNode::at(self.commits.len() - 1)
    }

    /// Returns how many commits there are.
    pub(super) fn len(&self) -> usize {
        self.commits.len()
    }

    /// Returns a commit.
    pub fn commit(&self, node: StateNode) -> &StateCommit {
        &self.commits[node.index()]
    }

    /// Lists a commit and all before it, newest first.
    pub fn history(&self, tip: Option<StateNode>) -> impl Iterator<Item = StateNode> {
        std::iter::successors(tip, |node| self.commit(*node).parent)
    }

    /// Tells whether `ancestor` is `descendant` or before it.
    pub fn contains(&self, descendant: Option<StateNode>, ancestor: StateNode) -> bool {
        self.history(descendant).take_while(|node| *node >= ancestor).any(|node| node == ancestor)
    }

    /// Finds the oldest commit in a row, from `tip` back, that holds the intent: the one our commits cite.
    pub fn accepted_in(&self, tip: StateNode, intent: IntentId) -> Option<StateNode> {
        let holds = |node: &StateNode| self.commit(*node).state.intents.contains_key(&intent);
        self.history(Some(tip)).take_while(holds).last()
    }
}
