//! `cargo xtask bench introduce`: announce to pushed, by the engine and by shell flows on the git command line.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

use std::path::Path;
use std::time::{Duration, Instant};

use cfgupdater_benches::announcements::Build;
use cfgupdater_benches::config_repository::{self, FILES_IN_A_DIRECTORY, HISTORY, copy};
use cfgupdater_benches::cpu::Cpu;
use cfgupdater_benches::engine::Contender;
use cfgupdater_benches::figures::Figures;
use cfgupdater_benches::git::git;
use cfgupdater_benches::options::Options;
use cfgupdater_benches::push::Push;
use cfgupdater_benches::shell::{Shell, Took, Worktree};
use cfgupdater_benches::table::{Row, render};
use cfgupdater_benches::{Result, machine};

/// The batch window that a repository has unless it is configured otherwise.
const DEFAULT_WINDOW: Duration = Duration::from_millis(250);

/// How often a cold start is measured.
const COLD_ROUNDS: u32 = 3;

const HEAD: &str = "\
introduce: from an announcement of 12 images to a commit on auto, pushed to a bare repository over file://

latency  cfgupdater: from the call to its answer `committed`. Shell flows: from start to end of the script.
CPU      user + system of all processes that the announcement leads to, those that serve the remote included.
         cfgupdater: until it is quiet again, with the second reading of the remote after the answer.
         ratio: median against the median of cfgupdater with a batch window of 0 ms.
cfgupdater, window 250 ms    as configured by default: announcements are gathered that long before one is written.
cfgupdater, window 0 ms      gathers nothing. Both: engine, git mirror and local forge; mirror warm.
                             It writes two references, state and auto, and reads the remote before and after.
git CLI, worktree kept       introduce.sh: fetch, align auto, checkout, copy two files, commit --all, push. The clone
                             and its worktree stay from one announcement to the next.
git CLI, sparse worktree     the same script, but only images/ is laid out (sparse index): no part of the reference
                             flow, whose make targets need all files; the best that git alone can do.
git CLI, fresh clone         introduce-fresh.sh: clone --depth 1 with all files laid out, copy two files, commit --all,
                             push; each time, as a CI job does. Removing the clone is not counted.
git push alone               of a commit that is there already: what every contender pays at least. Most of it is the
                             remote's check that what it took is connected, which grows with its directories.
first, cfgupdater            engine started without a mirror: full bare fetch, state and auto made, the announcement.
first, git CLI               full clone with all files laid out, auto made, then introduce.sh.
No flow renders YAML. Contenders take turns announcement by announcement; one uncounted round comes first.
";

fn main() -> Result<()> {
    let options = Options::read(&["files", "rounds"])?;
    let rounds = options.number("rounds", 5)?;
    println!("{HEAD}{}", machine::describe());
    let runtime = tokio::runtime::Runtime::new()?;
    for files in options.numbers("files", &[1_000, 10_000, 100_000])? {
        runtime.block_on(measure(files, rounds))?;
    }
    Ok(())
}

async fn measure(files: u32, rounds: u32) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let template = scratch.path().join("template.git");
    config_repository::generate(&template, files)?;
    let remote = |name: &str| copy(&template, &scratch.path().join(format!("{name}.git")));
    let place = |name: &str| scratch.path().join(name);
    let engines = [
        Contender::start(remote("default")?, &place("default"), DEFAULT_WINDOW).await?,
        Contender::start(remote("eager")?, &place("eager"), Duration::ZERO).await?,
    ];
    let shells = [
        Shell::prepare(Worktree::Kept, remote("kept")?, place("kept"))?,
        Shell::prepare(Worktree::Sparse, remote("sparse")?, place("sparse"))?,
        Shell::prepare(Worktree::Fresh, remote("fresh")?, place("fresh"))?,
    ];
    let push = Push::prepare(remote("push")?, place("push"))?;
    for engine in &engines {
        engine.quiet(2).await;
    }
    let mut warm: [Column; 6] = Default::default();
    let mut answered: [Figures; 2] = Default::default();
    let (mut observations, mut writes) = (0, 0);
    for round in 0..=rounds {
        for (at, engine) in engines.iter().enumerate() {
            let introduced = engine.introduce(Build(round + 1)).await?;
            if round > 0 {
                warm[at].add(introduced.took);
                answered[at].add(introduced.cpu_until_answer);
                observations = introduced.observations.max(observations);
                writes = introduced.writes.max(writes);
            }
        }
        for (at, shell) in shells.iter().enumerate() {
            let took = shell.introduce(Build(round + 1))?;
            if round > 0 {
                warm[2 + at].add(took);
            }
        }
        let took = push.introduce(Build(round + 1))?;
        if round > 0 {
            warm[5].add(took);
        }
    }
    let remotes = engines.iter().map(Contender::remote).chain(shells.iter().map(Shell::remote));
    let remotes = remotes.chain([push.remote()]);
    require_equal_trees(remotes, rounds + 1)?;
    for engine in engines {
        engine.stop().await;
    }
    let cold = measure_cold(&template, scratch.path()).await?;
    report(files, rounds, &warm, &answered, &cold);
    println!(
        "cfgupdater made {observations} readings and {writes} write for an announcement (the most of any round)."
    );
    Ok(())
}

