//! `cargo xtask test`: everything that must hold before a change lands.

use std::process::{Command, ExitCode};

use crate::run::{cargo, root, succeeds, watched};
use crate::steps::Steps;
use crate::summary::{Counts, count, ended_early, remarkable};
use crate::{boundaries, debian, npm, packages, public_api, python, simulator, tools};

/// How many schedules the simulator plays: what two processors do in about two and a half minutes.
const SCHEDULES: &str = "1000000";

/// How the reason begins where the machine itself keeps a test from its work, whoever runs it.
const FORBIDDEN: &str = "not allowed here: ";

/// Runs all steps, also after one failed, so that one run tells everything.
pub(crate) fn test(full: bool) -> ExitCode {
    let mut steps = Steps::default();
    steps.one("git", tools::git);
    steps.one("programs", debian::programs);
    steps.one("servers from npm", npm::servers);
    steps.one("packages of Python", python::packages);
    steps.one("format", || run(cargo(&["fmt", "--all", "--check"]), "run `cargo fmt --all`"));
    steps.one("lints", || {
        let clippy =
            cargo(&["clippy", "--workspace", "--all-targets", "--locked", "--quiet", "--", "-D", "warnings"]);
        run(clippy, "mend what clippy names")
    });
    steps.many("tests", tests);
    steps.many("two replicas", two_replicas);
    steps.one("simulator", || simulator::simulate(&["--schedules", SCHEDULES]));
    steps.one("seeded bugs", simulator::seeded_bugs);
    steps.one("model", || simulator::model(&["--quick"]));
    steps.one("docs", || {
        let mut doc = cargo(&["doc", "--workspace", "--all-features", "--no-deps", "--locked", "--quiet"]);
        doc.env("RUSTDOCFLAGS", "-D warnings");
        run(doc, "mend what rustdoc names")
    });
    steps.one("core without I/O", boundaries::core_has_no_io);
    steps.one("engine without backends", boundaries::engine_has_no_backends);
    steps.one("public items", public_api::check);
    steps.one("packages", || packages::packages(full));
    steps.one("licences and sources", || deny(&["licenses", "bans", "sources"]));
    if full {
        // Needs the advisory database, which is fetched from its own host.
        steps.one("advisories", || deny(&["advisories"]));
    }
    if steps.finish() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(mut command: Command, remedy: &str) -> Result<(), String> {
    succeeds(&mut command).then_some(()).ok_or_else(|| remedy.to_owned())
}

/// Runs all tests and doc tests. A test that can't run here says `skipped: REASON` and ends.
fn tests() -> (Counts, Vec<String>) {
    let mut tests = cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--", "--show-output"]);
    // What hundreds of other people wrote: the YAML in the packages that this workspace is built from.
    let home = std::env::home_dir().map(|home| home.join(".cargo"));
    let cargo_home = std::env::var_os("CARGO_HOME").map(std::path::PathBuf::from).or(home);
    if let Some(sources) = cargo_home.map(|home| home.join("registry/src")).filter(|sources| sources.is_dir())
    {
        tests.env("CFGUPDATER_YAML", sources);
    }
    counted(&mut tests)
}

/// Runs the promises of the main job again, each with a second replica at work on the same repository.
fn two_replicas() -> (Counts, Vec<String>) {
    let mut again = cargo(&["test", "--workspace", "--locked", "--no-fail-fast", "--test", "e2e", "--"]);
    again.args([
        "--show-output",
        "announce",
        "land",
        "evict",
        "late_results",
        "people",
        "runs",
        "waves",
        "operate",
        "accidents",
    ]);
    counted(again.env("CFGUPDATER_TEST_REPLICAS", "2"))
}

fn counted(tests: &mut Command) -> (Counts, Vec<String>) {
    let (ended_well, output) = watched(tests);
    let mut counts = count(&output);
    let mut remarks: Vec<String> = remarkable(&output).into_iter().map(str::to_owned).collect();
    let early = ended_early(&output);
    remarks.extend(early.iter().map(|(name, reason)| format!("test {name} ... skipped, {reason}")));
    let needless = early.iter().filter(|(_, reason)| !reason.starts_with(FORBIDDEN)).count();
    if debian::installs() && needless > 0 {
        remarks.push("nothing may be skipped where all that tests need can be installed".to_owned());
        counts.failed += needless as u64;
    }
    if counts.passed == 0 || (!ended_well && counts.failed == 0) {
        remarks.push("the tests could not be built or run".to_owned());
        counts.failed += 1;
    }
    (counts, remarks)
}

fn deny(checks: &[&str]) -> Result<(), String> {
    let mut deny = Command::new(tools::cargo_deny()?);
    deny.args(["--log-level", "error", "check"]).args(checks).current_dir(root());
    run(deny, "mend what cargo-deny names, or decide on it in deny.toml")
}
