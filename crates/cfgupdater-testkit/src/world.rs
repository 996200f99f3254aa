//! The world: one remote, its CI, its people, and replicas of the product, in virtual time and without chance.

pub mod ci;
pub mod dag;
mod fingerprint;
pub mod node;
pub mod people;
mod read;
pub mod releases;
pub mod remote;
pub mod replica;
pub mod state_branch;
pub mod trace;
mod write;

use std::sync::Arc;
use std::time::Duration;

use cfgupdater_core::{Mode, Place, Policy, RequiredChecks, SetName, Slot, Timestamp, WaveName};

use crate::mutations::{Honest, Tamper};
use crate::setup::{FREEZE, Setup, slots};
use ci::Ci;
use dag::{Author, Dag, Tree};
use node::Node;
use remote::Remote;
use replica::Replica;
use state_branch::StateCommits;
use trace::Event;

/// When every schedule begins: a Monday in January 2026.
const BEGIN: i64 = 1_767_571_200_000;

/// How many events there is room for at first: more than most schedules have.
const TRACE: usize = 256;

/// One generation of the configuration.
#[derive(Debug, Clone)]
struct Generation {
    policy: Arc<Policy>,
    /// The same as replicas are told it.
    told: Arc<Policy>,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// What it is played in.
    pub setup: Setup,
    /// The policy that is in force, before anybody tampers with it.
    pub policy: Policy,
    /// The commits of the configuration branches.
    pub dag: Dag,
    /// The commits of the state branch.
    pub states: StateCommits,
    /// The remote.
    pub remote: Remote,
    /// What CI said.
    pub ci: Ci,
    /// The replicas.
    pub replicas: Vec<Replica>,
    /// All that happened.
    pub trace: Vec<Event>,
    /// What the forge requires now.
    pub(crate) required: Arc<RequiredChecks>,
    /// The configurations that replicas are started with, each as it is and as it is told.
    generations: Vec<Generation>,
    slots: Vec<Option<Slot>>,
    now: i64,
    late: Vec<write::Late>,
    tamper: Box<dyn Tamper>,
}

impl World {
    /// Builds a world with a stable branch that a person pushed.
    pub fn new(setup: Setup, mut tamper: Box<dyn Tamper>) -> Self {
        let policy = setup.policy();
        let now = Timestamp::from_millis(BEGIN);
        let mut dag = Dag::default();
        let stable = dag.add(Vec::new(), Tree::default(), Author::Person, None, now);
        let required = policy.required.clone().unwrap_or_default();
        let mut ci = Ci::new(setup.seed, &required, setup.stuck, setup.slow_ci);
        if setup.ci_on_stable {
            ci.start(stable, now);
        }
        let mut told = |policy: Policy| {
            let mut told = policy.clone();
            tamper.policy(&mut told);
            Generation { policy: Arc::new(policy), told: Arc::new(told) }
        };
        let mut generations = vec![told(policy.clone())];
        generations.extend(setup.next_policy().map(&mut told));
        let first = &generations[0];
        let mut replicas: Vec<Replica> = (0..setup.replicas).map(|_| Replica::new(first, now)).collect();
        if setup.observer {
            let observer = told(Policy { mode: Mode::Observe, ..policy.clone() });
            replicas.push(Replica::new(&observer, now));
        }
        Self {
            required: Arc::new(required),
            generations,
            slots: slots(&policy),
            policy,
            dag,
            states: StateCommits::default(),
            remote: Remote::new(stable),
            ci,
            replicas,
            trace: Vec::with_capacity(TRACE),
            now: BEGIN,
            late: Vec::new(),
            tamper,
            setup,
        }
    }

    /// Copies everything there is, to go on in another way with the same seeded bug or none.
    #[must_use]
    pub fn fork(&self, tamper: Box<dyn Tamper>) -> Self {
        Self {
            setup: self.setup.clone(),
            policy: self.policy.clone(),
            dag: self.dag.clone(),
            states: self.states.clone(),
            remote: self.remote.clone(),
            ci: self.ci.clone(),
            replicas: self.replicas.clone(),
            trace: self.trace.clone(),
            required: Arc::clone(&self.required),
            generations: self.generations.clone(),
            slots: self.slots.clone(),
            now: self.now,
            late: self.late.clone(),
            tamper,
        }
    }

