//! The suite of the testkit over a path, over HTTP by `git http-backend`, and over SSH by `sshd`.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use cfgupdater_core::{CommitId, ErrorKind, GitCredentials, GitRemote, GitRepo, RefName};
use cfgupdater_git_backend::{Engine, GitCli, GixRepo, LocalRepo, RemoteSettings};
use cfgupdater_testkit::conformance::git_remote::{
    AsksForLogins, CanBeAbsent, GitRemoteHarness, HasFaults, HasHooks, TakesEditsSingly,
};
use cfgupdater_testkit::git_remote_conformance;

use crate::http_server::{Answer, Request, git_http_backend, serve};
use crate::ssh_server::{SshServer, can_serve};
use crate::support::{LONG, Scratch, assert_sound, branch, git, hook, settings};

/// The base64 of `me:canary-token`.
const BASIC: &str = "Basic bWU6Y2FuYXJ5LXRva2Vu";

/// How to reach the repositories of a directory.
trait Way {
    fn settings(&self, repository: &Path) -> RemoteSettings;

    /// A quarter of it must do for looking again on the slowest of machines; nothing waits for less.
    fn patience(&self) -> Duration {
        Duration::from_secs(16)
    }
}

struct ByPath;

impl Way for ByPath {
    fn settings(&self, repository: &Path) -> RemoteSettings {
        settings(repository)
    }
}

struct OverHttp {
    address: String,
}

impl OverHttp {
    fn start(scratch: &Scratch) -> Self {
        let project = scratch.path("");
        let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
        let address = serve(move |request: &Request| match request.header("authorization").as_deref() {
            Some(BASIC) => git_http_backend(&project, request),
            _ => Some(Answer { headers: challenge.into(), ..Answer::status("401 Unauthorized") }),
        });
        Self { address: address.strip_suffix("/repo.git").unwrap().to_owned() }
    }

    fn settings_by(&self, repository: &Path, password: &str) -> RemoteSettings {
        let name = repository.file_name().unwrap().to_str().unwrap();
        let login = GitCredentials::new("me", password);
        RemoteSettings::new(format!("{}/{name}", self.address).parse().unwrap())
            .with_credentials(Arc::new(login))
    }
}

impl Way for OverHttp {
    fn settings(&self, repository: &Path) -> RemoteSettings {
        self.settings_by(repository, "canary-token")
    }
}

impl Way for SshServer {
    fn settings(&self, repository: &Path) -> RemoteSettings {
        RemoteSettings::new(self.address(repository).parse().unwrap()).with_ssh(self.identity())
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(36)
    }
}

/// A real remote, reached in some way by two clients.
struct Remote<W> {
    server: GixRepo,
    clients: [(GitCli, LocalRepo); 2],
    way: W,
    scratch: Scratch,
}

impl<W: Way> Remote<W> {
    fn new(engine: Engine, way: impl FnOnce(&Scratch) -> W) -> Self {
        let scratch = Scratch::new();
        let server = scratch.repo("remote.git");
        git(server.path(), &["config", "http.receivepack", "true"]);
        let way = way(&scratch);
        let clients = ["one.git", "two.git"].map(|name| {
            let local = LocalRepo::open(&scratch.init(name, "sha1"), engine).unwrap();
            (GitCli::new(way.settings(server.path()), local.clone()), local)
        });
        Self { server, clients, way, scratch }
    }

    fn client(&self, settings: RemoteSettings) -> Box<dyn GitRemote> {
        Box::new(GitCli::new(settings, self.clients[0].1.clone()))
    }

    /// Installs a hook that runs once, at one moment of a push.
    fn once(&self, taken: bool, script: &str) {
        // The update is committed before the answer is sent, and both happen in the parent of this hook.
        let (name, when) = if taken {
            ("reference-transaction", "test \"$1\" = committed || exit 0")
        } else {
            ("pre-receive", ":")
        };
        hook(self.server.path(), name, &format!("{when}\nrm -f \"$0\"\n{script}"));
    }
}

fn by_path(engine: Engine) -> Remote<ByPath> {
    Remote::new(engine, |_| ByPath)
}

fn over_http() -> Remote<OverHttp> {
    Remote::new(Engine::Gix, OverHttp::start)
}

fn over_ssh() -> Remote<SshServer> {
    Remote::new(Engine::Gix, SshServer::start)
}

impl<W> Drop for Remote<W> {
    /// Lets hooks go that still wait: whoever opens the pipe for writing wakes those who read.
    fn drop(&mut self) {
        let _ = std::fs::OpenOptions::new().read(true).write(true).open(self.scratch.path("never"));
    }
}

impl<W: Way> GitRemoteHarness for Remote<W> {
    fn remote(&self) -> &dyn GitRemote {
        &self.clients[0].0
    }

    fn local(&self) -> &dyn GitRepo {
        self.clients[0].1.objects()
    }

    fn other(&self) -> (&dyn GitRemote, &dyn GitRepo) {
        (&self.clients[1].0, self.clients[1].1.objects())
    }

    fn server(&self) -> &dyn GitRepo {
        &self.server
    }

