//! The simulator: random schedules against the product's own rules, and bugs that it must find.

use crate::run::{cargo, succeeds};

/// Plays schedules; the arguments are those of the testkit's example `sim`.
pub(crate) fn simulate(arguments: &[&str]) -> Result<(), String> {
    let known = "a promise is broken: replay it with `cargo xtask sim --seed N --replay`";
    example("sim", arguments).then_some(()).ok_or_else(|| known.to_owned())
}

/// Checks that the simulator catches each seeded bug within the schedules named for it.
pub(crate) fn seeded_bugs() -> Result<(), String> {
    let escaped = "a seeded bug was not caught in time: the oracle or the schedules lost something";
    example("mutants", &[]).then_some(()).ok_or_else(|| escaped.to_owned())
}

/// Explores small worlds exhaustively; the arguments are those of the testkit's example `model`.
pub(crate) fn model(arguments: &[&str]) -> Result<(), String> {
    let broken = "a promise is broken on the way shown, or a seeded bug was not found";
    example("model", arguments).then_some(()).ok_or_else(|| broken.to_owned())
}

fn example(name: &str, arguments: &[&str]) -> bool {
    let mut run = cargo(&[
        "run",
        "--release",
        "--locked",
        "--quiet",
        "-p",
        "cfgupdater-testkit",
        "--example",
        name,
        "--",
    ]);
    succeeds(run.args(arguments))
}