/// Measures the first announcement after a start with an empty disk, in turns.
async fn measure_cold(template: &Path, scratch: &Path) -> Result<[Column; 2]> {
    let mut cold: [Column; 2] = Default::default();
    for round in 0..COLD_ROUNDS {
        let remote = |name: &str| copy(template, &scratch.join(format!("cold-{name}-{round}.git")));
        let place = |name: &str| scratch.join(format!("cold-{name}-{round}"));
        let own = remote("engine")?;
        let (cpu, start) = (Cpu::spent()?, Instant::now());
        let engine = Contender::start(own, &place("engine"), Duration::ZERO).await?;
        let started = start.elapsed();
        let introduced = engine.introduce(Build(1)).await?;
        cold[0].add(Took { latency: started + introduced.took.latency, cpu: Cpu::spent()? - cpu });
        engine.stop().await;
        let own = remote("shell")?;
        let (cpu, start) = (Cpu::spent()?, Instant::now());
        Shell::prepare(Worktree::Kept, own, place("shell"))?.introduce(Build(1))?;
        cold[1].add(Took { latency: start.elapsed(), cpu: Cpu::spent()? - cpu });
    }
    Ok(cold)
}

/// The figures of one contender.
#[derive(Default)]
struct Column {
    latency: Figures,
    cpu: Figures,
}

impl Column {
    fn add(&mut self, took: Took) {
        self.latency.add(took.latency);
        self.cpu.add(took.cpu);
    }
}

/// Whoever was faster must have done the same work.
fn require_equal_trees<'a>(remotes: impl Iterator<Item = &'a Path>, commits: u32) -> Result<()> {
    let mut trees = Vec::new();
    for remote in remotes {
        trees.push(git(remote, &["rev-parse", "auto^{tree}"])?);
        let count = git(remote, &["rev-list", "--count", "master..auto"])?;
        if count != commits.to_string() {
            return Err(format!("{} has {count} commits on auto, not {commits}", remote.display()).into());
        }
    }
    trees.dedup();
    if trees.len() == 1 { Ok(()) } else { Err("the contenders did not write the same files".into()) }
}

fn report(files: u32, rounds: u32, warm: &[Column; 6], answered: &[Figures; 2], cold: &[Column; 2]) {
    let directories = files.div_ceil(FILES_IN_A_DIRECTORY);
    println!(
        "\n{files} files in {directories} directories, {HISTORY} commits; {rounds} rounds, {COLD_ROUNDS} first ones"
    );
    let none = Figures::default();
    let (base, first) = (warm[1].cpu.median(), cold[0].cpu.median());
    let rows = [
        Row { name: "cfgupdater, window 250 ms", latency: &warm[0].latency, cpu: &warm[0].cpu, base },
        Row { name: "  until the answer alone", latency: &none, cpu: &answered[0], base },
        Row { name: "cfgupdater, window 0 ms", latency: &warm[1].latency, cpu: &warm[1].cpu, base },
        Row { name: "  until the answer alone", latency: &none, cpu: &answered[1], base },
        Row { name: "git CLI, worktree kept", latency: &warm[2].latency, cpu: &warm[2].cpu, base },
        Row { name: "git CLI, sparse worktree", latency: &warm[3].latency, cpu: &warm[3].cpu, base },
        Row { name: "git CLI, fresh clone", latency: &warm[4].latency, cpu: &warm[4].cpu, base },
        Row { name: "git push alone", latency: &warm[5].latency, cpu: &warm[5].cpu, base },
        Row { name: "first, cfgupdater", latency: &cold[0].latency, cpu: &cold[0].cpu, base: first },
        Row { name: "first, git CLI", latency: &cold[1].latency, cpu: &cold[1].cpu, base: first },
    ];
    print!("{}", render(&rows));
    let above = |column: &Column| {
        let above = column.cpu.median().saturating_sub(warm[5].cpu.median());
        above.as_secs_f64() * 1000.0
    };
    let (own, kept, sparse, fresh) = (above(&warm[1]), above(&warm[2]), above(&warm[3]), above(&warm[4]));
    println!(
        "CPU above the push alone, ms: cfgupdater {own:.0}, worktree kept {kept:.0} ({:.1}x), sparse {sparse:.0} \
         ({:.1}x), fresh clone {fresh:.0} ({:.1}x)",
        kept / own,
        sparse / own,
        fresh / own
    );
}
