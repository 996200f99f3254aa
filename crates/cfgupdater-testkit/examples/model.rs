//! Explores every way in which a small world can go: `cargo run --release -p cfgupdater-testkit --example model`.
//!
//! Without arguments all scopes are explored and all seeded bugs are looked for; `--quick` leaves out the scopes that take
//! minutes, and a name explores that scope alone.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its terminal")]

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cfgupdater_testkit::model::{Action, Moment, SCOPES, Scope, Space};
use cfgupdater_testkit::mutations::{self, Honest, Mutation};
use stateright::{Checker, HasDiscoveries, Model, Path, Property};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let chosen = arguments.iter().find(|argument| !argument.contains(['-', '=']));
    let scopes: Vec<&Scope> = SCOPES
        .iter()
        .filter(|scope| chosen.map_or(!quick || scope.quick, |name| name == scope.name))
        .collect();
    if scopes.is_empty() {
        let known: Vec<&str> = SCOPES.iter().map(|scope| scope.name).collect();
        eprintln!("no such scope; there are: {}", known.join(", "));
        return ExitCode::from(2);
    }
    // A scope that takes longer is left unfinished, which its line tells.
    let limit = arguments.iter().find_map(|argument| argument.strip_prefix("--seconds=")?.parse().ok());
    let limit = Duration::from_secs(limit.unwrap_or(24 * 3600));
    let mut whole = Explored::default();
    for scope in scopes {
        let changes = arguments.iter().filter(|argument| !argument.starts_with("--"));
        let mut changes = changes.filter_map(|argument| argument.split_once('='));
        let changed =
            changes.try_fold(*scope, |scope, (field, times)| scope.with(field, times.parse().ok()?));
        let Some(scope) = changed else {
            eprintln!("changes of a scope look like `crashes=2`; its fields are those of `Scope`");
            return ExitCode::from(2);
        };
        whole += explore(&scope, limit);
    }
    let caught = if chosen.is_none() { BUGS.iter().filter(|bug| is_caught(bug)).count() } else { BUGS.len() };
    let Explored { generated, unique, violations } = whole;
    if chosen.is_none() {
        println!("{caught} of {} seeded bugs found by the model", BUGS.len());
    }
    println!("{generated} states generated, {unique} unique, {violations} violations");
    if violations == 0 && caught == BUGS.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What was explored.
#[derive(Default)]
struct Explored {
    generated: usize,
    unique: usize,
    violations: usize,
}

impl std::ops::AddAssign for Explored {
    fn add_assign(&mut self, other: Self) {
        self.generated += other.generated;
        self.unique += other.unique;
        self.violations += other.violations;
    }
}

/// Explores a scope to its end, and tells every broken promise with the way that leads there.
fn explore(scope: &Scope, limit: Duration) -> Explored {
    let begun = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let world = SmallWorld(Space { scope: *scope, tamper: || Box::new(Honest) });
    let checker = world
        .checker()
        .threads(threads)
        .timeout(limit)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_dfs()
        .join();
    let broken: Vec<_> =
        checker.discoveries().into_iter().filter(|(name, _)| !name.starts_with("sometimes")).collect();
    for (name, path) in &broken {
        tell(name, path);
    }
    // Where something never happens, no promise about it can break.
    let vacuous: Vec<_> =
        HAPPENS.iter().filter(|(name, _)| checker.discovery(name).is_none() && broken.is_empty()).collect();
    for (name, _) in &vacuous {
        println!("  {name}: never");
    }
    let (generated, unique) = (checker.state_count(), checker.unique_state_count());
    println!(
        "{:<9} {generated:>9} states generated {unique:>8} unique, depth {:>2}, {:>3.0} s{}",
        scope.name,
        checker.max_depth(),
        begun.elapsed().as_secs_f64(),
        if begun.elapsed() < limit { "" } else { ", unfinished" }
    );
    Explored { generated, unique, violations: broken.len() + vacuous.len() }
}

fn tell(name: &str, path: &Path<Arc<Moment>, Action>) {
    let last = path.last_state();
    println!("{name} is broken: {}", last.broken().map_or("", |(_, detail)| detail));
    for line in last.story() {
        println!("        {line}");
    }
    for (number, action) in path.clone().into_actions().iter().enumerate() {
        println!("{:>4}  {action:?}", number + 1);
    }
}