    /// Returns the time.
    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now)
    }

    /// Lets time pass; what CI and the network had to do meanwhile gets done.
    pub fn pass(&mut self, span: Duration) {
        self.now = self.now().after(span).as_millis();
        self.arrive_late();
        let (now, setup, dag) = (self.now(), &self.setup, &self.dag);
        self.ci.pass(now, |node| is_good(setup, &dag.commit(node).tree));
    }

    /// Returns what CI finds if it is honest.
    pub fn is_good(&self, node: Node) -> bool {
        is_good(&self.setup, &self.dag.commit(node).tree)
    }

    /// Returns the place of a wave and set in trees.
    pub fn slot(&self, wave: &WaveName, set: &SetName) -> Option<usize> {
        self.slots.iter().position(|slot| slot.as_ref().is_some_and(|(w, s)| w == wave && s == set))
    }

    /// Returns the wave and set of a place in trees.
    pub fn slot_name(&self, place: usize) -> Option<&Slot> {
        self.slots.get(place)?.as_ref()
    }

    /// Tells whether a wave is in its freeze window.
    pub fn is_frozen(&self, wave: &WaveName, at: Timestamp) -> bool {
        let place = self.policy.waves.iter().position(|known| known.name == *wave);
        let frozen = place.is_some() && place == self.setup.freeze;
        frozen && FREEZE.0.contains(&((at.as_millis() - BEGIN).div_euclid(60_000).rem_euclid(7 * 24 * 60)))
    }

    /// Starts a replica anew with the next configuration, or with the first one.
    pub fn roll_out(&mut self, replica: usize, back: bool) {
        let generation = if back { self.generations.first() } else { self.generations.last() };
        let acts = self.replicas[replica].policy.mode == Mode::Act;
        if let Some(generation) = generation.filter(|_| acts && self.generations.len() > 1).cloned() {
            self.replicas[replica].configure(&generation);
            self.crash(replica);
        }
    }

    /// Ends what people began with configurations and names of branches.
    pub fn tidy_up(&mut self) {
        self.remote.renamed = false;
        let newest = self.generations.last().map_or(0, |newest| newest.policy.generation);
        let recorded = self.remote.refs.state.map_or(0, |state| self.states.commit(state).state.generation);
        let begun = self.replicas.iter().any(|replica| replica.policy.generation == newest);
        if self.generations.len() > 1 && (begun || recorded == newest) {
            (0..self.replicas.len()).for_each(|replica| self.roll_out(replica, false));
            self.policy = Policy::clone(&self.generations[1].policy);
        }
    }

    /// Lists the targets that aren't mute and that stable holds something for.
    pub fn targets_that_speak(&self) -> Vec<Place> {
        let slots = &self.dag.commit(self.remote.refs.stable).tree.slots;
        let waves = self.policy.waves.iter().enumerate();
        let targets = waves.flat_map(|(place, wave)| {
            wave.targets.iter().map(move |target| (place, &wave.name, &target.name))
        });
        let speaks = |number: usize, place: usize| {
            self.setup.mute >> number & 1 == 0 && (0..2).any(|set| slots[place * 2 + set] != 0)
        };
        let named = targets.enumerate().filter(|(number, (place, ..))| speaks(*number, *place));
        named.map(|(_, (_, wave, target))| (wave.clone(), target.clone())).collect()
    }

    fn take_tamper(&mut self) -> Box<dyn Tamper> {
        std::mem::replace(&mut self.tamper, Box::new(Honest))
    }
}

fn is_good(setup: &Setup, tree: &Tree) -> bool {
    !tree.broken && tree.slots.iter().all(|release| setup.bad >> release & 1 == 0 || *release == 0)
}
