//! Developer commands: `cargo xtask test`, `cargo xtask sim`, `cargo xtask bench NAME`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its terminal")]

mod bench;
mod boundaries;
mod debian;
mod installed;
mod mutants;
mod npm;
mod packages;
mod public_api;
mod python;
mod run;
mod simulator;
mod steps;
mod summary;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test [--full]   format, lints, licences, boundaries, all tests and doc tests
cargo xtask api             writes what the libraries show into docs/api
cargo xtask sim [--schedules N] [--seed S] [--replay]   plays random schedules against the rules
cargo xtask model [NAME [FIELD=N…]] [--quick]   explores every way in which small worlds can go
cargo xtask mutants         changes the rules one by one, and names what no unit test notices; takes over an hour
cargo xtask soak MINUTES    three replicas under load, kills and pushes by people; memory and mirror size
cargo xtask bench NAME      measures beside a named rival; names: images, introduce, idle, render
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::test(false),
        ["test", "--full"] => test::test(true),
        ["api"] => told(public_api::write()),
        ["sim", rest @ ..] => told(simulator::simulate(rest)),
        ["model", rest @ ..] => told(simulator::model(rest)),
        ["mutants", rest @ ..] => told(mutants::mutants(rest)),
        ["soak", minutes] => soak(minutes),
        ["bench", name, rest @ ..] => bench::bench(name, rest),
        [] | ["help" | "--help"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("unknown command: {}\n\n{HELP}", words.join(" "));
            ExitCode::from(2)
        }
    }
}

fn told(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn soak(minutes: &str) -> ExitCode {
    let mut soak = run::cargo(&[
        "run",
        "--release",
        "--quiet",
        "-p",
        "cfgupdater-tests",
        "--bin",
        "soak",
        "--",
        minutes,
    ]);
    if run::succeeds(&mut soak) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