/// A seeded bug, and the scope in which it is found.
struct Bug {
    name: &'static str,
    scope: &'static str,
}

const BUGS: &[Bug] = &[
    Bug { name: "a check that has begun passes", scope: "crash" },
    Bug { name: "stable is pushed by force", scope: "push" },
    Bug { name: "state is pushed without a lease", scope: "crash" },
    Bug { name: "an evicted intent is still live", scope: "crash" },
    Bug { name: "untested commits beneath a red one count as green", scope: "crash" },
    Bug { name: "an announcement is lost when its write is", scope: "lost" },
];

/// Looks for a seeded bug, nearest first, and tells how many steps lead to it.
fn is_caught(bug: &Bug) -> bool {
    let scope = SCOPES.iter().find(|scope| scope.name == bug.scope);
    let mutation = mutations::all().into_iter().find(|mutation| mutation.name == bug.name);
    let (Some(scope), Some(Mutation { tamper, .. })) = (scope, mutation) else {
        println!("  there is no seeded bug `{}` or no scope `{}`", bug.name, bug.scope);
        return false;
    };
    let world = SmallWorld(Space { scope: *scope, tamper });
    let checker = world.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let found = checker.discoveries().into_iter().find(|(name, _)| !name.starts_with("sometimes"));
    let Some((name, path)) = found else {
        println!("  not found: {}", bug.name);
        return false;
    };
    let steps = path.into_actions().len();
    println!("  {steps:>2} steps, {:>7} states: {name}: {}", checker.unique_state_count(), bug.name);
    true
}

/// The promises by the names of their checkers, each an `always`: nothing is explored beyond a broken one.
macro_rules! promises {
    ($($invariant:literal $name:literal)*) => {
        fn promises() -> Vec<Property<SmallWorld>> {
            vec![$(Property::always($name, |_, at: &Arc<Moment>| {
                at.broken().is_none_or(|(invariant, _)| invariant != $invariant)
            })),*]
        }
    };
}

promises! {
    "S1" "s1_green_at_its_own_sha"
    "S2" "s2_stable_only_moves_forward"
    "S3" "s3_nothing_is_decided_in_doubt"
    "S4" "s4_results_belong_to_their_sha"
    "S5" "s5_chain_is_linear_and_fits_stable"
    "S6" "s6_each_intent_has_one_end"
    "S7" "s7_evictions_cite_the_chain"
    "S8" "s8_only_the_guilty_are_evicted"
    "S9" "s9_the_others_stay"
    "S10" "s10_versions_land_in_order"
    "S11" "s11_repetitions_change_nothing"
    "S12" "s12_state_is_one_serial_history"
    "S13" "s13_a_restart_changes_nothing"
    "S14" "s14_every_commit_is_green"
    "S15" "s15_all_targets_reported"
    "S16" "s16_promotions_pass_their_gates"
    "S17" "s17_observers_write_nothing"
    "S18" "s18_a_key_acts_once"
    "L1" "l1_everything_ends_or_says_why"
    "L2" "l2_silent_checks_are_reported"
    "L3" "l3_green_commits_landed"
    "L4" "l4_everything_comes_to_rest"
    "L5" "l5_work_is_bounded"
    "L6" "l6_proven_releases_moved_on"
}

type Happens = (&'static str, fn(&SmallWorld, &Arc<Moment>) -> bool);

/// What must happen somewhere, so that the promises aren't kept by idleness.
const HAPPENS: [Happens; 3] = [
    ("sometimes a commit lands", |_, at| at.landings() > 0),
    ("sometimes an intent is evicted", |_, at| at.evictions() > 0),
    ("sometimes everybody is idle in the end", |world, at| at.is_quiet(&world.0.scope)),
];

#[derive(Clone)]
struct SmallWorld(Space);

impl Model for SmallWorld {
    type State = Arc<Moment>;
    type Action = Action;

    fn init_states(&self) -> Vec<Self::State> {
        vec![Arc::new(self.0.begin())]
    }

    fn actions(&self, at: &Self::State, actions: &mut Vec<Action>) {
        self.0.actions(at, actions);
    }

    fn next_state(&self, at: &Self::State, action: Action) -> Option<Self::State> {
        let next = self.0.after(at, action);
        (next != **at).then(|| Arc::new(next))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let happens = HAPPENS.iter().map(|(name, condition)| Property::sometimes(name, *condition));
        promises().into_iter().chain(happens).collect()
    }
}
