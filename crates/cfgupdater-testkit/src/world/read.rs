//! Reading: how a snapshot is derived from the world, as the engine derives it from git.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cfgupdater_core::{
    Branches, Capabilities, ChainCommit, CheckRun, CommitId, Fault, History, HistoryCommit, ImageMap, Intent,
    IntentId, Relation, Release, Revision, Snapshot, State, Step, Timestamp,
};

use super::World;
use super::dag::Author;
use super::node::{Node, StateNode};
use super::releases;
use super::remote::Refs;
use super::replica::Fault as ReadFault;

impl World {
    /// Builds what a replica is told that was served these branches.
    pub(super) fn snapshot(
        &mut self,
        replica: usize,
        refs: Refs,
        revisions: &BTreeSet<CommitId>,
        now: Timestamp,
        fault: ReadFault,
    ) -> Snapshot {
        let history = self.history(refs.stable);
        let state = refs.state.map(|node| Arc::clone(&self.states.commit(node).state)).unwrap_or_default();
        let relation = self.relation(refs);
        let chain = self.chain(refs, relation, &state);
        let landed = self.landed(&state, refs.stable, &history);
        let mut images = self.images(&state, &history);
        let revisions =
            revisions.iter().map(|id| (*id, self.revision(id, refs.stable, &mut images))).collect();
        let faults = self.find_faults(replica, refs, &state, relation);
        let lost = faults.iter().any(|fault| matches!(fault, Fault::StateLost { .. }));
        let (cited, restorable) = if lost { self.proven_by_auto(refs, &chain) } else { Default::default() };
        let mut capabilities = Capabilities::default();
        capabilities.requests_checks = self.setup.requests_checks;
        capabilities.cancels_superseded = self.setup.cancels;
        Snapshot {
            now,
            branches: Branches {
                stable: refs.stable.id(),
                auto: refs.auto.map(Node::id),
                state: refs.state.map(StateNode::id),
                probe: refs.probe.map(Node::id),
            },
            faults,
            cited,
            restorable,
            findings: Vec::new(),
            checks: self.checks(refs.stable, &chain, fault),
            state,
            history,
            relation,
            chain,
            landed,
            required: Arc::clone(&self.required),
            capabilities,
            images,
            revisions,
        }
    }

    /// Returns what the forge says; one that is blind doesn't know the newest commit yet, and one that trails knows
    /// nothing of the last result.
    fn checks(
        &self,
        stable: Node,
        chain: &[ChainCommit],
        fault: ReadFault,
    ) -> BTreeMap<CommitId, Arc<[CheckRun]>> {
        let known = if fault == ReadFault::Blind { chain.len().saturating_sub(1) } else { chain.len() };
        let tested = chain[..known].iter().filter_map(|commit| Node::of(&commit.id)).chain([stable]);
        tested
            .filter_map(|node| {
                let trails = fault == ReadFault::Trailing;
                let said = if trails { self.ci.reported_before(node) } else { self.ci.reported(node) };
                Some((node.id(), Arc::clone(said?)))
            })
            .collect()
    }

    fn relation(&self, refs: Refs) -> Relation {
        match refs.auto {
            None => Relation::Absent,
            Some(auto) if auto == refs.stable => Relation::Same,
            Some(auto) if self.dag.contains(auto, refs.stable) => Relation::Ahead,
            Some(auto) if self.dag.contains(refs.stable, auto) => Relation::Behind,
            Some(_) => Relation::Diverged,
        }
    }

    fn chain(&self, refs: Refs, relation: Relation, state: &State) -> Vec<ChainCommit> {
        let (Relation::Ahead | Relation::Diverged, Some(auto)) = (relation, refs.auto) else {
            return Vec::new();
        };
        let told = |node: &Node| ChainCommit {
            id: node.id(),
            subject: String::new(),
            intent: self.recognise(*node, state, refs.state),
        };
        self.dag.chain(auto, refs.stable).iter().map(told).collect()
    }

    /// Returns the intent that a commit applies: the one its trailers name, if re-applying it on the commit's parent
    /// would make that very commit. One that cites another acceptance was made by a push of which state had no part.
    fn recognise(&self, node: Node, state: &State, tip: Option<StateNode>) -> Option<IntentId> {
        let trailers = self.dag.commit(node).trailers?;
        let intent = &state.intents.get(&trailers.intent)?.intent;
        let cited = || self.states.accepted_in(tip?, intent.id);
        let same = self.tamper.ignores_citations()
            || cited() == Some(trailers.cited)
            || state.excused.contains(&trailers.cited.id());
        (same && self.is_applied(node, intent)).then_some(intent.id)
    }

    fn landed(&self, state: &State, stable: Node, history: &History) -> BTreeMap<IntentId, CommitId> {
        let applied = |intent: &Intent| Some((intent.id, history.applied(intent)?.commit));
        let mut landed: BTreeMap<IntentId, CommitId> = state.live().into_iter().filter_map(applied).collect();
        if state.stable_seen == Some(stable.id()) {
            return landed;
        }
        for (intent, commit) in state.traces() {
            if Node::of(&commit).is_some_and(|node| self.dag.contains(stable, node)) {
                landed.entry(intent).or_insert(commit);
            }
        }
        landed
    }

