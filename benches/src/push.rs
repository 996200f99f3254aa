//! The floor under every contender: `git push` of a commit that is there already.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::Result;
use crate::announcements::Build;
use crate::config_repository::url;
use crate::cpu::Cpu;
use crate::git::{git, isolate};
use crate::shell::Took;

/// A bare clone that is pushed from.
#[derive(Debug)]
pub struct Push {
    remote: PathBuf,
    clone: PathBuf,
}

impl Push {
    /// Clones the remote to `directory`, and makes auto there.
    ///
    /// # Errors
    /// Fails where git does.
    pub fn prepare(remote: PathBuf, directory: PathBuf) -> Result<Self> {
        git(&remote, &["branch", "auto", "master"])?;
        std::fs::create_dir_all(&directory)?;
        git(&directory, &["clone", "--quiet", "--bare", &url(&remote), "."])?;
        Ok(Self { remote, clone: directory })
    }

    /// Writes the commit that introduces a build, then measures its push.
    ///
    /// # Errors
    /// Fails where git does.
    pub fn introduce(&self, build: Build) -> Result<Took> {
        self.commit(build)?;
        let (cpu, start) = (Cpu::spent()?, Instant::now());
        git(&self.clone, &["push", "--quiet", "origin", "auto:auto"])?;
        Ok(Took { latency: start.elapsed(), cpu: Cpu::spent()? - cpu })
    }

    /// Returns the remote.
    pub fn remote(&self) -> &Path {
        &self.remote
    }

    fn commit(&self, build: Build) -> Result<()> {
        let (tags, digests) = build.files()?;
        let mut import = Command::new("git");
        isolate(import.args(["fast-import", "--quiet", "--date-format=now"]).current_dir(&self.clone));
        let mut child = import.stdin(Stdio::piped()).spawn()?;
        let mut input = child.stdin.take().ok_or("fast-import takes no input")?;
        let message = format!("chore: update app to {}", build.app_sha());
        writeln!(input, "commit refs/heads/auto\ncommitter bench <bench@example.com> now")?;
        writeln!(input, "data {}\n{message}\nfrom refs/heads/auto^0", message.len())?;
        for (name, content) in [("tags", tags), ("digests", digests)] {
            writeln!(input, "M 100644 inline images/staging/{name}.json\ndata {}", content.len())?;
            input.write_all(&content)?;
            writeln!(input)?;
        }
        drop(input);
        if child.wait()?.success() { Ok(()) } else { Err("git fast-import failed".into()) }
    }
}
