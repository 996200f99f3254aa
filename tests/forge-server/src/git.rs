//! git over HTTP: git's own server behind a login.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::serving::text;

/// Where repositories are, and who asks for them.
#[derive(Debug)]
pub struct GitPlace {
    /// Where repositories are served from; `None` where none are.
    pub root: Option<PathBuf>,
    /// Who logged in; `None` for whoever isn't known.
    pub login: Option<String>,
    /// Answers with 502 what was done.
    pub breaks: bool,
    /// What the login window says.
    pub realm: &'static str,
}

/// Answers a request of git.
///
/// # Panics
/// Fails where the answer can't be put together.
pub async fn answer_git(
    place: GitPlace,
    method: &str,
    path: &str,
    query: &str,
    headers: &HeaderMap,
    body: Vec<u8>,
) -> Response {
    let plain = |status: StatusCode| Response::builder().status(status);
    let (Some(root), Some(login)) = (place.root, place.login) else {
        let realm = format!("Basic realm=\"{}\"", place.realm);
        let refused = plain(StatusCode::UNAUTHORIZED).header(header::WWW_AUTHENTICATE, realm);
        return refused.body(Body::empty()).expect("an answer can be built");
    };
    let request = GitRequest {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        content_type: text(headers, "content-type").to_owned(),
        encoding: text(headers, "content-encoding").to_owned(),
        protocol: text(headers, "git-protocol").to_owned(),
        login,
        body,
    };
    let answered = tokio::task::spawn_blocking(move || backend(&root, &request)).await.ok().flatten();
    let Some((status, headers, body)) = answered.filter(|_| !place.breaks) else {
        return plain(StatusCode::BAD_GATEWAY).body(Body::empty()).expect("an answer can be built");
    };
    let response =
        headers.iter().fold(Response::builder().status(status), |r, (name, value)| r.header(name, value));
    response.body(Body::from(body)).expect("an answer can be built")
}

/// A request of git.
#[derive(Debug)]
struct GitRequest {
    method: String,
    path: String,
    query: String,
    content_type: String,
    encoding: String,
    protocol: String,
    login: String,
    body: Vec<u8>,
}

/// Status, header fields and body.
type Answered = (u16, Vec<(String, String)>, Vec<u8>);

/// Reads user name and password of basic authentication.
pub fn login(header: Option<&str>) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header?.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Answers as `git http-backend` does.
fn backend(root: &Path, request: &GitRequest) -> Option<Answered> {
    let mut server = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .envs([
            ("REQUEST_METHOD", &request.method),
            ("PATH_INFO", &request.path),
            ("QUERY_STRING", &request.query),
            ("REMOTE_USER", &request.login),
            ("CONTENT_TYPE", &request.content_type),
            ("HTTP_CONTENT_ENCODING", &request.encoding),
            ("GIT_PROTOCOL", &request.protocol),
        ])
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    server.stdin.take()?.write_all(&request.body).ok()?;
    let output = server.wait_with_output().ok()?.stdout;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let field = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut headers: Vec<(String, String)> = head.lines().filter_map(field).collect();
    let status =
        headers.iter().find(|(name, _)| name == "Status").and_then(|(_, value)| value.get(..3)?.parse().ok());
    headers.retain(|(name, _)| name != "Status");
    Some((status.unwrap_or(200), headers, output[end + 4..].to_vec()))
}