    /// Reads the images of what the waves have, and of what may be promoted.
    fn images(&self, state: &State, history: &History) -> BTreeMap<Release, ImageMap> {
        let mut images = BTreeMap::new();
        let mut add = |release: Option<Release>| {
            if let Some(release) = release {
                images.entry(release).or_insert_with(|| releases::images(releases::number(release)));
            }
        };
        for slot in self.slots.iter().flatten() {
            add(history.latest(slot).and_then(|latest| latest.release));
        }
        for (set, from, to) in self.policy.steps() {
            let step = Step { set, from, to, state, history, now: Timestamp::default() };
            for candidate in step.promotable() {
                add(candidate.release);
            }
        }
        images
    }

    fn revision(
        &self,
        id: &CommitId,
        stable: Node,
        images: &mut BTreeMap<Release, ImageMap>,
    ) -> Option<Revision> {
        let node = Node::of(id).filter(|node| node.index() < self.dag.len())?;
        let mut releases = BTreeMap::new();
        for (slot, number) in self.slots.iter().zip(self.dag.commit(node).tree.slots) {
            let Some((slot, release)) = slot.clone().zip(releases::release(number)) else { continue };
            images.entry(release).or_insert_with(|| releases::images(number));
            releases.insert(slot, release);
        }
        Some(Revision { on_stable: self.dag.contains(stable, node), releases })
    }

    /// Returns the state commits that our commits cite, and the intents that auto's commits prove by themselves.
    fn proven_by_auto(&self, refs: Refs, chain: &[ChainCommit]) -> (Vec<CommitId>, Vec<Intent>) {
        let mut cited: Vec<CommitId> = self.cited(refs.stable).map(StateNode::id).into_iter().collect();
        let mut proven = Vec::new();
        for node in chain.iter().filter_map(|link| Node::of(&link.id)) {
            let Some(trailers) = self.dag.commit(node).trailers else { continue };
            let lost = &self.states.commit(trailers.cited).state;
            let Some(known) = lost.intents.get(&trailers.intent) else { continue };
            let intent = Intent { accepted_on: refs.stable.id(), ..known.intent.clone() };
            if self.is_applied(node, &intent) {
                cited.push(trailers.cited.id());
                proven.push(intent);
            }
        }
        (cited, proven)
    }

    /// Tells whether re-applying an intent on a commit's parent gives the commit's tree.
    fn is_applied(&self, node: Node, intent: &Intent) -> bool {
        let commit = self.dag.commit(node);
        let ([parent], Some(slot)) = (commit.parents.as_slice(), self.slot(&intent.wave, &intent.set)) else {
            return false;
        };
        // A copy has a date of its own.
        if commit.author != Author::Service {
            return false;
        }
        let mut expected = self.dag.commit(*parent).tree;
        expected.slots[slot] = releases::number(intent.release);
        expected == commit.tree
    }

    fn find_faults(&self, replica: usize, refs: Refs, state: &State, relation: Relation) -> Vec<Fault> {
        let mut faults = Vec::new();
        let cited = self.cited(refs.stable);
        let missing = |cited: &StateNode| {
            !state.excused.contains(&cited.id()) && !self.states.contains(refs.state, *cited)
        };
        if let Some(cited) = cited.filter(missing) {
            faults.push(Fault::StateLost { cited: cited.id() });
        }
        if let Some(seen) = state.stable_seen {
            let node = Node::of(&seen).filter(|node| self.dag.contains(refs.stable, *node));
            if node.is_none() {
                faults.push(Fault::StableRewound { seen });
            }
        }
        let moved = matches!(relation, Relation::Ahead | Relation::Diverged);
        if let (None, None, Some(auto), true) = (refs.state, cited, refs.auto, moved) {
            faults.push(Fault::UnrelatedAuto { auto: auto.id() });
        }
        if state.generation > self.replicas[replica].policy.generation {
            faults.push(Fault::OldConfiguration { recorded: state.generation });
        }
        faults
    }

    /// Returns the state commit that the newest of our commits on stable cites.
    pub(crate) fn cited(&self, stable: Node) -> Option<StateNode> {
        let says = |node: Node| {
            let changes = self.dag.changed(node).next().is_some();
            self.dag.commit(node).trailers.filter(|_| changes).map(|trailers| trailers.cited)
        };
        self.dag.first_parents(stable).find_map(says)
    }

    /// Reads stable's history, once for each tip.
    fn history(&mut self, tip: Node) -> Arc<History> {
        if let Some(known) = &self.dag.commit(tip).history {
            return Arc::clone(known);
        }
        let mut unread: Vec<Node> = Vec::new();
        let mut history = Arc::default();
        for node in self.dag.first_parents(tip) {
            if let Some(known) = &self.dag.commit(node).history {
                history = Arc::clone(known);
                break;
            }
            unread.push(node);
        }
        for node in unread.into_iter().rev() {
            Arc::make_mut(&mut history).push(self.history_commit(node));
        }
        self.dag.commit_mut(tip).history = Some(Arc::clone(&history));
        history
    }

    fn history_commit(&self, node: Node) -> HistoryCommit {
        let commit = self.dag.commit(node);
        let changed: BTreeMap<_, _> = self
            .dag
            .changed(node)
            .filter_map(|slot| Some((self.slots[slot].clone()?, releases::release(commit.tree.slots[slot]))))
            .collect();
        let said = commit.trailers.filter(|_| !changed.is_empty());
        HistoryCommit {
            id: node.id(),
            intent: said.map(|said| said.intent),
            writes: said.and_then(|said| self.slots[said.slot].clone()),
            app_sha: said.map(|said| releases::app_sha(said.app)),
            changed,
        }
    }
}
