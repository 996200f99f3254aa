//! The remote: its branches, each moved by compare-and-swap or plain fast-forward.

use super::dag::Dag;
use super::node::{Node, StateNode};

/// Where the branches are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Refs {
    /// The stable branch.
    pub stable: Node,
    /// The auto branch.
    pub auto: Option<Node>,
    /// The state branch.
    pub state: Option<StateNode>,
    /// The scratch branch.
    pub probe: Option<Node>,
}

/// One reference to move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Stable, by a plain push: only forward.
    Stable {
        /// Where to.
        to: Node,
    },
    /// Auto, if it is where it is believed to be.
    Auto {
        /// Where it is believed to be.
        from: Option<Node>,
        /// Where to.
        to: Option<Node>,
    },
    /// State, if it is where it is believed to be.
    State {
        /// Where it is believed to be.
        from: Option<StateNode>,
        /// Where to.
        to: Option<StateNode>,
    },
    /// The scratch branch, if it is where it is believed to be.
    Probe {
        /// Where it is believed to be.
        from: Option<Node>,
        /// Where to.
        to: Option<Node>,
    },
    /// A new name for somebody else's commit.
    Park {
        /// The commit.
        commit: Node,
    },
}

/// How strictly the remote checks; anything but the default is a seeded bug of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leases {
    /// Stable only moves forward.
    pub stable: bool,
    /// State only moves from where it is believed to be.
    pub state: bool,
    /// Auto only moves from where it is believed to be.
    pub auto: bool,
}

impl Default for Leases {
    fn default() -> Self {
        Self { stable: true, state: true, auto: true }
    }
}

/// The remote repository.
#[derive(Debug, Clone)]
pub struct Remote {
    /// Where its branches are.
    pub refs: Refs,
    /// Whether stable has another name for now, so that nobody finds it; a plain push makes it anew.
    pub renamed: bool,
    /// Commits of others that were given a name.
    pub parked: Vec<Node>,
    /// Where its branches were, oldest first, the present included: what a stale read may show.
    log: Vec<Refs>,
}

impl Remote {
    /// Builds a remote that has a stable branch and nothing else.
    pub fn new(stable: Node) -> Self {
        let refs = Refs { stable, auto: None, state: None, probe: None };
        Self { refs, renamed: false, parked: Vec::new(), log: vec![refs] }
    }

    /// Counts how often a branch moved.
    pub fn movements(&self) -> usize {
        self.log.len()
    }

    /// Tells whether an edit would be taken.
    pub fn takes(&self, edit: Edit, dag: &Dag, leases: Leases) -> bool {
        match edit {
            Edit::Stable { to } => !leases.stable || dag.contains(to, self.refs.stable),
            Edit::Auto { from, .. } => !leases.auto || from == self.refs.auto,
            Edit::State { from, .. } => !leases.state || from == self.refs.state,
            Edit::Probe { from, .. } => from == self.refs.probe,
            Edit::Park { .. } => true,
        }
    }

    /// Moves a reference, whatever it was.
    pub fn set(&mut self, edit: Edit) {
        match edit {
            Edit::Stable { to } => (self.refs.stable, self.renamed) = (to, false),
            Edit::Auto { to, .. } => self.refs.auto = to,
            Edit::State { to, .. } => self.refs.state = to,
            Edit::Probe { to, .. } => self.refs.probe = to,
            Edit::Park { commit } => self.parked.push(commit),
        }
        if self.log.last() != Some(&self.refs) {
            self.log.push(self.refs);
        }
    }

    /// Reads the branches as they were `back` movements ago, for those that `mask` names; the others as they are.
    pub fn read(&self, back: usize, mask: u8) -> Refs {
        let old = self.log[self.log.len().saturating_sub(1 + back)];
        let mut refs = self.refs;
        if mask & 1 != 0 {
            refs.stable = old.stable;
        }
        if mask & 2 != 0 {
            refs.auto = old.auto;
        }
        if mask & 4 != 0 {
            refs.state = old.state;
        }
        if mask & 8 != 0 {
            refs.probe = old.probe;
        }
        refs
    }
}
