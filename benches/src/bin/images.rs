//! `cargo xtask bench images`: 12 service images of 100 MB of binaries, natively and by the reference flow on Docker and on
//! buildah.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cfgupdater_benches::cpu::Cpu;
use cfgupdater_benches::dockerd::Dockerd;
use cfgupdater_benches::figures::Figures;
use cfgupdater_benches::options::Options;
use cfgupdater_benches::registry::Registry;
use cfgupdater_benches::{Result, binaries, machine};
use cfgupdater_core::Registry as _;
use cfgupdater_image_builder::{
    BuildOptions, CacheMode, ImagesFile, RegistryClient, RegistrySettings, Repository, Revision, build,
};

const SERVICES: usize = 12;

/// Of all binaries together.
const BYTES: usize = 100_000_000;

const HEAD: &str = "\
images: 12 service images from 100 MB of binaries that are built already, to a docker-registry on loopback
cold        nothing is in the registry.
unchanged   a new commit that changes no binary. 1 changed: one binary is another.
ephemeral   nothing of earlier builds is on this machine. persistent: it kept what the build before left.
wall, CPU   medians; CPU is user + system of the builder and its processes, without the registry.
requests    that the registry answered; up, down: bytes to it and from it, as a relay before it counts them for all.
kept        service images, of 12, whose digest is that of the build before.
Each round has a registry of its own. Rivals: flows/images-docker.sh on a daemon of its own (needs root; its start and
end are not counted) and flows/images-buildah.sh with chroot isolation; both with the storage driver vfs.
";

/// Who builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    Native(CacheMode),
    Docker,
    Buildah,
}

/// A step of a round: its name, whether a binary is changed before it, and whether the machine is a new one.
const STEPS: [(&str, bool, bool); 5] = [
    ("cold", false, true),
    ("unchanged, ephemeral", false, true),
    ("unchanged, persistent", false, false),
    ("1 changed, ephemeral", true, true),
    ("1 changed, persistent", true, false),
];

/// One build's figures.
struct Took {
    wall: Duration,
    cpu: Duration,
    requests: usize,
    up: u64,
    down: u64,
    kept: usize,
}

fn main() -> Result<()> {
    let options = Options::read(&["rounds", "rival-rounds"])?;
    println!("{HEAD}{}", machine::describe());
    println!(
        "\n{:<40}{:>8}{:>10}{:>10}{:>10}{:>10}{:>8}",
        "", "wall, s", "CPU, s", "requests", "up, MB", "down, MB", "kept"
    );
    let runtime = tokio::runtime::Runtime::new()?;
    for (name, contender, rounds) in [
        ("native, verify", Contender::Native(CacheMode::Verify), options.number("rounds", 3)?),
        ("native, trust", Contender::Native(CacheMode::Trust), options.number("rounds", 3)?),
        ("docker", Contender::Docker, options.number("rival-rounds", 1)?),
        ("buildah", Contender::Buildah, options.number("rival-rounds", 1)?),
    ] {
        if let Some(why) = contender.is_missing() {
            println!("{name}: {why}");
            continue;
        }
        runtime.block_on(measure(name, contender, rounds))?;
    }
    Ok(())
}

async fn measure(name: &str, contender: Contender, rounds: u32) -> Result<()> {
    let mut took: Vec<Vec<Took>> = STEPS.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        let scratch = tempfile::tempdir()?;
        let registry = Registry::start(&scratch.path().join("registry"))?;
        let app = App::generate(&scratch.path().join("app"), registry.host())?;
        let mut daemon = None;
        for (n, (_, changed, new_machine)) in STEPS.into_iter().enumerate() {
            if new_machine {
                drop(daemon.take());
                app.forget()?;
            }
            if contender == Contender::Docker && daemon.is_none() {
                daemon = Some(Dockerd::start(&app.storage())?);
            }
            if changed {
                app.change(n)?;
            }
            took[n].push(app.build(contender, n, &registry, daemon.as_ref()).await?);
        }
    }
    for ((step, ..), took) in STEPS.iter().zip(&took) {
        println!("{}", line(&format!("{name}, {step}"), took));
    }
    Ok(())
}

impl Contender {
    /// Says why it can't take part.
    fn is_missing(self) -> Option<&'static str> {
        let runs = |program: &str| Command::new(program).arg("--version").output().is_ok();
        match self {
            Self::Native(_) => None,
            Self::Docker if !runs("dockerd") || !runs("docker") => Some("not installed"),
            Self::Docker if !machine::is_root() => Some("its daemon needs root"),
            Self::Buildah if !runs("buildah") => Some("not installed"),
            Self::Docker | Self::Buildah => None,
        }
    }
}

fn line(name: &str, took: &[Took]) -> String {
    let median = |of: fn(&Took) -> Duration| {
        let mut figures = Figures::default();
        for took in took {
            figures.add(of(took));
        }
        figures.median().as_secs_f64()
    };
    let last = &took[took.len() - 1];
    format!(
        "{name:<40}{:>8.2}{:>10.2}{:>10}{:>10}{:>10}{:>8}",
        median(|took| took.wall),
        median(|took| took.cpu),
        last.requests,
        megabytes(last.up),
        megabytes(last.down),
        last.kept
    )
}