    fn set_ref(&self, name: &RefName, to: Option<CommitId>) {
        match to {
            Some(id) => git(self.server.path(), &["update-ref", name.as_str(), &id.to_string()]),
            None => git(self.server.path(), &["update-ref", "-d", name.as_str()]),
        };
    }

    fn set_head(&self, branch: &RefName) {
        git(self.server.path(), &["symbolic-ref", "HEAD", branch.as_str()]);
    }

    fn detach_head(&self, commit: &CommitId) {
        git(self.server.path(), &["update-ref", "--no-deref", "HEAD", &commit.to_string()]);
    }

    fn verify(&self) {
        for path in [self.server.path(), self.clients[0].1.path(), self.clients[1].1.path()] {
            assert_sound(path);
        }
    }
}

impl<W: Way> HasHooks for Remote<W> {
    fn decline_pushes(&self, words: &str) {
        hook(self.server.path(), "pre-receive", &format!("printf '{words}\\033[31m\\007\\n' >&2; exit 1"));
    }

    fn decline_updates(&self, name: &RefName, words: &str) {
        hook(
            self.server.path(),
            "update",
            &format!("test \"$1\" != {name} || {{ echo '{words}' >&2; exit 1; }}"),
        );
    }

    fn deny_rewinding(&self) {
        git(self.server.path(), &["config", "receive.denyNonFastForwards", "true"]);
    }

    fn race(&self, name: &RefName, to: &CommitId) {
        let script = format!(
            "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\ngit update-ref {name} {to}"
        );
        hook(self.server.path(), "pre-receive", &script);
    }

    fn lock(&self, name: &RefName, held: bool) {
        let lock = self.server.path().join(format!("{name}.lock"));
        if held { std::fs::write(lock, "").unwrap() } else { std::fs::remove_file(lock).unwrap() }
    }
}

impl<W: Way> TakesEditsSingly for Remote<W> {
    fn take_edits_singly(&self) {
        git(self.server.path(), &["config", "receive.advertiseAtomic", "false"]);
    }
}

impl<W: Way> HasFaults for Remote<W> {
    fn cut(&self, taken: bool) {
        self.once(taken, "kill -KILL $PPID");
    }

    fn stall(&self, taken: bool) {
        let never = self.scratch.path("never");
        assert!(Command::new("mkfifo").arg(&never).status().unwrap().success());
        self.once(taken, &format!("trap '' TERM HUP\nread -r line <{}\nexit 1", never.display()));
    }

    fn patience(&self) -> Duration {
        self.way.patience()
    }
}

impl<W: Way> CanBeAbsent for Remote<W> {
    fn absent(&self) -> Box<dyn GitRemote> {
        self.client(self.way.settings(&self.scratch.path("nowhere.git")))
    }
}

impl AsksForLogins for Remote<OverHttp> {
    fn impostor(&self) -> (Box<dyn GitRemote>, String) {
        let secret = "wrong-canary";
        (self.client(self.way.settings_by(self.server.path(), secret)), secret.to_owned())
    }
}

impl AsksForLogins for Remote<SshServer> {
    fn impostor(&self) -> (Box<dyn GitRemote>, String) {
        let settings = self.way.settings(self.server.path()).with_ssh(self.way.stranger());
        let private = std::fs::read_to_string(self.scratch.path("ssh/stranger")).unwrap();
        (self.client(settings), private.lines().nth(1).unwrap().to_owned())
    }
}

git_remote_conformance!(path, by_path(Engine::Gix), hooks, single_edits, faults, absence);
git_remote_conformance!(path_on_libgit2, by_path(Engine::Libgit2));
git_remote_conformance!(http, over_http(), hooks, single_edits, faults, absence, logins);
git_remote_conformance!(ssh, over_ssh(), hooks, single_edits, faults, absence, logins; if can_serve());

#[tokio::test]
async fn a_host_whose_key_is_not_known_is_refused_and_the_remedy_is_named() {
    if !can_serve() {
        return;
    }
    let remote = over_ssh();
    for identity in [remote.way.mistaken(), remote.way.newcomer()] {
        let settings = remote.way.settings(remote.server.path()).with_ssh(identity);
        let error = remote.client(settings).ls_remote(&[branch("master")], LONG).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
        assert!(error.to_string().contains("known_hosts"), "{error}");
    }
}

/// Whoever answers nothing is waited for as long as the caller says.
#[tokio::test]
async fn a_server_that_says_nothing_is_left_when_the_deadline_has_passed() {
    let silence = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/x.git", silence.local_addr().unwrap());
    let scratch = Scratch::new();
    let local = LocalRepo::open(&scratch.init("one.git", "sha1"), Engine::Gix).unwrap();
    let remote = GitCli::new(RemoteSettings::new(url.parse().unwrap()), local);
    let (names, soon) = ([branch("master")], Duration::from_secs(1));
    let errors = [
        remote.ls_remote(&names, soon).await.unwrap_err(),
        remote.fetch(&names, soon).await.unwrap_err(),
        remote.head_branch(soon).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    }
}
