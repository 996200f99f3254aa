//! git over HTTP: git's own server behind a login.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A request of git.
#[derive(Debug)]
pub(crate) struct GitRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) content_type: String,
    pub(crate) encoding: String,
    pub(crate) protocol: String,
    pub(crate) login: String,
    pub(crate) body: Vec<u8>,
}

/// Status, header fields and body.
pub(crate) type Answered = (u16, Vec<(String, String)>, Vec<u8>);

/// Reads user name and password of basic authentication.
pub(crate) fn login(header: Option<&str>) -> Option<(String, String)> {
    let decoded = STANDARD.decode(header?.strip_prefix("Basic ")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Answers as `git http-backend` does.
pub(crate) fn backend(root: &Path, request: &GitRequest) -> Option<Answered> {
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
