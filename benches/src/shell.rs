//! The contenders on the git command line: shell scripts of `flows/`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Result;
use crate::announcements::Build;
use crate::config_repository::url;
use crate::cpu::Cpu;
use crate::git::isolate;

/// How a shell flow keeps its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worktree {
    /// All of them, from one announcement to the next.
    Kept,
    /// Those below `images/`, from one announcement to the next.
    Sparse,
    /// All of them, cloned anew for each announcement.
    Fresh,
}

/// One shell flow with its remote.
#[derive(Debug)]
pub struct Shell {
    kind: Worktree,
    remote: PathBuf,
    directory: PathBuf,
}

/// What one announcement took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// From the call until the commit was pushed.
    pub latency: Duration,
    /// Processor time of everything that the announcement led to.
    pub cpu: Duration,
}

impl Shell {
    /// Prepares a flow that works in `directory`, which is made.
    ///
    /// # Errors
    /// Fails where the flow does.
    pub fn prepare(kind: Worktree, remote: PathBuf, directory: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&directory)?;
        let shell = Self { kind, remote, directory };
        let (url, worktree) = (url(&shell.remote), shell.worktree());
        match kind {
            Worktree::Kept => run("clone", include_str!("../flows/clone.sh"), &[&url, &worktree])?,
            Worktree::Sparse => {
                run("clone-sparse", include_str!("../flows/clone-sparse.sh"), &[&url, &worktree])?;
            }
            Worktree::Fresh => {
                crate::git::git(&shell.remote, &["branch", "auto", "master"])?;
            }
        }
        Ok(shell)
    }

    /// Introduces a build and says what it took.
    ///
    /// # Errors
    /// Fails where the flow does.
    pub fn introduce(&self, build: Build) -> Result<Took> {
        let (tags, digests) = build.files()?;
        let file = |name: &str| self.directory.join(name);
        std::fs::write(file("tags.json"), tags)?;
        std::fs::write(file("digests.json"), digests)?;
        let files = [file("tags.json"), file("digests.json")].map(|path| path.display().to_string());
        let (url, worktree, app_sha) = (url(&self.remote), self.worktree(), build.app_sha());
        let (cpu, start) = (Cpu::spent()?, Instant::now());
        if self.kind == Worktree::Fresh {
            let script = include_str!("../flows/introduce-fresh.sh");
            run("introduce-fresh", script, &[&url, &worktree, &files[0], &files[1], &app_sha])?;
        } else {
            let script = include_str!("../flows/introduce.sh");
            run("introduce", script, &[&worktree, &files[0], &files[1], &app_sha])?;
        }
        let took = Took { latency: start.elapsed(), cpu: Cpu::spent()? - cpu };
        if self.kind == Worktree::Fresh {
            // A CI job's disk is thrown away by somebody else.
            std::fs::remove_dir_all(&worktree)?;
        }
        Ok(took)
    }

    /// Returns the remote.
    pub fn remote(&self) -> &Path {
        &self.remote
    }

    fn worktree(&self) -> String {
        self.directory.join("worktree").display().to_string()
    }
}

fn run(name: &str, script: &str, arguments: &[&str]) -> Result<()> {
    let output = isolate(Command::new("sh").args(["-c", script, name]).args(arguments)).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{name}.sh: {}", String::from_utf8_lossy(&output.stderr)).into())
}
