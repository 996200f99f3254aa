//! The simulator: plays a schedule, lets everything come to rest, and has the oracle judge all of it.

mod play;
mod settle;
mod shrink;

use std::fmt;

use cfgupdater_core::{Operation, OperationKey};

use crate::mutations::{Honest, Tamper};
use crate::oracle::Oracle;
use crate::schedule::{Schedule, Step};
use crate::world::World;
use crate::world::trace::Event;

pub use shrink::shrink;

/// What was counted while a schedule was played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Steps of schedules.
    pub steps: u64,
    /// Turns of replicas, those while everything came to rest included.
    pub turns: u64,
    /// Branches that replicas moved.
    pub writes: u64,
    /// Landings.
    pub landings: u64,
    /// Faults and moves of people that were played.
    pub faults: u64,
}

impl std::ops::AddAssign for Stats {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.turns += other.turns;
        self.writes += other.writes;
        self.landings += other.landings;
        self.faults += other.faults;
    }
}

/// A promise that was broken, and how to see it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant, `S1` to `L6`.
    pub invariant: &'static str,
    /// What happened.
    pub detail: String,
    /// After how many steps of the schedule; all of them if it was while everything came to rest.
    pub after: usize,
    /// The schedule that leads there.
    pub schedule: Schedule,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Schedule { seed, setup, steps } = &self.schedule;
        writeln!(f, "{} broken by seed {seed} after step {}: {}", self.invariant, self.after, self.detail)?;
        writeln!(f, "{setup:?}")?;
        for (number, step) in steps.iter().enumerate() {
            writeln!(f, "{:>4}  {step:?}", number + 1)?;
        }
        Ok(())
    }
}

impl std::error::Error for Violation {}

/// Plays the schedule of a seed against the product.
///
/// # Errors
/// Returns the first promise that is broken.
pub fn simulate(seed: u64) -> Result<Stats, Box<Violation>> {
    run(&Schedule::from_seed(seed))
}

/// Plays a schedule against the product.
///
/// # Errors
/// Returns the first promise that is broken.
pub fn run(schedule: &Schedule) -> Result<Stats, Box<Violation>> {
    run_with(schedule, Box::new(Honest))
}

/// Plays a schedule against the product with a seeded bug.
///
/// # Errors
/// Returns the first promise that is broken.
pub fn run_with(schedule: &Schedule, tamper: Box<dyn Tamper>) -> Result<Stats, Box<Violation>> {
    Simulation::new(schedule, tamper).run()
}

/// One schedule while it is played.
struct Simulation<'a> {
    schedule: &'a Schedule,
    world: World,
    oracle: Oracle,
    turns: u64,
    /// The calls of operators that had a key, oldest first.
    keyed: Vec<(OperationKey, Operation)>,
    /// The changes that webhooks have told of.
    noticed: (u32, usize),
    /// The steps played so far.
    played: usize,
}

impl<'a> Simulation<'a> {
    fn new(schedule: &'a Schedule, tamper: Box<dyn Tamper>) -> Self {
        let world = World::new(schedule.setup.clone(), tamper);
        Self {
            schedule,
            world,
            oracle: Oracle::default(),
            turns: 0,
            keyed: Vec::new(),
            noticed: (0, 0),
            played: 0,
        }
    }

    /// Takes up a world that something else has played in, to let it come to rest.
    fn taken_up(schedule: &'a Schedule, world: World, oracle: Oracle) -> Self {
        Self { schedule, world, oracle, turns: 0, keyed: Vec::new(), noticed: (0, 0), played: 0 }
    }

    fn run(mut self) -> Result<Stats, Box<Violation>> {
        for step in &self.schedule.steps {
            self.play(*step)?;
            self.played += 1;
        }
        self.settle()?;
        let landed = |event: &&Event| event.is_write() && matches!(event, Event::Stable { .. });
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok(Stats {
            steps: count(self.schedule.steps.len()),
            turns: self.turns,
            writes: count(self.world.trace.iter().filter(|event| event.is_write()).count()),
            landings: count(self.world.trace.iter().filter(landed).count()),
            faults: count(self.schedule.faults()),
        })
    }

    fn judge(&mut self) -> Result<(), Box<Violation>> {
        self.oracle.judge(&self.world).map_err(|(invariant, detail)| self.violation(invariant, detail))
    }

    fn violation(&self, invariant: &'static str, detail: String) -> Box<Violation> {
        Box::new(Violation { invariant, detail, after: self.played, schedule: self.schedule.clone() })
    }
}

/// Lets everything come to rest in a world that something else has played in, and judges what is left.
pub(crate) fn come_to_rest(world: World, oracle: Oracle) -> Result<(), (&'static str, String)> {
    let schedule = Schedule { seed: 0, setup: world.setup.clone(), steps: Vec::new() };
    let settled = Simulation::taken_up(&schedule, world, oracle).settle();
    settled.map_err(|violation| (violation.invariant, violation.detail))
}

/// Prints what happens while a schedule is played, for people who look for the cause of a violation.
pub fn narrate(schedule: &Schedule, tamper: Box<dyn Tamper>, mut line: impl FnMut(String)) {
    let mut simulation = Simulation::new(schedule, tamper);
    let mut told = 0;
    let tell = |simulation: &Simulation<'_>, told: &mut usize, line: &mut dyn FnMut(String)| {
        for event in &simulation.world.trace[*told..] {
            line(format!("        {}", describe(&simulation.world, event)));
        }
        *told = simulation.world.trace.len();
    };
    let steps: &[Step] = &schedule.steps;
    for step in steps {
        line(format!("{:>4}  {step:?}", simulation.played + 1));
        let played = simulation.play(*step);
        simulation.played += 1;
        tell(&simulation, &mut told, &mut line);
        if let Err(violation) = played {
            return line(format!("{}: {}", violation.invariant, violation.detail));
        }
    }
    line("      everything comes to rest".to_owned());
    let settled = simulation.settle();
    tell(&simulation, &mut told, &mut line);
    for (number, replica) in simulation.world.replicas.iter().enumerate() {
        line(format!("      replica {number} says: {:?}", replica.why));
    }
    if let Err(violation) = settled {
        line(format!("{}: {}", violation.invariant, violation.detail));
    }
}

/// Tells one thing that happened.
pub(crate) fn describe(world: &World, event: &Event) -> String {
    match event {
        Event::Observed { replica, view } => format!("observed by {replica}: {:?}", view.refs),
        Event::State { by, from, to, .. } => {
            let records: Vec<String> = world
                .states
                .history(*to)
                .take_while(|node| Some(*node) != *from)
                .map(|node| format!("{node:?} {:?}", world.states.commit(node).entry.records))
                .collect();
            format!("state by {by:?}: {from:?} -> {to:?}: {}", records.join(" <- "))
        }
        Event::Auto { by, from, to, .. } => format!("auto by {by:?}: {from:?} -> {to:?}"),
        Event::Stable { by, from, to, .. } => format!("stable by {by:?}: {from:?} -> {to:?}"),
        other => format!("{other:?}"),
    }
}
