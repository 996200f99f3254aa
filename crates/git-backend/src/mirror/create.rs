//! Puts an empty repository in the place of a mirror.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cfgupdater_core::{Error, ErrorKind, ObjectFormat};

use super::settings::MirrorSettings;
use crate::remote::git_command::GitCommand;
use crate::remote::{object_format, run_locally};

/// Creates the mirror empty, in the remote's object format, and puts it in the place of whatever is there.
pub(crate) async fn create(settings: &MirrorSettings, limit: Duration) -> Result<(), Error> {
    let created = tokio::time::timeout(limit, create_within(settings, limit)).await;
    created.unwrap_or_else(|_| {
        let message =
            format!("can't create the mirror {}: the deadline passed", settings.directory.display());
        Err(Error::new(ErrorKind::TimedOut, message))
    })
}

async fn create_within(settings: &MirrorSettings, limit: Duration) -> Result<(), Error> {
    // A remote without any reference doesn't show its format. If this guess is wrong, the first fetch says so, and
    // the mirror is created again.
    let format = object_format(&settings.remote, limit).await?.unwrap_or(ObjectFormat::Sha1);
    let fresh = beside(&settings.directory, "new");
    prepare(&settings.directory, &fresh).await.map_err(|cause| unusable(settings, cause))?;
    let format = match format {
        ObjectFormat::Sha1 => "--object-format=sha1",
        ObjectFormat::Sha256 => "--object-format=sha256",
    };
    let command = GitCommand::local(&settings.remote.git, &fresh).args([
        "init",
        "--quiet",
        "--bare",
        "--template=",
        "--initial-branch=none",
        format,
    ]);
    run_locally(&format!("create the mirror {}", settings.directory.display()), &command, limit).await?;
    replace(&settings.directory, &fresh).await.map_err(|cause| unusable(settings, cause))
}

async fn prepare(directory: &Path, fresh: &Path) -> io::Result<()> {
    if let Some(parent) = directory.parent() {
        tokio::fs::create_dir_all(parent).await?;
    }
    remove(fresh).await
}

/// Swaps by renaming, so that a crash leaves either repository whole.
async fn replace(directory: &Path, fresh: &Path) -> io::Result<()> {
    let old = beside(directory, "old");
    remove(&old).await?;
    match tokio::fs::rename(directory, &old).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    tokio::fs::rename(fresh, directory).await?;
    remove(&old).await
}

async fn remove(directory: &Path) -> io::Result<()> {
    match tokio::fs::remove_dir_all(directory).await {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => tokio::fs::remove_file(directory).await,
        other => other,
    }
}

fn beside(directory: &Path, suffix: &str) -> PathBuf {
    let mut name = directory.as_os_str().to_owned();
    name.push(format!(".{suffix}"));
    name.into()
}

fn unusable(settings: &MirrorSettings, cause: io::Error) -> Error {
    let message = format!(
        "can't put a mirror at {}; check that the data directory is writable and has space",
        settings.directory.display()
    );
    Error::new(ErrorKind::Other, message).with_source(cause)
}
