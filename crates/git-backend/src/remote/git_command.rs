//! The `git` commands this crate runs, as values: nothing of the user's or the system's git reaches them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cfgupdater_core::GitCredentials;

use super::remote_url::Transport;
use super::settings::RemoteSettings;
use super::ssh_identity::{shell_quote, ssh_command};

/// Configuration of every command. It is not handed on to the processes of a remote on the same machine.
const CONFIG: &[&str] = &[
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "credential.helper=",
    "fetch.recurseSubmodules=no",
    "push.recurseSubmodules=no",
    "push.followTags=false",
    "push.gpgSign=false",
    "advice.pushUpdateRejected=false",
];

const PROXY_VARIABLES: &[&str] =
    &["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"];

/// Answers git's question for a login from the environment of that one process.
const CREDENTIAL_HELPER: &str = concat!(
    r#"!f() { test "$1" = get && printf 'username=%s\npassword=%s\n' "#,
    r#""$CFGUPDATER_GIT_USERNAME" "$CFGUPDATER_GIT_PASSWORD"; }; f"#
);

/// A command ready to be started.
pub(crate) struct GitCommand {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

impl std::fmt::Debug for GitCommand {
    /// Leaves out the environment, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitCommand").field("args", &self.args).finish_non_exhaustive()
    }
}

impl GitCommand {
    /// Builds a command that works on a local repository alone.
    pub(crate) fn local(git: &Path, repository: &Path) -> Self {
        let mut command = Self { program: git.to_owned(), args: Vec::new(), env: environment() };
        for setting in CONFIG {
            command = command.config(setting);
        }
        command.arg("--git-dir").arg(repository)
    }

    /// Builds a command that talks to the remote.
    pub(crate) fn remote(
        settings: &RemoteSettings,
        repository: &Path,
        login: Option<&GitCredentials>,
    ) -> Self {
        let mut command = Self::local(&settings.git, repository);
        if settings.inherits_proxy {
            let set = PROXY_VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
            command.env.extend(set.map(|(name, value)| (name.into(), value)));
        }
        match settings.url.transport() {
            Transport::Http(origin) => command.over_http(settings, origin, login),
            Transport::Ssh => command
                .env("GIT_SSH_COMMAND", ssh_command(settings.ssh.as_ref()))
                .env("GIT_SSH_VARIANT", "ssh"),
            Transport::File(_) => command,
        }
    }

    /// The login is scoped to the remote's own origin, so that a redirect elsewhere doesn't get it.
    fn over_http(mut self, settings: &RemoteSettings, origin: &str, login: Option<&GitCredentials>) -> Self {
        if let Some(file) = &settings.ca_file {
            self = self.config(&format!("http.sslCAInfo={}", file.display()));
        }
        let Some(login) = login else { return self };
        self.config(&format!("credential.{origin}.helper={CREDENTIAL_HELPER}"))
            .env("CFGUPDATER_GIT_USERNAME", &login.username)
            .env("CFGUPDATER_GIT_PASSWORD", &login.password)
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, GitCommand::arg)
    }

    /// Adds the option by which git serves a repository on this machine that another user owns: whoever configured
    /// the address has named that directory, which is the consent git asks for.
    pub(crate) fn serving(self, option: &str, service: &str, settings: &RemoteSettings) -> Self {
        let Transport::File(path) = settings.url.transport() else { return self };
        let git = shell_quote(&settings.git.to_string_lossy());
        let trusted = safe_directories(path).map(|path| shell_quote(&format!("safe.directory={path}")));
        let trust: Vec<_> = trusted.map(|setting| format!("-c {setting}")).collect();
        self.arg(format!("--{option}={git} {} {service}", trust.join(" ")))
    }

    fn config(self, setting: &str) -> Self {
        self.arg("-c").arg(setting)
    }

    fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.env.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Makes it startable: in a process group of its own, with nothing to read.
    pub(crate) fn to_process(&self) -> tokio::process::Command {
        let mut process = tokio::process::Command::new(&self.program);
        process
            .args(&self.args)
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        process
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }
}

/// The forms under which git may look a served directory up.
fn safe_directories(path: &Path) -> impl Iterator<Item = String> {
    let text = path.to_string_lossy().trim_end_matches('/').to_owned();
    let real = path.canonicalize().ok().map(|path| path.to_string_lossy().into_owned());
    let worktree = format!("{text}/.git");
    [Some(text), Some(worktree), real].into_iter().flatten()
}

/// Everything a process of git gets to see of its surroundings.
fn environment() -> Vec<(OsString, OsString)> {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    let fixed = [
        ("HOME", "/nonexistent"),
        ("LC_ALL", "C"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_ATTR_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_ALLOW_PROTOCOL", "file:http:https:ssh"),
        ("GIT_NO_REPLACE_OBJECTS", "1"),
        ("GIT_OPTIONAL_LOCKS", "0"),
    ];
    let fixed = fixed.into_iter().map(|(name, value)| (name.into(), value.into()));
    std::iter::once(("PATH".into(), path)).chain(fixed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str) -> RemoteSettings {
        RemoteSettings::new(url.parse().unwrap())
    }

    #[test]
    fn a_password_is_in_the_environment_of_the_process_and_nowhere_else() {
        let login = GitCredentials::new("me", "canary");
        let command =
            GitCommand::remote(&settings("https://h:1/a.git"), Path::new("/m"), Some(&login)).arg("fetch");
        assert!(command.env.contains(&("CFGUPDATER_GIT_PASSWORD".into(), "canary".into())));
        assert!(
            !command.args.iter().any(|arg| arg.to_string_lossy().contains("canary")),
            "{:?}",
            command.args
        );
        assert!(!format!("{command:?}").contains("canary"));
        assert!(
            command
                .args
                .iter()
                .any(|arg| arg.to_string_lossy().starts_with("credential.https://h:1.helper="))
        );
    }

    #[test]
    fn processes_of_other_transports_never_see_the_password() {
        let login = GitCredentials::new("me", "canary");
        for url in ["/srv/a.git", "ssh://h/a.git"] {
            let command = GitCommand::remote(&settings(url), Path::new("/m"), Some(&login));
            assert!(!command.env.iter().any(|(_, value)| value == "canary"), "{url}");
        }
    }

    #[test]
    fn a_hostile_path_stays_one_word_of_the_served_command() {
        let command = GitCommand::local(Path::new("git"), Path::new("/m"));
        let command = command.serving("upload-pack", "upload-pack", &settings("/srv/$(id)'"));
        let served = command.args.last().unwrap().to_string_lossy().into_owned();
        assert!(served.contains(r"-c 'safe.directory=/srv/$(id)'\'''"), "{served}");
    }
}
