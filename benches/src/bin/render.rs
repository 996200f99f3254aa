//! `cargo xtask bench render`: introduce images where YAML is generated, by renderers and by the git command line.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cfgupdater::core::{GitRepo, RefName, Renderer, TreeId};
use cfgupdater_benches::announcements::Build;
use cfgupdater_benches::cpu::Cpu;
use cfgupdater_benches::engine::Contender;
use cfgupdater_benches::figures::Figures;
use cfgupdater_benches::git::{git, isolate};
use cfgupdater_benches::options::Options;
use cfgupdater_benches::rendered_repository::{command, generate, generated, introduce, jsonnet};
use cfgupdater_benches::table::{Row, render};
use cfgupdater_benches::{Result, machine};
use cfgupdater_git_backend::GixRepo;

/// How many intents are on auto when the one in the middle is taken back.
const INTENTS: u32 = 100;

/// How many generated files that repository has.
const SMALL: u32 = 300;

const HEAD: &str = "\
render: from 12 images to a tree with its generated YAML, a third of which changes

jsonnet    the native renderer: evaluated from the objects, no files laid out. cold: a renderer that was just made.
command    make with Debian's jsonnet in a directory of its own. cold: with the directory laid out first.
git CLI    introduce-rendered.sh: checkout, the same make, commit --all. cold: with a clone of all files first.
CPU        user + system of all processes. ratio: median against the median of jsonnet, warm.
All of them must make the same tree.
";

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("jsonnet-worker") {
        return cfgupdater_renderers::jsonnet::serve();
    }
    let ended =
        tokio::runtime::Runtime::new().map_err(Into::into).and_then(|runtime| runtime.block_on(run()));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let options = Options::read(&["files", "rounds"])?;
    let rounds = options.number("rounds", 3)?;
    println!("{HEAD}{}", machine::describe());
    for files in options.numbers("files", &[10_000, 100_000])? {
        measure(files, rounds).await?;
    }
    hits().await
}

#[derive(Default)]
struct Column {
    latency: Figures,
    cpu: Figures,
}

impl Column {
    async fn time<T>(&mut self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let (cpu, start) = (Cpu::spent()?, Instant::now());
        let result = work.await?;
        self.latency.add(start.elapsed());
        self.cpu.add(Cpu::spent()? - cpu);
        Ok(result)
    }
}

async fn measure(files: u32, rounds: u32) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let origin = scratch.path().join("origin.git");
    let repo = generate(&origin, files).await?;
    let base = tree_of(&repo)?;
    let objects: Arc<dyn GitRepo> = repo.clone();
    let mut columns: [Column; 6] = Default::default();
    let (warm_jsonnet, warm_command) =
        (jsonnet(objects.clone())?, command(objects.clone(), scratch.path().join("warm")));
    let kept = scratch.path().join("kept");
    clone(&origin, &kept)?;
    // One round that isn't counted warms everything.
    let mut trees = [base; 3];
    for round in 0..=rounds {
        let build = Build(round + 1);
        let mut ignored = Column::default();
        let warm: [&dyn Renderer; 2] = [&warm_jsonnet, &warm_command];
        for (at, renderer) in warm.into_iter().enumerate() {
            let column = if round > 0 { &mut columns[at] } else { &mut ignored };
            trees[at] = column.time(introduce(&*repo, renderer, trees[at], build)).await?;
        }
        let images = images_file(scratch.path(), build)?;
        let column = if round > 0 { &mut columns[2] } else { &mut ignored };
        column.time(async { flow(&kept, &images, build) }).await?;
        let shell = git(&kept, &["rev-parse", "auto^{tree}"])?;
        if trees[0] != trees[1] || trees[0].to_string() != shell {
            return Err(format!("not the same trees: {} {} {shell}", trees[0], trees[1]).into());
        }
    }
    for round in 0..rounds.min(2) {
        let build = Build(1000 + round);
        let native = jsonnet(objects.clone())?;
        columns[3].time(introduce(&*repo, &native, base, build)).await?;
        let made = command(objects.clone(), scratch.path().join(format!("cold-{round}")));
        columns[4].time(introduce(&*repo, &made, base, build)).await?;
        let (images, fresh) =
            (images_file(scratch.path(), build)?, scratch.path().join(format!("fresh-{round}")));
        let work = async { clone(&origin, &fresh).and_then(|()| flow(&fresh, &images, build)) };
        columns[5].time(work).await?;
    }
    report(files, &columns);
    Ok(())
}

fn report(files: u32, columns: &[Column; 6]) {
    let base: Duration = columns[0].cpu.median();
    let names = [
        "jsonnet, warm",
        "command, warm",
        "git CLI, warm",
        "jsonnet, cold",
        "command, cold",
        "git CLI, cold",
    ];
    let rows: Vec<Row<'_>> = names
        .iter()
        .zip(columns)
        .map(|(name, column)| Row { name, latency: &column.latency, cpu: &column.cpu, base })
        .collect();
    println!("\n{files} generated files\n{}", render(&rows));
}

fn tree_of(repo: &GixRepo) -> Result<TreeId> {
    let name: RefName = "refs/heads/master".parse()?;
    let tip = repo.resolve(&name)?.ok_or("there is no master")?;
    Ok(repo.commit(&tip)?.tree)
}

fn clone(origin: &Path, to: &Path) -> Result<()> {
    let url = format!("file://{}", origin.display());
    git(origin, &["clone", "--quiet", "--branch", "auto", &url, &to.display().to_string()]).map(|_| ())
}

fn images_file(directory: &Path, build: Build) -> Result<String> {
    let file = directory.join("images.json");
    std::fs::write(&file, serde_json::to_vec(&build.json())?)?;
    Ok(file.display().to_string())
}

fn flow(worktree: &Path, images: &str, build: Build) -> Result<()> {
    let script = include_str!("../../flows/introduce-rendered.sh");
    let worktree = worktree.display().to_string();
    let mut command = Command::new("sh");
    command.args(["-c", script, "introduce-rendered", &worktree, images, &build.app_sha()]);
    let output = isolate(&mut command).output()?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
    }
}

/// Takes the middle one of many intents off auto and tells how many of those above it had to be rendered again.
async fn hits() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let remote = scratch.path().join("remote.git");
    generate(&remote, SMALL).await?;
    git(&remote, &["update-ref", "-d", "refs/heads/auto"])?;
    let engine =
        Contender::start_rendering(remote, &scratch.path().join("engine"), generated()?, |objects| {
            Ok(Arc::new(jsonnet(objects)?))
        })
        .await?;
    engine.quiet(2).await;
    let mut ids = Vec::new();
    for n in 1..=INTENTS {
        ids.push(engine.announce(Build(n)).await?);
    }
    let before = engine.quiet(1).await;
    engine.withdraw(ids[ids.len() / 2]).await?;
    let after = engine.quiet(1).await;
    let (run, reused) = (after.renders - before.renders, after.renders_reused - before.renders_reused);
    println!(
        "the middle one of {INTENTS} intents taken back: {run} rendered again, {reused} known ({} %)",
        100 * reused / (run + reused).max(1)
    );
    engine.stop().await;
    Ok(())
}
