//! `cargo xtask bench images`: 12 service images of 100 MB of binaries, natively and by the reference flow on buildah.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use cfgupdater_benches::cpu::Cpu;
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
unchanged   a new commit that changes no binary; nothing of earlier builds is on this machine.
1 changed   the same, but one binary is another.
persistent  as `1 changed`, on a machine that kept what earlier builds left. The native builder keeps nothing.
wall, CPU   medians; CPU is user + system of the builder and its processes, without the registry.
kept        service images, of 12, whose digest is that of the build before.
stored      what the registry's content grew by.
Each round has a registry of its own. buildah: flows/images-buildah.sh, storage driver vfs, chroot isolation.
";

/// Who builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Contender {
    Native(CacheMode),
    Buildah,
}

/// One build's figures.
struct Took {
    wall: Duration,
    cpu: Duration,
    requests: usize,
    stored: u64,
    kept: usize,
}

fn main() -> Result<()> {
    let options = Options::read(&["rounds", "rival-rounds"])?;
    println!("{HEAD}{}", machine::describe());
    println!(
        "\n{:<28}{:>10}{:>10}{:>10}{:>12}{:>8}",
        "", "wall, s", "CPU, s", "requests", "stored, MB", "kept"
    );
    let runtime = tokio::runtime::Runtime::new()?;
    let has_buildah = Command::new("buildah").arg("--version").output().is_ok();
    for (name, contender, rounds) in [
        ("native, verify", Contender::Native(CacheMode::Verify), options.number("rounds", 3)?),
        ("native, trust", Contender::Native(CacheMode::Trust), options.number("rounds", 3)?),
        ("buildah", Contender::Buildah, options.number("rival-rounds", 1)?),
    ] {
        if contender == Contender::Buildah && !has_buildah {
            println!("{name}: not installed");
            continue;
        }
        runtime.block_on(measure(name, contender, rounds))?;
    }
    Ok(())
}

async fn measure(name: &str, contender: Contender, rounds: u32) -> Result<()> {
    let steps = ["cold", "unchanged", "1 changed", "persistent"];
    let mut took: Vec<Vec<Took>> = steps.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        let scratch = tempfile::tempdir()?;
        let registry = Registry::start(&scratch.path().join("registry"))?;
        let app = App::generate(&scratch.path().join("app"), registry.host())?;
        for (n, step) in steps.iter().enumerate() {
            if *step != "persistent" {
                app.forget()?;
            }
            if *step == "1 changed" || *step == "persistent" {
                app.change(n)?;
            }
            took[n].push(app.build(contender, n, &registry).await?);
        }
    }
    for (step, took) in steps.iter().zip(&took) {
        println!("{}", line(&format!("{name}, {step}"), took));
    }
    Ok(())
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
        "{name:<28}{:>10.2}{:>10.2}{:>10}{:>10}.{}{:>8}",
        median(|took| took.wall),
        median(|took| took.cpu),
        last.requests,
        last.stored / 1_000_000,
        last.stored / 100_000 % 10,
        last.kept
    )
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

    async fn build(&self, contender: Contender, n: usize, registry: &Registry) -> Result<Took> {
        let sha = format!("{:08x}", n + 1).repeat(5);
        let before = self.digests().await?;
        let (requests, stored) = (registry.requests()?, registry.bytes()?);
        let (cpu, start) = (Cpu::spent()?, Instant::now());
        match contender {
            Contender::Native(cache) => self.native(&sha, cache).await?,
            Contender::Buildah => self.buildah(&sha)?,
        }
        let (wall, cpu) = (start.elapsed(), Cpu::spent()? - cpu);
        let (requests, stored) = (registry.requests()? - requests, registry.bytes()? - stored);
        let after = self.digests().await?;
        let kept = before.iter().zip(&after).filter(|(one, other)| one.is_some() && one == other).count();
        Ok(Took { wall, cpu, requests, stored, kept })
    }

    async fn native(&self, sha: &str, cache: CacheMode) -> Result<()> {
        let file = ImagesFile::load(&self.directory.join("images.toml"))?;
        let mut options = BuildOptions::new(Revision::new(sha.parse()?, Some("main")));
        options.cache = cache;
        build(&file, &client(), &options, |_| ()).await?;
        Ok(())
    }

    fn buildah(&self, sha: &str) -> Result<()> {
        let script = include_str!("../../flows/images-buildah.sh");
        let (directory, storage) =
            (self.directory.display().to_string(), self.storage().display().to_string());
        let output = Command::new("sh")
            .args(["-c", script, "images-buildah", &self.host, &directory, sha, "main", &storage])
            .output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("images-buildah.sh: {}", String::from_utf8_lossy(&output.stderr)).into())
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

fn client() -> RegistryClient {
    RegistryClient::new(RegistrySettings::anonymous())
}

fn bin(n: usize) -> String {
    format!("bin-{n}")
}

fn names(quote: &str) -> String {
    (0..SERVICES).map(|n| format!("{quote}{}{quote}", bin(n))).collect::<Vec<_>>().join(", ")
}
