//! Developer commands: `cargo xtask test`, `cargo xtask bench NAME`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its terminal")]

mod bench;
mod boundaries;
mod public_api;
mod run;
mod steps;
mod summary;
mod test;
mod tools;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask test [--full]   format, lints, licences, boundaries, all tests and doc tests
cargo xtask bench NAME      measures beside a named rival; names: introduce, idle
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["test"] => test::test(false),
        ["test", "--full"] => test::test(true),
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
