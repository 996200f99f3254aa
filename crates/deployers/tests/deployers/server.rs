//! A server of JSON objects by path and query, that can get into trouble.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use cfgupdater_testkit::conformance::deployments::ToolTrouble;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The token that lets in.
pub(crate) const TOKEN: &str = "canary-token";

#[derive(Debug)]
pub(crate) struct Server {
    base: String,
    kept: Arc<Mutex<Kept>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Kept {
    objects: BTreeMap<String, Value>,
    redirections: BTreeMap<String, String>,
    trouble: Option<ToolTrouble>,
    /// The only token that lets in, where it isn't the usual one.
    token: Option<String>,
    questions: usize,
}

impl Server {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let served = Arc::clone(&kept);
        let task = tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                // One question a connection is enough here.
                serve(connection, &served).await;
            }
        });
        Self { base, kept, task }
    }

    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    pub(crate) fn put(&self, path: &str, object: Value) {
        self.kept().objects.insert(path.to_owned(), object);
    }

    pub(crate) fn redirect(&self, path: &str, to: &str) {
        self.kept().redirections.insert(path.to_owned(), to.to_owned());
    }

    pub(crate) fn set(&self, trouble: ToolTrouble) {
        self.kept().trouble = Some(trouble);
    }

    /// Lets in whoever has another token, and nobody else.
    pub(crate) fn let_in(&self, token: &str) {
        self.kept().token = Some(token.to_owned());
    }

    pub(crate) fn questions(&self) -> usize {
        self.kept().questions
    }

    pub(crate) fn stop(&self) {
        self.task.abort();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap()
    }
}

async fn serve(connection: TcpStream, kept: &Mutex<Kept>) {
    let mut lines = BufReader::new(connection).lines();
    let mut head = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default().to_owned();
    let (status, headers, body) = answer(&path, &head, &mut kept.lock().unwrap());
    let head =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    let mut connection = lines.into_inner().into_inner();
    // A client that went away needs no answer.
    let _ = connection.write_all(format!("{head}{body}").as_bytes()).await;
}

fn answer(path: &str, head: &[String], kept: &mut Kept) -> (&'static str, String, String) {
    kept.questions += 1;
    let plain = |status| (status, String::new(), "{}".to_owned());
    match kept.trouble {
        Some(ToolTrouble::Away) => return plain("503 Service Unavailable"),
        Some(ToolTrouble::Limits(pause)) => {
            return ("429 Too Many Requests", format!("Retry-After: {}\r\n", pause.as_secs()), String::new());
        }
        Some(ToolTrouble::LoginRevoked) => return plain("401 Unauthorized"),
        Some(ToolTrouble::Nonsense) => return ("200 OK", String::new(), "<html>".to_owned()),
        _ => {}
    }
    let wanted = format!("authorization: Bearer {}", kept.token.as_deref().unwrap_or(TOKEN));
    if !head.iter().any(|line| line.eq_ignore_ascii_case(&wanted)) {
        return plain("401 Unauthorized");
    }
    if let Some(to) = kept.redirections.get(path) {
        return ("302 Found", format!("Location: {to}\r\n"), String::new());
    }
    match kept.objects.get(path) {
        Some(object) if !object.is_null() => ("200 OK", String::new(), object.to_string()),
        _ => plain("404 Not Found"),
    }
}
