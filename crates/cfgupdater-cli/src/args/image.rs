//! What is written on the command line to build images.

use std::path::PathBuf;
use std::time::Duration;

use cfgupdater_image_builder::{CacheMode, Platform};
use cfgupdater_server::parse_duration;
use clap::{Args, Subcommand, ValueEnum};

use super::ShowArgs;

const ENVIRONMENT: &str = "\
Images are tagged by commit and by branch, as git says or as FORCE_CI_GIT_SHA and FORCE_CI_BRANCH_NAME do.
Logins are those of `docker login` or `podman login`: REGISTRY_AUTH_FILE, DOCKER_CONFIG, or the usual files.
SOURCE_DATE_EPOCH is the time of all files; 0 without it, so that the commit's time changes no image.
XDG_CACHE_HOME, or .cache in HOME, is where layers are remembered unless --cache-dir says otherwise.";

#[derive(Debug, Args)]
pub(crate) struct ImageArgs {
    #[command(subcommand)]
    pub(crate) command: ImageCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImageCommand {
    /// Build, push and tag the images of an application, and push nothing that did not change
    #[command(after_help = ENVIRONMENT)]
    Build(Box<BuildArgs>),
}

/// What builds images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Driver {
    /// This program, without a daemon and without root
    Native,
    /// Docker, from Dockerfiles
    Docker,
    /// Buildah, from Dockerfiles
    Buildah,
}

/// How far the previous images are believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cache {
    /// Make every layer again, and send what the registry doesn't have
    Verify,
    /// Take an image with the same configuration as it is; whoever can write to the registry can abuse that
    Trust,
    /// Don't look at previous images
    Off,
}

impl From<Cache> for CacheMode {
    fn from(cache: Cache) -> Self {
        match cache {
            Cache::Verify => Self::Verify,
            Cache::Trust => Self::Trust,
            Cache::Off => Self::Off,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct BuildArgs {
    /// What images there are and what is in them
    #[arg(long, value_name = "FILE", default_value = "images.toml")]
    pub(crate) file: PathBuf,
    /// Where the built binaries are, instead of where the file says
    #[arg(long, value_name = "DIR")]
    pub(crate) bins: Option<PathBuf>,
    /// What the names of all repositories begin with, instead of what the file says
    #[arg(long = "registry", value_name = "HOST/PATH", env = "CFGUPDATER_REGISTRY")]
    pub(crate) prefix: Option<String>,
    /// What the images run on, instead of what the file says; several, apart by commas, make an index
    #[arg(long, value_name = "OS/ARCH", value_delimiter = ',')]
    pub(crate) platform: Vec<Platform>,
    /// What builds them
    #[arg(long, value_enum, default_value = "native", value_name = "DRIVER")]
    pub(crate) driver: Driver,
    /// How far the previous images are believed
    #[arg(long, value_enum, default_value = "verify", value_name = "MODE")]
    pub(crate) cache: Cache,
    /// A tag to find the previous images by where the branch has none yet; may be repeated
    #[arg(long, value_name = "TAG")]
    pub(crate) cache_from: Vec<String>,
    /// Where to remember what layers were compressed to, so that verifying need not do it again
    #[arg(long, value_name = "DIR", env = "CFGUPDATER_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// How many layers to make at a time; as many as there are processors without it
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
    /// Push and tag the images (the default)
    #[arg(long, overrides_with = "no_push")]
    pub(crate) push: bool,
    /// Push nothing
    #[arg(long)]
    pub(crate) no_push: bool,
    /// Say what would change; write and push nothing
    #[arg(long, conflicts_with_all = ["push", "oci_layout", "artefacts", "images"])]
    pub(crate) dry_run: bool,
    /// Write the images to a directory, as an OCI image layout
    #[arg(long, value_name = "DIR")]
    pub(crate) oci_layout: Option<PathBuf>,
    /// Write each service's references to DIR/SERVICE.json
    #[arg(long, value_name = "DIR")]
    pub(crate) artefacts: Option<PathBuf>,
    /// Write all references to one file, which `announce` takes
    #[arg(long, value_name = "FILE")]
    pub(crate) images: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
}

impl BuildArgs {
    /// Tells whether images are pushed.
    pub(crate) fn pushes(&self) -> bool {
        !self.dry_run && !self.no_push
    }
}

/// How registries are reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry")]
pub(crate) struct RegistryArgs {
    /// The file of logins, written as Docker's config.json
    #[arg(long, value_name = "FILE")]
    pub(crate) auth_file: Option<PathBuf>,
    /// Certificates to trust in addition to the system's, PEM
    #[arg(long = "registry-ca-file", env = "CFGUPDATER_REGISTRY_CA_FILE", value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// A host, as in image names, to talk to without TLS; loopback addresses are; may be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) plain_http: Vec<String>,
    /// A loopback host to talk to with TLS; may be repeated
    #[arg(long, value_name = "HOST")]
    pub(crate) https: Vec<String>,
    /// How long to repeat what fails in passing
    #[arg(long = "registry-retry-for", value_name = "DURATION", default_value = "2m", value_parser = parse_duration)]
    pub(crate) retry_for: Duration,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn parse(line: &str) -> Option<BuildArgs> {
        let words = ["cfgupdater", "image", "build"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words).ok()?.command {
            Command::Image(ImageArgs { command: ImageCommand::Build(args) }) => Some(*args),
            _ => None,
        }
    }

    #[test]
    fn images_are_pushed_unless_somebody_says_no() {
        for (line, pushes) in
            [("", true), ("--no-push", false), ("--no-push --push", true), ("--dry-run", false)]
        {
            assert_eq!(parse(line).unwrap().pushes(), pushes, "{line}");
        }
    }

    #[test]
    fn a_dry_run_writes_nothing() {
        for line in ["--dry-run --oci-layout x", "--dry-run --images x", "--dry-run --artefacts x"] {
            assert!(parse(line).is_none(), "{line}");
        }
    }

    #[test]
    fn words_that_make_no_sense_are_refused() {
        for line in ["--platform linux", "--cache maybe", "--driver kaniko", "--registry-retry-for soon"] {
            assert!(parse(line).is_none(), "{line}");
        }
        let several = parse("--platform linux/arm64,linux/arm/v7").unwrap().platform;
        assert_eq!(
            several.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["linux/arm64", "linux/arm/v7"]
        );
    }
}