fn megabytes(bytes: u64) -> String {
    let hundredths = (bytes + 5_000) / 10_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// An application's directory with its binaries.
struct App {
    directory: PathBuf,
    host: String,
}

impl App {
    fn generate(directory: &Path, host: &str) -> Result<Self> {
        std::fs::create_dir_all(directory.join("out"))?;
        let mut images =
            format!("registry = \"{host}\"\n[bins]\ndirectory = \"out\"\nfiles = [{}]\n", names("\""));
        let base = "FROM scratch\nCOPY out/ /app-bins/\n";
        std::fs::write(directory.join("Dockerfile.base"), base)?;
        for n in 0..SERVICES {
            let bin = bin(n);
            binaries::write(&directory.join("out").join(&bin), n as u64, BYTES / SERVICES)?;
            let _ = write!(
                images,
                "[service.S{n}]\nimage = \"svc-{n}\"\nbins = [\"{bin}\"]\nentrypoint = [\"/{bin}\"]\n"
            );
            let file = format!(
                "ARG BIN_IMAGE\nFROM ${{BIN_IMAGE}} AS bins\nFROM scratch\nCMD [\"/{bin}\"]\nCOPY --from=bins /app-bins/{bin} /{bin}\n"
            );
            std::fs::write(directory.join(format!("Dockerfile.svc-{n}")), file)?;
        }
        std::fs::write(directory.join("images.toml"), images)?;
        Ok(Self { directory: directory.to_owned(), host: host.to_owned() })
    }

    fn change(&self, seed: usize) -> Result<()> {
        binaries::write(&self.directory.join("out").join(bin(0)), 1000 + seed as u64, BYTES / SERVICES)
    }

    /// Removes what builds left on this machine.
    fn forget(&self) -> Result<()> {
        let storage = self.storage();
        if storage.exists() { Ok(std::fs::remove_dir_all(storage)?) } else { Ok(()) }
    }

    fn storage(&self) -> PathBuf {
        self.directory.with_extension("storage")
    }

    async fn build(
        &self,
        contender: Contender,
        n: usize,
        registry: &Registry,
        daemon: Option<&Dockerd>,
    ) -> Result<Took> {
        let sha = format!("{:08x}", n + 1).repeat(5);
        let before = self.digests().await?;
        let relay = registry.relay();
        let (requests, up, down) = (registry.requests()?, relay.up(), relay.down());
        let spent =
            || -> Result<Cpu> { Ok(Cpu::spent()? + daemon.map_or(Ok(Duration::ZERO), Dockerd::spent)?) };
        let relayed = relay.spent();
        let (cpu, start) = (spent()?, Instant::now());
        match (contender, daemon) {
            (Contender::Native(cache), _) => self.native(&sha, cache).await?,
            (Contender::Docker, Some(daemon)) => self.docker(&sha, daemon)?,
            _ => self.buildah(&sha)?,
        }
        let (wall, cpu) = (start.elapsed(), spent()? - cpu);
        let cpu = cpu.saturating_sub(relay.spent().saturating_sub(relayed));
        let (requests, up, down) = (registry.requests()? - requests, relay.up() - up, relay.down() - down);
        let after = self.digests().await?;
        let kept = before.iter().zip(&after).filter(|(one, other)| one.is_some() && one == other).count();
        Ok(Took { wall, cpu, requests, up, down, kept })
    }

    async fn native(&self, sha: &str, cache: CacheMode) -> Result<()> {
        let file = ImagesFile::load(&self.directory.join("images.toml"))?;
        let mut options = BuildOptions::new(Revision::new(sha.parse()?, Some("main")));
        options.cache = cache;
        options.cache_directory = Some(self.storage());
        build(&file, &client(), &options, |_| ()).await?;
        Ok(())
    }

    fn docker(&self, sha: &str, daemon: &Dockerd) -> Result<()> {
        let script = include_str!("../../flows/images-docker.sh");
        flow("images-docker", script, &[&self.host, &self.path(), sha, "main", daemon.address()])
    }

    fn buildah(&self, sha: &str) -> Result<()> {
        let script = include_str!("../../flows/images-buildah.sh");
        let storage = self.storage().display().to_string();
        flow("images-buildah", script, &[&self.host, &self.path(), sha, "main", &storage])
    }

    fn path(&self) -> String {
        self.directory.display().to_string()
    }

    async fn digests(&self) -> Result<Vec<Option<String>>> {
        let mut digests = Vec::new();
        for n in 0..SERVICES {
            let repository: Repository = format!("{}/svc-{n}", self.host).parse()?;
            let found = client().resolve(&repository.tagged("main")?).await?;
            digests.push(found.map(|found| found.digest.to_string()));
        }
        Ok(digests)
    }
}

/// Runs a script of a rival's.
fn flow(name: &str, script: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new("sh").args(["-c", script, name]).args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into())
}

fn client() -> RegistryClient {
    RegistryClient::new(RegistrySettings::anonymous())
}

fn bin(n: usize) -> String {
    format!("bin-{n}")
}

fn names(quote: &str) -> String {
    (0..SERVICES).map(|n| format!("{quote}{}{quote}", bin(n))).collect::<Vec<_>>().join(", ")
}
