//! The commits of the configuration branches.

use std::sync::Arc;

use cfgupdater_core::{History, IntentId, Timestamp};

use super::node::{Node, StateNode};

/// How many image slots a tree has room for: three waves of two sets.
pub const SLOTS: usize = 6;

/// What a commit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Tree {
    /// The number of the release in each slot; 0 for none.
    pub slots: [u8; SLOTS],
    /// Everything else, as a number that people change.
    pub rest: u16,
    /// Whether everything else breaks the checks.
    pub broken: bool,
}

/// Who made a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Author {
    /// A person, on stable.
    Person,
    /// The service.
    Service,
    /// Anybody who pushed to auto.
    Foreign,
}

/// What a message of ours says. Trailers are not authentication: people copy them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Trailers {
    /// The intent.
    pub intent: IntentId,
    /// The slot it says it writes.
    pub slot: usize,
    /// The state commit that accepted the intent.
    pub cited: StateNode,
    /// The application's commit, as the number of its release.
    pub app: u8,
}

/// One commit.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Its parents; none for the first commit.
    pub parents: Vec<Node>,
    /// What it holds.
    pub tree: Tree,
    /// Who made it.
    pub author: Author,
    /// What its message says, if it is in the form of ours.
    pub trailers: Option<Trailers>,
    /// Its date.
    pub date: Timestamp,
    /// How many first parents lie before it.
    pub depth: usize,
    ancestors: Vec<u64>,
    pub(super) history: Option<Arc<History>>,
}

/// All commits ever made.
#[derive(Debug, Clone, Default)]
pub struct Dag {
    commits: Vec<Commit>,
}

impl Dag {
    /// Adds a commit; the same content gives the same commit.
    pub fn add(
        &mut self,
        parents: Vec<Node>,
        tree: Tree,
        author: Author,
        trailers: Option<Trailers>,
        date: Timestamp,
    ) -> Node {
        let same = |commit: &Commit| {
            commit.tree == tree
                && commit.trailers == trailers
                && commit.date == date
                && commit.parents == parents
                && commit.author == author
        };
        if let Some(known) = self.commits.iter().rposition(same) {
            return Node::at(known);
        }
        let node = Node::at(self.commits.len());
        let mut ancestors = vec![0; node.index() / 64 + 1];
        for parent in &parents {
            for (word, theirs) in ancestors.iter_mut().zip(&self.commits[parent.index()].ancestors) {
                *word |= theirs;
            }
        }
        ancestors[node.index() / 64] |= 1 << (node.index() % 64);
        let depth = parents.first().map_or(0, |first| self.commits[first.index()].depth + 1);
        let commit = Commit { parents, tree, author, trailers, date, depth, ancestors, history: None };
        self.commits.push(commit);
        node
    }

    /// Returns a commit.
    pub fn commit(&self, node: Node) -> &Commit {
        &self.commits[node.index()]
    }

    pub(super) fn commit_mut(&mut self, node: Node) -> &mut Commit {
        &mut self.commits[node.index()]
    }

    /// Returns how many commits there are.
    pub fn len(&self) -> usize {
        self.commits.len()
    }

    /// Tells whether there is no commit yet.
    pub fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    /// Tells whether `ancestor` is `descendant` or reachable from it.
    pub fn contains(&self, descendant: Node, ancestor: Node) -> bool {
        let words = &self.commit(descendant).ancestors;
        words.get(ancestor.index() / 64).is_some_and(|word| word >> (ancestor.index() % 64) & 1 == 1)
    }

    /// Returns the first parent.
    pub fn first_parent(&self, node: Node) -> Option<Node> {
        self.commit(node).parents.first().copied()
    }

    /// Lists the first parents from `tip` down to, but without, what `hidden` contains; oldest first.
    pub fn chain(&self, tip: Node, hidden: Node) -> Vec<Node> {
        let mut found = Vec::new();
        let mut next = Some(tip);
        while let Some(node) = next.filter(|node| !self.contains(hidden, *node)) {
            found.push(node);
            next = self.first_parent(node);
        }
        found.reverse();
        found
    }

    /// Lists the first parents of `tip`, itself included, newest first.
    pub fn first_parents(&self, tip: Node) -> impl Iterator<Item = Node> {
        std::iter::successors(Some(tip), |node| self.first_parent(*node))
    }

    /// Returns the slots in which a commit differs from its first parent.
    pub fn changed(&self, node: Node) -> impl Iterator<Item = usize> {
        let before = self.first_parent(node).map(|parent| self.commit(parent).tree).unwrap_or_default();
        let after = self.commit(node).tree;
        (0..SLOTS).filter(move |slot| before.slots[*slot] != after.slots[*slot])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestry_follows_every_parent_and_chains_the_first() {
        let mut dag = Dag::default();
        let mut add = |parents: &[Node], rest| {
            let tree = Tree { rest, ..Tree::default() };
            dag.add(parents.to_vec(), tree, Author::Person, None, Timestamp::default())
        };
        let root = add(&[], 0);
        let (left, right) = (add(&[root], 1), add(&[root], 2));
        let merge = add(&[left, right], 3);
        assert_eq!(add(&[root], 1), left);
        assert!(dag.contains(merge, right) && !dag.contains(left, right));
        assert_eq!(dag.chain(merge, root), [left, merge]);
        assert_eq!(dag.chain(merge, left), [merge]);
    }
}
