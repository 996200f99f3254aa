//! [`Prism`]: a judge of requests that knows GitHub's description alone, the npm package `@stoplight/prism-cli`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::relay::pass_on;
use crate::{Exchange, npm};

/// The kind of JSON that clients ask GitHub for; its description names another, which it sends as well.
const KIND: &str = "application/vnd.github+json";

/// How long a judgement may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running Prism; ends when dropped.
#[derive(Debug)]
pub struct Prism {
    base: String,
    child: Child,
    agent: ureq::Agent,
    _description: TempDir,
}

impl Prism {
    /// Starts one.
    ///
    /// # Errors
    /// Says why it can't be run here.
    pub fn start() -> Result<Self, String> {
        let program = npm::file("@stoplight/prism-cli/dist/index.js")?;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let file = directory.path().join("github.json");
        std::fs::write(&file, description().to_string()).expect("a file can be written");
        let mut child = Command::new("node")
            .arg(program)
            .args(["mock", "--host", "127.0.0.1", "--port", "0", "--errors"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node can't be run: {error}"))?;
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let base = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once("Prism is listening on ")?;
            address.split_whitespace().next().map(str::to_owned)
        });
        let base = base.expect("Prism says where it listens");
        // A full pipe would stop it.
        std::thread::spawn(move || lines.for_each(drop));
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .proxy(None)
            .build();
        Ok(Self { base, child, agent: config.into(), _description: directory })
    }

    /// Says what is wrong with a request, `None` where it is as described.
    pub fn objection(&self, exchange: &Exchange, path: &str) -> Option<String> {
        let url = format!("{}{path}?{}", self.base, exchange.query);
        let (status, _, body) =
            pass_on(&self.agent, &exchange.method, &url, &exchange.headers, &exchange.sent)
                .expect("Prism answers");
        let said: Value = serde_json::from_slice(&body).unwrap_or_default();
        let about_answer = |found: &Value| found["location"][0] == "response";
        // Some examples of the description are not what it describes, which is no fault of who asked.
        let of_answers = said["validation"].as_array().is_some_and(|found| found.iter().all(about_answer));
        let body = String::from_utf8_lossy(&body);
        (!status.is_success() && !of_answers).then(|| format!("{} {path}: {status} {body}", exchange.method))
    }
}

impl Drop for Prism {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Puts the two parts of the description together.
fn description() -> Value {
    let read = |text: &str| -> Value { serde_json::from_str(text).expect("the description is JSON") };
    let mut all = read(include_str!("../openapi/github-trimmed.json"));
    let further = read(include_str!("../openapi/requests.json"));
    for (path, operations) in further["paths"].as_object().into_iter().flatten() {
        all["paths"][path] = operations.clone();
    }
    for operation in all["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut()) {
        operation.as_object_mut().into_iter().flat_map(|all| all.values_mut()).for_each(name_kind);
    }
    all
}

/// Lets an operation answer with the kind that is asked for.
fn name_kind(operation: &mut Value) {
    for answer in operation["responses"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
        if let Some(content) = answer["content"].as_object_mut()
            && let Some(json) = content.remove("application/json")
        {
            content.insert(KIND.to_owned(), json);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_described_is_objected_to() {
        let prism = match Prism::start() {
            Ok(prism) => prism,
            Err(why) => return eprintln!("skipped: {why}"),
        };
        let asked = |method: &str, query: &str, sent: &str| Exchange {
            method: method.to_owned(),
            path: String::new(),
            query: query.to_owned(),
            headers: [("accept", KIND), ("content-type", "application/json")]
                .into_iter()
                .take(if sent.is_empty() { 1 } else { 2 })
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect(),
            sent: sent.as_bytes().to_vec(),
            status: 200,
            body: Vec::new(),
        };
        let runs = "/repos/acme/cfg/commits/abc/check-runs";
        assert_eq!(prism.objection(&asked("GET", "filter=latest&per_page=100", ""), runs), None);
        prism.objection(&asked("GET", "filter=newest", ""), runs).unwrap();
        prism.objection(&asked("GET", "per_page=many", ""), runs).unwrap();
        prism.objection(&asked("PUT", "", ""), runs).unwrap();
        prism.objection(&asked("GET", "", ""), "/repos/acme/cfg/nowhere").unwrap();
        let tokens = "/app/installations/42/access_tokens";
        assert_eq!(prism.objection(&asked("POST", "", r#"{"permissions":{"checks":"read"}}"#), tokens), None);
        prism.objection(&asked("POST", "", r#"{"permissions":{"checks":"all"}}"#), tokens).unwrap();
    }
}
