//! What a world is, as one number: equal where the same can happen from here on.
//!
//! Left out is what has happened (the trace, what branches were) and what only people read. The names of commits are
//! replaced by what these hold, so that it doesn't matter in which order they were made; so are the numbers of replicas.

use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::World;
use super::node::{Node, StateNode};
use super::remote::{Edit, Refs};
use super::replica::{Job, Replica};

impl World {
    /// Returns a number that tells this world from others, whatever its commits and replicas are called.
    pub fn fingerprint(&self) -> u64 {
        let names = Names::new(self);
        let mut whole = names.hasher();
        self.now.hash(&mut whole);
        hash_refs(&self.remote.refs, &mut whole);
        let mut parked: Vec<u64> = self.remote.parked.iter().map(|node| names.node(*node)).collect();
        parked.sort_unstable();
        parked.hash(&mut whole);
        let mut tested: Vec<u64> =
            (0..self.dag.len()).map(Node::at).filter_map(|node| names.tested(node)).collect();
        tested.sort_unstable();
        tested.hash(&mut whole);
        let mut replicas: Vec<u64> = self.replicas.iter().map(|replica| names.replica(replica)).collect();
        replicas.sort_unstable();
        replicas.hash(&mut whole);
        let mut late: Vec<u64> = self.late.iter().map(|late| names.late(late)).collect();
        late.sort_unstable();
        late.hash(&mut whole);
        whole.finish()
    }
}

/// What commits hold, as numbers, worked out when they are first asked for.
struct Names<'a> {
    world: &'a World,
    nodes: RefCell<Vec<Option<u64>>>,
    states: RefCell<Vec<Option<u64>>>,
}

impl<'a> Names<'a> {
    fn new(world: &'a World) -> Self {
        let (nodes, states) = (vec![None; world.dag.len()], vec![None; world.states.len()]);
        Self { world, nodes: RefCell::new(nodes), states: RefCell::new(states) }
    }

    fn hasher(&self) -> Renaming<'_> {
        Renaming { names: self, inner: DefaultHasher::new() }
    }

    fn node(&self, node: Node) -> u64 {
        if let Some(known) = self.nodes.borrow()[node.index()] {
            return known;
        }
        let commit = self.world.dag.commit(node);
        let mut hasher = self.hasher();
        commit.parents.iter().for_each(|parent| parent.id().hash(&mut hasher));
        (commit.tree, commit.author, commit.date).hash(&mut hasher);
        if let Some(said) = commit.trailers {
            (said.intent, said.slot, said.app, said.cited.id()).hash(&mut hasher);
        }
        let name = hasher.finish();
        self.nodes.borrow_mut()[node.index()] = Some(name);
        name
    }

    fn state(&self, node: StateNode) -> u64 {
        if let Some(known) = self.states.borrow()[node.index()] {
            return known;
        }
        let commit = self.world.states.commit(node);
        let mut hasher = self.hasher();
        commit.parent.map(StateNode::id).hash(&mut hasher);
        commit.entry.hash(&mut hasher);
        let name = hasher.finish();
        self.states.borrow_mut()[node.index()] = Some(name);
        name
    }

    /// What CI said of a commit; `None` where it said nothing.
    fn tested(&self, node: Node) -> Option<u64> {
        let runs = self.world.ci.runs(node);
        let mut hasher = self.hasher();
        (node.id(), runs).hash(&mut hasher);
        (!runs.is_empty()).then(|| hasher.finish())
    }

    fn replica(&self, replica: &Replica) -> u64 {
        let Replica { reconciler, job, wake, skew, view, .. } = replica;
        let mut hasher = self.hasher();
        (reconciler, wake, skew).hash(&mut hasher);
        match job {
            None => {}
            Some(Job::ReadBranches(revisions)) => (1, revisions).hash(&mut hasher),
            Some(Job::ReadChecks(refs, revisions)) => {
                hash_refs(refs, &mut hasher);
                (2, revisions).hash(&mut hasher);
            }
            // What it was served decides how the push is carried out and judged.
            Some(Job::Perform(effect)) => {
                (3, effect).hash(&mut hasher);
                if let Some(view) = view {
                    hash_refs(&view.refs, &mut hasher);
                    (&view.snapshot.checks, view.snapshot.now).hash(&mut hasher);
                }
            }
        }
        hasher.finish()
    }

    fn late(&self, late: &super::write::Late) -> u64 {
        let mut hasher = self.hasher();
        late.edits.iter().for_each(|edit| hash_edit(*edit, &mut hasher));
        hash_refs(&late.view.refs, &mut hasher);
        late.view.snapshot.checks.hash(&mut hasher);
        hasher.finish()
    }
}

