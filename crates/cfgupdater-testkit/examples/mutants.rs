//! Says within how many schedules each seeded bug is caught: `cargo run --release -p cfgupdater-testkit --example mutants`.
#![expect(clippy::print_stdout, reason = "a command line speaks on its terminal")]

use std::process::ExitCode;

use cfgupdater_testkit::mutations::{Mutation, all};
use cfgupdater_testkit::{Schedule, run_with};

/// How many schedules are tried at most.
const SCHEDULES: u64 = 20_000;

/// A schedule is made of many small values: the system's allocator takes half of the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let (mut known, mut kept) = (0, 0);
    for Mutation { name, breaks, within, tamper } in all() {
        let caught = (0..SCHEDULES)
            .find_map(|seed| Some((seed, run_with(&Schedule::from_seed(seed), tamper()).err()?)));
        known += 1;
        kept += u32::from(caught.as_ref().is_some_and(|(seed, _)| *seed < within));
        match caught {
            Some((seed, found)) => {
                let as_told = if breaks.contains(&found.invariant) { "" } else { " (another promise)" };
                println!(
                    "{:>6} of {within:>5}  {}{as_told}  {name}: {}",
                    seed + 1,
                    found.invariant,
                    found.detail
                );
            }
            None => println!("  none of {within:>5}  {name}"),
        }
    }
    println!("{kept} of {known} seeded bugs caught within the schedules named for them");
    if kept == known { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
