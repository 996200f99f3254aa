//! The APIs of Argo CD and Kubernetes, in this process: they keep objects, look at the token and count questions.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

/// The token that lets in.
pub const API_TOKEN: &str = "canary-api-token";

/// A server of JSON objects by path.
#[derive(Debug, Clone)]
pub struct DeployApi {
    base: String,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    objects: BTreeMap<String, Value>,
    questions: Vec<String>,
    down: bool,
}

impl DeployApi {
    /// Starts a server on a free port of the loopback address; it ends with the process.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let api = Self { base, kept: Arc::default() };
        let served = api.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let served = served.clone();
                std::thread::spawn(move || served.serve(&connection));
            }
        });
        api
    }

    /// Returns the base URL.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Keeps an object at a path.
    pub fn put(&self, path: &str, object: Value) {
        self.kept().objects.insert(path.to_owned(), object);
    }

    /// Keeps what Argo CD knows of an application whose last operation brought it to a revision.
    pub fn application(&self, name: &str, revision: &str, phase: &str, health: &str) -> Value {
        let object = application(name, revision, phase, health);
        self.put(&format!("/api/v1/applications/{name}"), object.clone());
        object
    }

    /// Keeps a kustomization that applied a revision and waits for health.
    pub fn kustomization(&self, name: &str, revision: &str, ready: &str, reason: &str) {
        let path =
            format!("/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/{name}");
        let revision = format!("master@sha1:{revision}");
        self.put(
            &path,
            json!({
                "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
                "kind": "Kustomization",
                "metadata": {"name": name, "namespace": "flux-system", "generation": 1},
                "spec": {"wait": true},
                "status": {
                    "observedGeneration": 1,
                    "conditions": [{"type": "Ready", "status": ready, "reason": reason,
                        "lastTransitionTime": "2026-01-05T10:00:00Z"}],
                    "lastAppliedRevision": revision,
                    "lastAttemptedRevision": revision
                }
            }),
        );
    }

    /// Answers every question with 503, or as usual again.
    pub fn set_down(&self, down: bool) {
        self.kept().down = down;
    }

    /// Returns the paths asked for so far.
    pub fn questions(&self) -> Vec<String> {
        self.kept().questions.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().expect("nobody panics while holding it")
    }

    fn serve(&self, connection: &TcpStream) {
        let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
        while let Some(request) = lines.next() {
            let headers: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let mut words = request.split(' ');
            let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let (status, body) = self.answer(method, path, &headers);
            let body = body.to_string();
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let mut writer = connection;
            // A client that went away needs no answer.
            if writer.write_all(format!("{head}{body}").as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, method: &str, path: &str, headers: &[String]) -> (&'static str, Value) {
        let mut kept = self.kept();
        kept.questions.push(path.to_owned());
        let wanted = format!("authorization: Bearer {API_TOKEN}");
        if method != "GET" {
            return ("405 Method Not Allowed", Value::Null);
        }
        if kept.down {
            return ("503 Service Unavailable", json!({"message": "down"}));
        }
        if !headers.iter().any(|header| header.eq_ignore_ascii_case(&wanted)) {
            return ("401 Unauthorized", json!({"message": "no"}));
        }
        match kept.objects.get(path.split('?').next().unwrap_or_default()) {
            Some(object) => ("200 OK", object.clone()),
            None => ("404 Not Found", json!({"message": "not found"})),
        }
    }
}

/// Returns an Argo CD application as its API and its notifications know it, with much that nobody asks for.
pub fn application(name: &str, revision: &str, phase: &str, health: &str) -> Value {
    let source = json!({"repoURL": "https://git.example.com/acme/cfg-app.git", "path": "x", "targetRevision": "master"});
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd", "uid": "0d5b", "resourceVersion": "7"},
        "spec": {"project": "default", "source": source},
        "status": {
            "health": {"status": health, "lastTransitionTime": "2026-01-05T10:00:30Z"},
            "history": [{"id": 0, "revision": revision}],
            "operationState": {
                "finishedAt": if phase == "Running" { Value::Null } else { "2026-01-05T10:00:20Z".into() },
                "message": "successfully synced (all tasks run)",
                "operation": {"initiatedBy": {"automated": true}, "sync": {"revision": revision, "prune": true}},
                "phase": phase,
                "startedAt": "2026-01-05T10:00:00Z",
                "syncResult": {"resources": [{"kind": "Deployment", "name": "web"}], "revision": revision, "source": source}
            },
            "reconciledAt": "2026-01-05T10:01:00Z",
            "sync": {"status": "Synced", "revision": revision, "comparedTo": {"source": source}},
            "summary": {"images": ["registry.example.com/web:1"]}
        }
    })
}
