//! Which files a confined command may reach: what programs need to run, and what it was given.

use std::path::PathBuf;

use crate::job::Job;

/// Where programs, their libraries and what they know of the machine are. Nobody keeps secrets there.
const SYSTEM: [&str; 13] = [
    "/bin",
    "/gnu",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/nix",
    "/opt",
    "/proc",
    "/run/current-system",
    "/sbin",
    "/sys",
    "/usr",
];

/// What programs read below `/etc`, where there are secrets too.
const SETTINGS: [&str; 26] = [
    "alternatives",
    "bash.bashrc",
    "ca-certificates",
    "crypto-policies",
    "gai.conf",
    "group",
    "host.conf",
    "hosts",
    "ld-musl-x86_64.path",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "perl",
    "pki",
    "protocols",
    "resolv.conf",
    "services",
    "ssl",
    "static",
];

/// What programs write to, or read chance from.
const DEVICES: [&str; 6] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"];

/// The paths that a command may reach.
#[derive(Debug, Default)]
pub(crate) struct Reach {
    pub(crate) readable: Vec<PathBuf>,
    pub(crate) writable: Vec<PathBuf>,
    pub(crate) devices: Vec<PathBuf>,
}

impl Reach {
    /// Tells what a job may reach; `None` where it isn't confined.
    pub(crate) fn of(job: &Job) -> Option<Self> {
        if job.writable.is_empty() {
            return None;
        }
        let settings = SETTINGS.iter().map(|name| PathBuf::from("/etc").join(name));
        let searched = std::env::var_os("PATH").unwrap_or_default();
        let readable = SYSTEM
            .iter()
            .map(PathBuf::from)
            .chain(settings)
            .chain(std::env::split_paths(&searched).filter(|path| path.is_absolute()))
            .chain(job.readable.iter().cloned());
        Some(Self {
            readable: readable.collect(),
            writable: job.writable.clone(),
            devices: DEVICES.iter().map(PathBuf::from).collect(),
        })
    }
}
