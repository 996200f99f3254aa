//! Configuration repositories of any size, the same bytes each time.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::announcements::Build;
use crate::git::{git, isolate};

/// The waves, first to last.
pub const WAVES: [&str; 3] = ["staging", "internal", "production"];

/// How many files each directory `services/<n>` holds.
pub const FILES_IN_A_DIRECTORY: u32 = 20;

/// How many commits by people follow the first one.
pub const HISTORY: u32 = 200;

/// The date of the first commit; each further one is an hour later.
const START: u64 = 1_700_000_000;

/// Makes a bare repository with this many YAML files below `services/` and the image definitions of three waves.
///
/// # Errors
/// Fails where git does.
pub fn generate(directory: &Path, files: u32) -> Result<()> {
    std::fs::create_dir_all(directory)?;
    git(directory, &["init", "--quiet", "--bare", "--template=", "--initial-branch=master", "."])?;
    let mut import = Command::new("git");
    isolate(import.args(["fast-import", "--quiet", "--done"]).current_dir(directory));
    let mut child = import.stdin(Stdio::piped()).spawn()?;
    let input = child.stdin.take().ok_or("fast-import takes no input")?;
    write_commits(&mut BufWriter::new(input), files)?;
    if !child.wait()?.success() {
        return Err("git fast-import failed".into());
    }
    // A server has packed what it holds.
    git(directory, &["repack", "--quiet", "-a", "-d"])?;
    git(directory, &["pack-refs", "--all"]).map(|_| ())
}

/// Copies a repository, so that each contender has its own remote.
///
/// # Errors
/// Fails where the disk does.
pub fn copy(from: &Path, to: &Path) -> Result<PathBuf> {
    let status = Command::new("cp").arg("-R").arg(from).arg(to).status()?;
    if status.success() { Ok(to.to_owned()) } else { Err("the repository could not be copied".into()) }
}

/// Returns the address of a repository on this machine.
pub fn url(directory: &Path) -> String {
    format!("file://{}", directory.display())
}

fn write_commits(out: &mut impl Write, files: u32) -> Result<()> {
    commit(out, 0, "feat: the configuration of every service")?;
    for file in 0..files {
        put(out, &path(file), yaml(file, 0).as_bytes())?;
    }
    for wave in WAVES {
        let (tags, digests) = Build(0).files()?;
        put(out, &format!("images/{wave}/tags.json"), &tags)?;
        put(out, &format!("images/{wave}/digests.json"), &digests)?;
    }
    for edit in 1..=HISTORY {
        commit(out, edit, &format!("fix: edit {edit}"))?;
        // A multiplier prime to every usual size spreads the edits over the directories.
        let file = edit.wrapping_mul(7919) % files;
        put(out, &path(file), yaml(file, edit).as_bytes())?;
    }
    writeln!(out, "done")?;
    Ok(out.flush()?)
}

fn commit(out: &mut impl Write, number: u32, message: &str) -> Result<()> {
    let at = START + 3600 * u64::from(number);
    writeln!(out, "commit refs/heads/master\ncommitter Pat <pat@example.com> {at} +0000")?;
    Ok(writeln!(out, "data {}\n{message}", message.len())?)
}

fn put(out: &mut impl Write, path: &str, content: &[u8]) -> Result<()> {
    writeln!(out, "M 100644 inline {path}\ndata {}", content.len())?;
    out.write_all(content)?;
    Ok(writeln!(out)?)
}

fn path(file: u32) -> String {
    const KINDS: [&str; 4] = ["deployment", "service", "configmap", "ingress"];
    let (directory, within) = (file / FILES_IN_A_DIRECTORY, file % FILES_IN_A_DIRECTORY);
    let kind = KINDS[within as usize % KINDS.len()];
    format!("services/{directory}/{kind}-{within}.yml")
}

fn yaml(file: u32, edit: u32) -> String {
    let (service, token) = (file / FILES_IN_A_DIRECTORY, file.wrapping_mul(0x9e37_79b9));
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: service-{service}-{file}\n  labels:\n    \
         app: service-{service}\n    revision: \"{edit}\"\nspec:\n  replicas: {}\n  selector:\n    \
         matchLabels:\n      app: service-{service}\n  template:\n    metadata:\n      annotations:\n        \
         checksum/config: {token:08x}{:08x}\n    spec:\n      containers:\n      - name: main\n        \
         resources:\n          requests:\n            cpu: {}m\n            memory: {}Mi\n",
        1 + token % 5,
        token.rotate_left(13),
        50 + token % 400,
        64 + token % 1024,
    )
}
