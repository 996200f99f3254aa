//! An HTTP server of a few lines, and git's own server behind it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

pub(crate) struct Request {
    head: Vec<String>,
    body: Vec<u8>,
}

impl Request {
    /// Returns the request line.
    pub(crate) fn line(&self) -> &str {
        &self.head[0]
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let value = |line: &String| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        self.head.iter().find_map(value)
    }
}

pub(crate) struct Answer {
    pub(crate) status: &'static str,
    pub(crate) headers: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn status(status: &'static str) -> Self {
        Self { status, headers: String::new(), body: Vec::new() }
    }
}

/// Serves until the test ends. `None` breaks the connection. Returns the address of a repository.
pub(crate) fn serve(answer: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/repo.git", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let answer = answer.clone();
            // One answer may take for ever, and others are wanted meanwhile.
            std::thread::spawn(move || reply(stream.unwrap(), &*answer));
        }
    });
    address
}

fn reply(stream: TcpStream, answer: &impl Fn(&Request) -> Option<Answer>) {
    let mut stream = BufReader::new(stream);
    let Some(request) = read_request(&mut stream) else { return };
    let Some(Answer { status, headers, body }) = answer(&request) else { return };
    let fixed = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    let _ = stream.get_mut().write_all(&[format!("{fixed}{headers}\r\n").as_bytes(), &body].concat());
}

fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut request = Request { head: Vec::new(), body: Vec::new() };
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok()?;
        match line.trim() {
            "" => break,
            line => request.head.push(line.to_owned()),
        }
    }
    request.head.first()?;
    if let Some(length) = request.header("content-length").and_then(|length| length.parse().ok()) {
        stream.take(length).read_to_end(&mut request.body).ok()?;
    }
    Some(request)
}

/// Answers as `git http-backend` does for the repositories in `project`.
pub(crate) fn git_http_backend(project: &Path, request: &Request) -> Option<Answer> {
    let mut words = request.line().split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let header = |name| request.header(name).unwrap_or_default();
    let mut server = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", project)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .envs([
            ("REQUEST_METHOD", method),
            ("PATH_INFO", path),
            ("QUERY_STRING", query),
            ("REMOTE_USER", "me"),
        ])
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    server.stdin.take()?.write_all(&request.body).ok()?;
    let output = server.wait_with_output().ok()?.stdout;
    let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let headers = String::from_utf8_lossy(&output[..end + 2]).into_owned();
    let says = |status: &str| headers.lines().any(|line| line.starts_with(status));
    let status = match () {
        () if says("Status: 403") => "403 Forbidden",
        () if says("Status: 404") => "404 Not Found",
        () => "200 OK",
    };
    Some(Answer { status, headers, body: output[end + 4..].to_vec() })
}
