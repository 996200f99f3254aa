//! Over HTTP: logins, refusals, a connection that breaks, and a whole exchange with git's own server.

use std::path::Path;
use std::sync::{Arc, Mutex};

use cfgupdater_core::{CommitId, Error, ErrorKind, GitCredentials, GitRemote, RefEdit, RefOutcome};
use cfgupdater_git_backend::{CredentialSource, GitCli, RemoteSettings, TokenFile};

use crate::http_server::{Answer, Request, git_http_backend, serve};
use crate::support::{LONG, Scratch, branch, commit, git, hook, read_ref, recording_git, set_ref};

/// The base64 of `me:canary-token`.
const BASIC: &str = "Basic bWU6Y2FuYXJ5LXRva2Vu";

fn packet(line: &str) -> String {
    format!("{:04x}{line}", line.len() + 4)
}

/// Advertises one branch.
fn advertise(service: &str, id: CommitId, branch: &str) -> Answer {
    let body = [
        packet(&format!("# service={service}\n")),
        "0000".to_owned(),
        packet(&format!("{id} refs/heads/{branch}\0report-status delete-refs ofs-delta\n")),
        "0000".to_owned(),
    ];
    let headers = format!("Content-Type: application/x-{service}-advertisement\r\n");
    Answer { status: "200 OK", headers, body: body.concat().into_bytes() }
}

fn client_by(scratch: &Scratch, address: &str, git: &Path) -> GitCli {
    let login = GitCredentials::new("me", "canary-token");
    let settings =
        RemoteSettings::new(address.parse().unwrap()).with_credentials(Arc::new(login)).with_git(git);
    GitCli::new(settings, scratch.repo("local.git"))
}

async fn failure(address: &str) -> Error {
    let scratch = Scratch::new();
    let error = client_by(&scratch, address, Path::new("git"))
        .ls_remote(&[branch("master")], LONG)
        .await
        .unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    error
}

