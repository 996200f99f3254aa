//! People: what they push, rewind and delete past the service.

use std::sync::Arc;

use super::World;
use super::dag::{Author, Trailers, Tree};
use super::node::{Node, StateNode};
use super::remote::Edit;
use super::trace::Actor;
use crate::setup::Required;

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PersonMove {
    /// Pushes something that has nothing to do with images.
    Push {
        /// Whether it breaks the checks.
        broken: bool,
    },
    /// Changes a slot's images.
    Edit {
        /// The slot, modulo those that exist.
        slot: u8,
        /// The release.
        release: u8,
    },
    /// Makes the change of a commit of the chain by hand.
    Same {
        /// Which one, modulo the chain.
        nth: u8,
    },
    /// Cherry-picks a commit of the chain, with its message.
    CherryPick {
        /// Which one, modulo the chain.
        nth: u8,
        /// What its images become meanwhile; 0 leaves them.
        release: u8,
    },
    /// Merges a commit of the chain.
    Merge {
        /// Which one, modulo the chain.
        nth: u8,
    },
    /// Pushes a commit of the chain to stable, tested or not.
    LandByHand {
        /// Which one, modulo the chain.
        nth: u8,
    },
    /// Takes stable back by force.
    Rewind {
        /// By how many commits.
        back: u8,
    },
    /// Pushes a commit on top of auto.
    Foreign {
        /// Whether its message is copied from the commit beneath.
        copied: bool,
        /// What it changes the first slot to; 0 changes something else.
        release: u8,
    },
    /// Moves auto back by force.
    RewindAuto {
        /// By how many commits.
        back: u8,
    },
    /// Deletes auto.
    DeleteAuto,
    /// Deletes the scratch branch.
    DeleteProbe,
    /// Deletes the state branch.
    DeleteState,
    /// Takes the state branch back by force.
    RewindState {
        /// By how many commits.
        back: u8,
    },
    /// Gives stable another name, or gives it its name back.
    RenameStable,
    /// Changes which checks the forge requires.
    Require(Required),
}

impl World {
    /// Lets a person act.
    pub fn person(&mut self, what: PersonMove) {
        let refs = self.remote.refs;
        match what {
            PersonMove::Push { broken } => {
                let mut tree = self.dag.commit(refs.stable).tree;
                tree.rest += 1;
                tree.broken = broken;
                self.push_to_stable(vec![refs.stable], tree, None);
            }
            PersonMove::Edit { slot, release } => {
                let count = self.setup.waves * 2;
                let slot = usize::from(slot) % count;
                if self.slot_name(slot).is_some() {
                    let mut tree = self.dag.commit(refs.stable).tree;
                    tree.slots[slot] = release;
                    self.push_to_stable(vec![refs.stable], tree, None);
                }
            }
            PersonMove::Same { nth } => self.copy(nth, |_| None, 0),
            PersonMove::CherryPick { nth, release } => self.copy(nth, |trailers| trailers, release),
            PersonMove::Merge { nth } => self.merge(nth),
            PersonMove::LandByHand { nth } => {
                if let Some(node) =
                    self.nth_of_chain(nth).filter(|node| self.dag.contains(*node, refs.stable))
                {
                    self.set(Edit::Stable { to: node }, Actor::Person, None);
                }
            }
            PersonMove::Rewind { back } => {
                let to = self.dag.first_parents(refs.stable).nth(usize::from(back));
                if let Some(to) = to {
                    self.set(Edit::Stable { to }, Actor::Person, None);
                }
            }
            PersonMove::Foreign { copied, release } => self.push_to_auto(copied, release),
            PersonMove::RewindAuto { back } => {
                let to = refs.auto.and_then(|auto| self.dag.first_parents(auto).nth(usize::from(back)));
                if to.is_some() {
                    self.set(Edit::Auto { from: refs.auto, to }, Actor::Person, None);
                }
            }
            PersonMove::DeleteAuto => self.set(Edit::Auto { from: refs.auto, to: None }, Actor::Person, None),
            PersonMove::DeleteProbe => {
                self.set(Edit::Probe { from: refs.probe, to: None }, Actor::Person, None);
            }
            PersonMove::DeleteState => self.move_state(refs.state, None),
            PersonMove::RewindState { back } => {
                let to = self.states.history(refs.state).nth(usize::from(back));
                if to.is_some() {
                    self.move_state(refs.state, to);
                }
            }
            PersonMove::RenameStable => self.remote.renamed = !self.remote.renamed,
            PersonMove::Require(which) => {
                self.required = Arc::new(which.checks());
                self.ci.require(&self.required);
            }
        }
    }

    fn move_state(&mut self, from: Option<StateNode>, to: Option<StateNode>) {
        if from != to {
            self.set(Edit::State { from, to }, Actor::Person, None);
        }
    }

    fn nth_of_chain(&self, nth: u8) -> Option<Node> {
        let refs = self.remote.refs;
        let chain = self.dag.chain(refs.auto?, refs.stable);
        (!chain.is_empty()).then(|| chain[usize::from(nth) % chain.len()])
    }

    fn copy(&mut self, nth: u8, message: impl Fn(Option<Trailers>) -> Option<Trailers>, release: u8) {
        let Some(node) = self.nth_of_chain(nth) else { return };
        let Some(trailers) = self.dag.commit(node).trailers else { return };
        let stable = self.remote.refs.stable;
        let mut tree = self.dag.commit(stable).tree;
        let theirs = self.dag.commit(node).tree.slots[trailers.slot];
        tree.slots[trailers.slot] = if release == 0 { theirs } else { release };
        self.push_to_stable(vec![stable], tree, message(Some(trailers)));
    }

    fn merge(&mut self, nth: u8) {
        let Some(node) = self.nth_of_chain(nth) else { return };
        let stable = self.remote.refs.stable;
        let mut tree = self.dag.commit(stable).tree;
        for commit in self.dag.chain(node, stable) {
            for slot in self.dag.changed(commit) {
                tree.slots[slot] = self.dag.commit(commit).tree.slots[slot];
            }
        }
        self.push_to_stable(vec![stable, node], tree, None);
    }

    fn push_to_stable(&mut self, parents: Vec<Node>, tree: Tree, trailers: Option<Trailers>) {
        let to = self.dag.add(parents, tree, Author::Person, trailers, self.now());
        self.set(Edit::Stable { to }, Actor::Person, None);
    }

    fn push_to_auto(&mut self, copied: bool, release: u8) {
        let refs = self.remote.refs;
        let base = refs.auto.unwrap_or(refs.stable);
        let mut tree = self.dag.commit(base).tree;
        if release == 0 {
            tree.rest += 1;
        } else {
            tree.slots[0] = release;
        }
        let trailers = self.dag.commit(base).trailers.filter(|_| copied);
        let to = self.dag.add(vec![base], tree, Author::Foreign, trailers, self.now());
        self.set(Edit::Auto { from: refs.auto, to: Some(to) }, Actor::Person, None);
    }
}
