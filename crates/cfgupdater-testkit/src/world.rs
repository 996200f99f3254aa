//! The world: one remote, its CI, its people, and replicas of the product, in virtual time and without chance.

pub mod ci;
pub mod dag;
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

use cfgupdater_core::{Policy, RequiredChecks, SetName, Slot, Timestamp, WaveName};

use crate::mutations::{Honest, Tamper};
use crate::setup::{Setup, slots};
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

/// Everything there is.
#[derive(Debug)]
pub struct World {
    /// What it is played in.
    pub setup: Setup,
    /// The policy that replicas work by, before anybody tampers with it.
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
    required: Arc<RequiredChecks>,
    slots: Vec<Option<Slot>>,
    now: i64,
    late: Vec<write::Late>,
    tamper: Box<dyn Tamper>,
}

impl World {
    /// Builds a world with a stable branch that a person pushed.
    pub fn new(setup: Setup, mut tamper: Box<dyn Tamper>) -> Self {
        let policy = setup.policy();
        let mut told = policy.clone();
        tamper.policy(&mut told);
        let now = Timestamp::from_millis(BEGIN);
        let mut dag = Dag::default();
        let stable = dag.add(Vec::new(), Tree::default(), Author::Person, None, now);
        let required = policy.required.clone().unwrap_or_default();
        let mut ci = Ci::new(setup.seed, &required, setup.stuck);
        if setup.ci_on_stable {
            ci.start(stable, now);
        }
        let told = Arc::new(told);
        let replicas = (0..setup.replicas).map(|_| Replica::new(Arc::clone(&told), now)).collect();
        Self {
            required: Arc::new(required),
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

    fn take_tamper(&mut self) -> Box<dyn Tamper> {
        std::mem::replace(&mut self.tamper, Box::new(Honest))
    }
}

fn is_good(setup: &Setup, tree: &Tree) -> bool {
    !tree.broken && tree.slots.iter().all(|release| setup.bad >> release & 1 == 0 || *release == 0)
}