#[tokio::test]
async fn every_refusal_has_its_kind_and_shows_no_secret() {
    let cases = [
        ("403 Forbidden", ErrorKind::Forbidden),
        ("404 Not Found", ErrorKind::NotFound),
        ("429 Too Many Requests", ErrorKind::RateLimited),
        ("503 Service Unavailable", ErrorKind::Unavailable),
    ];
    for (status, kind) in cases {
        let error = failure(&serve(move |_| Some(Answer::status(status)))).await;
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[tokio::test]
async fn a_login_is_offered_to_its_own_host_when_asked_for() {
    let offered = Arc::new(Mutex::new(Vec::new()));
    let seen = offered.clone();
    let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    let address = serve(move |request| {
        seen.lock().unwrap().push(request.header("authorization"));
        Some(Answer { headers: challenge.into(), ..Answer::status("401 Unauthorized") })
    });
    let scratch = Scratch::new();
    let (program, record) = recording_git(&scratch);
    let error =
        client_by(&scratch, &address, &program).ls_remote(&[branch("master")], LONG).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    let arguments = std::fs::read_to_string(record).unwrap();
    assert!(arguments.contains("ls-remote") && !arguments.contains("canary"), "{arguments}");
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
    assert_eq!(*offered.lock().unwrap(), [None, Some(BASIC.to_owned())]);
}

#[tokio::test]
async fn a_redirect_elsewhere_does_not_get_the_login() {
    let offered = Arc::new(Mutex::new(Vec::new()));
    let seen = offered.clone();
    let elsewhere = serve(move |request| {
        seen.lock().unwrap().push(request.header("authorization"));
        Some(Answer {
            headers: "WWW-Authenticate: Basic realm=\"x\"\r\n".into(),
            ..Answer::status("401 Unauthorized")
        })
    });
    let location = format!("Location: {elsewhere}/info/refs?service=git-upload-pack\r\n");
    let first = serve(move |_| Some(Answer { headers: location.clone(), ..Answer::status("302 Found") }));
    assert_eq!(failure(&first).await.kind(), ErrorKind::Unauthenticated);
    let offered = offered.lock().unwrap();
    assert!(!offered.is_empty() && offered.iter().all(Option::is_none), "{offered:?}");
}

/// Logins that are told which of them was refused.
#[derive(Debug, Default)]
struct Watched(Mutex<Vec<String>>);

#[async_trait::async_trait]
impl CredentialSource for Watched {
    async fn credentials(&self) -> Result<Option<GitCredentials>, Error> {
        Ok(Some(GitCredentials::new("me", "canary-token")))
    }

    async fn refused(&self, login: &GitCredentials) {
        self.0.lock().unwrap().push(login.password.clone());
    }
}

#[tokio::test]
async fn whoever_gave_a_login_is_told_that_it_was_refused() {
    for (status, told) in [("401 Unauthorized", 1), ("403 Forbidden", 0), ("503 Service Unavailable", 0)] {
        let headers = "WWW-Authenticate: Basic realm=\"x\"\r\n";
        let address = serve(move |_| Some(Answer { headers: headers.into(), ..Answer::status(status) }));
        let (scratch, source) = (Scratch::new(), Arc::new(Watched::default()));
        let settings = RemoteSettings::new(address.parse().unwrap()).with_credentials(source.clone());
        let client = GitCli::new(settings, scratch.repo("local.git"));
        client.fetch(&[branch("master")], LONG).await.unwrap_err();
        assert_eq!(*source.0.lock().unwrap(), vec!["canary-token"; told], "{status}");
    }
}

#[tokio::test]
async fn a_token_file_is_read_each_time() {
    let scratch = Scratch::new();
    let offered = Arc::new(Mutex::new(Vec::new()));
    let seen = offered.clone();
    let address = serve(move |request| {
        seen.lock().unwrap().extend(request.header("authorization"));
        Some(Answer {
            headers: "WWW-Authenticate: Basic realm=\"x\"\r\n".into(),
            ..Answer::status("401 Unauthorized")
        })
    });
    let file = scratch.path("token");
    let settings =
        RemoteSettings::new(address.parse().unwrap()).with_credentials(Arc::new(TokenFile::new("me", &file)));
    let client = GitCli::new(settings, scratch.repo("local.git"));
    assert_eq!(client.head_branch(LONG).await.unwrap_err().kind(), ErrorKind::Unauthenticated, "no file yet");
    for content in ["canary-token\nnext\n", "other\n"] {
        std::fs::write(&file, content).unwrap();
        client.head_branch(LONG).await.unwrap_err();
    }
    let offered = offered.lock().unwrap();
    assert_eq!(offered[0], BASIC);
    assert_ne!(offered[1], BASIC);
}

/// A server that advertises `before`, breaks the connection when it is sent a pack, and then lists `after`.
async fn broken_push(after: impl Fn(CommitId, CommitId) -> Option<CommitId>) -> (RefOutcome, CommitId) {
    let scratch = Scratch::new();
    let local = scratch.repo("scratch.git");
    let old = commit(&local, &[], &[("f", "1")], 1);
    let new = commit(&local, &[old], &[("f", "2")], 2);
    let after = after(old, new);
    let address = serve(move |request| match request.line() {
        line if line.contains("service=git-receive-pack") => Some(advertise("git-receive-pack", old, "auto")),
        line if line.starts_with("POST") => None,
        _ => after.map(|id| advertise("git-upload-pack", id, "auto")),
    });
    let client = GitCli::new(RemoteSettings::new(address.parse().unwrap()), local);
    let edit = RefEdit::exact(branch("auto"), Some(old), Some(new));
    let mut outcome = client.push(&[edit], LONG).await.unwrap();
    (outcome.remove(0), new)
}

#[tokio::test]
async fn a_push_whose_connection_broke_is_settled_by_the_reference() {
    let (outcome, _) = broken_push(|_, new| Some(new)).await;
    assert_eq!(outcome, RefOutcome::Moved);
    let (outcome, _) = broken_push(|old, _| Some(old)).await;
    assert!(matches!(outcome, RefOutcome::Indeterminate { .. }), "it may still be taken: {outcome:?}");
    let (outcome, _) = broken_push(|_, _| None).await;
    assert!(matches!(outcome, RefOutcome::Indeterminate { .. }), "nobody could look: {outcome:?}");
    let other: CommitId = "1".repeat(40).parse().unwrap();
    let (outcome, _) = broken_push(move |_, _| Some(other)).await;
    assert_eq!(outcome, RefOutcome::Stale { actual: Some(other) });
}

#[tokio::test]
async fn fetches_and_pushes_go_through_gits_own_server_with_a_login() {
    let scratch = Scratch::new();
    let remote = scratch.repo("repo.git");
    git(remote.path(), &["config", "http.receivepack", "true"]);
    let root = commit(&remote, &[], &[("f", "1")], 1);
    set_ref(remote.path(), "refs/heads/master", root);
    let project = remote.path().parent().unwrap().to_owned();
    let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    let address = serve(move |request: &Request| match request.header("authorization").as_deref() {
        Some(BASIC) => git_http_backend(&project, request),
        _ => Some(Answer { headers: challenge.into(), ..Answer::status("401 Unauthorized") }),
    });
    let client = client_by(&scratch, &address, Path::new("git"));
    assert_eq!(client.fetch(&[branch("master")], LONG).await.unwrap()[&branch("master")], root);

    let local = cfgupdater_git_backend::GixRepo::open(&scratch.path("local.git")).unwrap();
    let next = commit(&local, &[root], &[("f", "2")], 2);
    let edits =
        [RefEdit::fast_forward(branch("master"), next), RefEdit::exact(branch("auto"), None, Some(next))];
    assert_eq!(client.push(&edits, LONG).await.unwrap(), [RefOutcome::Moved, RefOutcome::Moved]);
    let stale = RefEdit::exact(branch("auto"), Some(root), None);
    assert_eq!(client.push(&[stale], LONG).await.unwrap(), [RefOutcome::Stale { actual: Some(next) }]);

    hook(remote.path(), "pre-receive", "echo leaked canary-token >&2; exit 1");
    let refused = client.push(&[RefEdit::exact(branch("auto"), Some(next), Some(root))], LONG).await.unwrap();
    assert!(
        matches!(&refused[..], [RefOutcome::Declined { reason }] if reason.contains("leaked ***")),
        "{refused:?}"
    );
    assert_eq!(read_ref(remote.path(), "refs/heads/auto"), Some(next));
}

#[tokio::test]
async fn a_remote_that_may_only_be_read_says_so_before_the_first_push() {
    let scratch = Scratch::new();
    let remote = scratch.repo("repo.git");
    let root = commit(&remote, &[], &[("f", "1")], 1);
    set_ref(remote.path(), "refs/heads/master", root);
    git(remote.path(), &["config", "http.receivepack", "true"]);
    let project = remote.path().parent().unwrap().to_owned();
    let address = serve(move |request: &Request| git_http_backend(&project, request));
    let client = client_by(&scratch, &address, Path::new("git"));
    client.fetch(&[branch("master")], LONG).await.unwrap();
    client.may_push(root, LONG).await.unwrap();
    assert_eq!(read_ref(remote.path(), "refs/heads/cfgupdater/preflight"), None, "nothing was pushed");
    git(remote.path(), &["config", "http.receivepack", "false"]);
    let error = client.may_push(root, LONG).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
}
