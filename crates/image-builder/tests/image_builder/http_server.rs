//! An HTTP server of a few lines that can do what no decent server does: break off in the middle.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// What was asked, before its body is read.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns a parameter of the query, unescaped as far as tests need it.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.clone().find(|(key, _)| *key == name)?.1;
        Some(value.replace("%3A", ":").replace("%2F", "/").replace("%2C", ","))
    }
}

/// What is answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}

/// How a request is dealt with.
pub(crate) enum Reaction {
    /// Read the body and answer.
    Serve,
    /// Answer this without reading the body.
    Answer(Answer),
    /// Read half of the body and break off.
    Cut,
    /// Send this, shorter than it says it is, and no more until the other side gives up.
    Stall(Answer),
}

/// Decides on requests and answers them.
pub(crate) trait Service: Send + Sync + 'static {
    fn react(&self, request: &Request) -> Reaction;
    fn answer(&self, request: &Request, body: Vec<u8>) -> Answer;
}

/// Serves until the process ends; returns `127.0.0.1:PORT`.
pub(crate) fn serve(service: Arc<dyn Service>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let service = Arc::clone(&service);
            std::thread::spawn(move || talk(stream.unwrap(), service.as_ref()));
        }
    });
    address
}

fn talk(stream: TcpStream, service: &dyn Service) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let request = read_head(&mut stream)?;
        let length: u64 = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let answer = match service.react(&request) {
            Reaction::Cut => {
                std::io::copy(&mut stream.by_ref().take(length / 2), &mut std::io::sink()).ok()?;
                return None;
            }
            Reaction::Stall(answer) => {
                write(stream.get_mut(), &request, &answer);
                std::io::copy(&mut stream, &mut std::io::sink()).ok()?;
                return None;
            }
            Reaction::Answer(answer) => {
                std::io::copy(&mut stream.by_ref().take(length), &mut std::io::sink()).ok()?;
                answer
            }
            Reaction::Serve => {
                let mut body = Vec::new();
                stream.by_ref().take(length).read_to_end(&mut body).ok()?;
                service.answer(&request, body)
            }
        };
        write(stream.get_mut(), &request, &answer)?;
    }
}

fn read_head(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut words = lines.first()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = lines[1..].iter().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Some(Request { method, path: path.to_owned(), query: query.to_owned(), headers })
}

fn write(stream: &mut TcpStream, request: &Request, answer: &Answer) -> Option<()> {
    let has_length = answer.headers.iter().any(|(name, _)| *name == "content-length");
    let mut head = format!("HTTP/1.1 {} X\r\n", answer.status);
    if !has_length {
        let _ = write!(head, "content-length: {}\r\n", answer.body.len());
    }
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    if request.method != "HEAD" {
        stream.write_all(&answer.body).ok()?;
    }
    // A body shorter than was announced is a connection that breaks.
    (!has_length || request.method == "HEAD").then_some(())
}
