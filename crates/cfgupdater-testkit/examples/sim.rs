//! Plays schedules: `cargo run --release -p cfgupdater-testkit --example sim -- --schedules N --seed S [--replay]`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its terminal")]

use std::process::ExitCode;
use std::time::Instant;

use cfgupdater_testkit::mutations::Honest;
use cfgupdater_testkit::{Schedule, Stats, Violation, narrate, run, shrink};

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
    let mut stats = Stats::default();
    let mut violations = 0_u64;
    for seed in first..first + schedules {
        match run(&Schedule::from_seed(seed)) {
            Ok(played) => stats += played,
            Err(violation) => {
                violations += 1;
                if keep_going {
                    eprintln!("{} seed {seed}: {}", violation.invariant, violation.detail);
                } else {
                    show(*violation);
                    break;
                }
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    let Stats { steps, turns, writes, landings, faults } = stats;
    println!("{turns} turns, {writes} writes, {landings} landings, {faults} faults");
    let rate = |n: u64| f64::from(u32::try_from(n).unwrap_or(u32::MAX)) / seconds;
    println!("{:.0} schedules/s, {:.0} steps/s, {:.0} turns/s", rate(schedules), rate(steps), rate(turns));
    println!("{schedules} schedules, {steps} steps, {violations} violations");
    if violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
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