fn hash_refs(refs: &Refs, hasher: &mut impl Hasher) {
    let Refs { stable, auto, state, probe } = refs;
    (stable.id(), auto.map(Node::id), state.map(StateNode::id), probe.map(Node::id)).hash(hasher);
}

fn hash_edit(edit: Edit, hasher: &mut impl Hasher) {
    let id = |node: Option<Node>| node.map(Node::id);
    match edit {
        Edit::Stable { to } => (1, to.id()).hash(hasher),
        Edit::Auto { from, to } => (2, id(from), id(to)).hash(hasher),
        Edit::State { from, to } => (3, from.map(StateNode::id), to.map(StateNode::id)).hash(hasher),
        Edit::Probe { from, to } => (4, id(from), id(to)).hash(hasher),
        Edit::Park { commit } => (5, commit.id()).hash(hasher),
    }
}

/// A hasher that takes ids of the world's commits for what these hold.
struct Renaming<'a> {
    names: &'a Names<'a>,
    inner: DefaultHasher,
}

impl Hasher for Renaming<'_> {
    fn write(&mut self, bytes: &[u8]) {
        let id =
            bytes.get(..20).filter(|_| bytes.len() == 32).and_then(cfgupdater_core::ObjectId::from_bytes);
        let id = id.map(cfgupdater_core::CommitId::new);
        let node = id.and_then(|id| Node::of(&id)).filter(|node| node.index() < self.names.world.dag.len());
        let state =
            id.and_then(|id| StateNode::of(&id)).filter(|node| node.index() < self.names.world.states.len());
        match (node, state) {
            (Some(node), _) => self.inner.write_u64(self.names.node(node)),
            (_, Some(state)) => self.inner.write_u64(self.names.state(state)),
            _ => self.inner.write(bytes),
        }
    }

    fn finish(&self) -> u64 {
        self.inner.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutations::Honest;
    use crate::setup::Setup;
    use crate::world::people::PersonMove;
    use crate::world::replica::Fault;

    fn world() -> World {
        World::new(Setup { replicas: 2, ..Setup::plain() }, Box::new(Honest))
    }

    #[test]
    fn it_does_not_matter_which_replica_did_it_or_which_commit_was_made_first() {
        let announce = |world: &mut World, replica: usize| {
            let images = crate::world::releases::images(1).clone();
            let app_sha = crate::world::releases::app_sha(1);
            let set = world.policy.sets[0].name.clone();
            let announced =
                cfgupdater_core::Announcement { set, app_sha, sequence: None, attempt: 1, images };
            world.call(replica, "app-ci", cfgupdater_core::Request::Announce(announced));
        };
        let (mut one, mut other) = (world(), world());
        announce(&mut one, 0);
        announce(&mut other, 1);
        assert_eq!(one.fingerprint(), other.fingerprint());
        one.turn(0, Fault::Nothing);
        assert_ne!(one.fingerprint(), other.fingerprint());
        let before = one.fingerprint();
        one.person(PersonMove::Push { broken: false });
        assert_ne!(one.fingerprint(), before);
    }

    #[test]
    fn commits_are_told_by_what_they_hold() {
        let (mut one, mut other) = (world(), world());
        let tree = |rest| crate::world::dag::Tree { rest, ..Default::default() };
        let add = |world: &mut World, rest| {
            let (root, now) = (world.remote.refs.stable, world.now());
            world.dag.add(vec![root], tree(rest), crate::world::dag::Author::Person, None, now)
        };
        let (first, _) = (add(&mut one, 7), add(&mut one, 8));
        let (_, second) = (add(&mut other, 8), add(&mut other, 7));
        assert_ne!(first, second);
        one.set(Edit::Stable { to: first }, crate::world::trace::Actor::Person, None);
        other.set(Edit::Stable { to: second }, crate::world::trace::Actor::Person, None);
        assert_eq!(one.fingerprint(), other.fingerprint());
    }
}
