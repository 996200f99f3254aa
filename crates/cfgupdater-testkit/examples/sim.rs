//! Plays schedules: `cargo run --release -p cfgupdater-testkit --example sim -- --schedules N --seed S [--replay]`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its terminal")]

use std::process::ExitCode;
use std::time::Instant;

use cfgupdater_testkit::mutations::Honest;
use cfgupdater_testkit::oracle::PROMISES;
use cfgupdater_testkit::{Schedule, Stats, Violation, narrate, run, shrink};

/// A schedule is made of many small values: the system's allocator takes half of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse::<u64>().ok()
    };
    let (schedules, first) = (value("--schedules").unwrap_or(10_000), value("--seed").unwrap_or(0));
    if arguments.iter().any(|argument| argument == "--replay") {
        return replay(first);
    }
    let keep_going = arguments.iter().any(|argument| argument == "--all");
    let begun = Instant::now();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let played = std::thread::scope(|scope| {
        let play = |worker: usize| {
            let seeds = (first..first + schedules).skip(worker).step_by(workers);
            scope.spawn(move || play(seeds, keep_going))
        };
        let players: Vec<_> = (0..workers).map(play).collect();
        players.into_iter().filter_map(|player| player.join().ok()).collect::<Vec<Played>>()
    });
    let stats = played.iter().fold(Stats::default(), |mut sum, played| {
        sum += played.stats;
        sum
    });
    let (schedules, violations) =
        played.iter().fold((0, 0), |sum, played| (sum.0 + played.schedules, sum.1 + played.violations));
    let seconds = begun.elapsed().as_secs_f64();
    let Stats { steps, turns, writes, landings, faults } = stats;
    println!("{turns} turns, {writes} writes, {landings} landings, {faults} faults");
    let rate = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX)) / seconds;
    println!(
        "{:.0} schedules/s, {:.0} steps/s, {:.0} turns/s on {workers} threads",
        rate(schedules),
        rate(steps),
        rate(turns)
    );
    println!("{} promises judged: {}", PROMISES.len(), PROMISES.join(" "));
    println!("{schedules} schedules, {steps} steps, {violations} violations");
    if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What one thread played.
#[derive(Default)]
struct Played {
    stats: Stats,
    schedules: u64,
    violations: u64,
}

fn play(seeds: impl Iterator<Item = u64>, keep_going: bool) -> Played {
    let mut played = Played::default();
    for seed in seeds {
        played.schedules += 1;
        match run(&Schedule::from_seed(seed)) {
            Ok(stats) => played.stats += stats,
            Err(violation) => {
                played.violations += 1;
                if keep_going {
                    eprintln!("{} seed {seed}: {}", violation.invariant, violation.detail);
                } else {
                    show(*violation);
                    break;
                }
            }
        }
    }
    played
}

fn show(violation: Violation) {
    eprintln!("{violation}");
    let shortest = shrink(violation, || Box::new(Honest));
    eprintln!("shortened to {} steps:\n{shortest}", shortest.schedule.steps.len());
    narrate(&shortest.schedule, Box::new(Honest), |line| eprintln!("{line}"));
}

fn replay(seed: u64) -> ExitCode {
    let schedule = Schedule::from_seed(seed);
    match run(&schedule) {
        Ok(_) => {
            narrate(&schedule, Box::new(Honest), |line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(violation) => {
            show(*violation);
            ExitCode::FAILURE
        }
    }
}
