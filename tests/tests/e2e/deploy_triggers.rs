//! The triggers of `examples/argocd`, played as Argo CD Notifications plays them.
//!
//! A condition is looked at after each change of an application. One without `oncePer` is sent when it comes true, and
//! again once it was false; one with it is sent once for each value, also while it stays true.

use std::collections::BTreeSet;

use cfgupdater_deployers::argocd::{self, SourceUrl};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::{Value, json};

use crate::deploy_examples::{document, to_json};

struct Condition {
    when: String,
    once_per: Option<String>,
}

/// What Notifications knows of one application.
#[derive(Clone, Default)]
struct Sent(BTreeSet<(usize, String)>);

impl Sent {
    /// Looks at an application, and tells whether anything is sent.
    fn look(&mut self, conditions: &[Condition], application: &Value) -> bool {
        let mut sent = false;
        for (number, condition) in conditions.iter().enumerate() {
            let value = condition.once_per.as_ref().map(|text| evaluate(text, application));
            let key = (number, value.map(|value| format!("{value:?}")).unwrap_or_default());
            if evaluate(&condition.when, application) == Ok(json!(true)) {
                sent |= self.0.insert(key);
            } else if condition.once_per.is_none() {
                self.0.remove(&key);
            }
        }
        sent
    }
}

/// Evaluates an expression; an error counts as false.
fn evaluate(text: &str, application: &Value) -> Result<Value, String> {
    let tokens = tokens(text);
    let mut parser = Parser { tokens: &tokens, application };
    let value = parser.any()?;
    if parser.tokens.is_empty() { Ok(value) } else { Err(format!("left over: {:?}", parser.tokens)) }
}

/// Splits an expression into names, texts in single quotes, and signs.
fn tokens(text: &str) -> Vec<String> {
    let (mut found, mut rest) = (Vec::new(), text.trim());
    while let Some(first) = rest.chars().next() {
        let name = |c: char| c.is_ascii_alphanumeric() || "_.?".contains(c);
        let length = match first {
            '\'' => 2 + rest[1..].find('\'').unwrap(),
            '=' => 2,
            c if name(c) => rest.find(|c| !name(c)).unwrap_or(rest.len()),
            _ => 1,
        };
        found.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    found
}

struct Parser<'a> {
    tokens: &'a [String],
    application: &'a Value,
}

impl Parser<'_> {
    fn next(&mut self) -> Result<&str, String> {
        let (first, rest) = self.tokens.split_first().ok_or("it ends too early")?;
        self.tokens = rest;
        Ok(first)
    }

    fn takes(&mut self, wanted: &str) -> bool {
        let found = self.tokens.first().is_some_and(|token| token == wanted);
        self.tokens = &self.tokens[usize::from(found)..];
        found
    }

    /// `a or b`
    fn any(&mut self) -> Result<Value, String> {
        let mut value = self.all()?;
        while self.takes("or") {
            let other = self.all()?;
            value = json!(value == true || other == true);
        }
        Ok(value)
    }

    /// `a and b`
    fn all(&mut self) -> Result<Value, String> {
        let mut value = self.comparison()?;
        while self.takes("and") {
            let other = self.comparison()?;
            value = json!(value == true && other == true);
        }
        Ok(value)
    }

    /// `a == b`, `a in [b, c]`
    fn comparison(&mut self) -> Result<Value, String> {
        let value = self.value()?;
        if self.takes("==") {
            return Ok(json!(value == self.value()?));
        }
        if self.takes("in") {
            let list = self.value()?;
            return Ok(json!(list.as_array().ok_or("not a list")?.contains(&value)));
        }
        Ok(value)
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.takes("(") {
            let value = self.any()?;
            return if self.takes(")") { Ok(value) } else { Err("`)` is missing".to_owned()) };
        }
        if self.takes("[") {
            let mut list = Vec::new();
            while !self.takes("]") {
                list.push(self.value()?);
                self.takes(",");
            }
            return Ok(Value::Array(list));
        }
        let application = self.application;
        let token = self.next()?;
        if let Some(text) = token.strip_prefix('\'') {
            return Ok(json!(text.trim_end_matches('\'')));
        }
        let mut path = token.split('.');
        if path.next() != Some("app") {
            return Err(format!("{token} is unknown"));
        }
        let (mut value, mut optional) = (application, false);
        for name in path {
            if value.is_null() && !optional {
                return Err(format!("{token} leads nowhere"));
            }
            optional = name.ends_with('?');
            value = &value[name.trim_end_matches('?')];
        }
        Ok(value.clone())
    }
}

/// Reads the conditions of both triggers.
fn shipped() -> Vec<Condition> {
    let notifications = document("argocd/notifications.yaml", "ConfigMap");
    let read = |trigger: &str| {
        let text = notifications["data"][trigger].as_str().unwrap();
        let conditions = to_json(&Yaml::load_from_str(text).unwrap()[0]);
        let read = |condition: &Value| Condition {
            when: condition["when"].as_str().unwrap().to_owned(),
            once_per: condition["oncePer"].as_str().map(str::to_owned),
        };
        conditions.as_array().unwrap().iter().map(read).collect::<Vec<_>>()
    };
    let mut all = read("trigger.cfgupdater-deployed");
    all.extend(read("trigger.cfgupdater-failed"));
    all
}

/// An application during or after its `n`th operation.
fn application(n: usize, phase: &str, health: &str) -> Value {
    let finished = if phase == "Running" { Value::Null } else { format!("2026-01-05T10:00:0{n}Z").into() };
    json!({"metadata": {"name": "x", "namespace": "argocd"}, "status": {"health": {"status": health},
        "operationState": {"phase": phase, "finishedAt": finished,
            "syncResult": {"revision": n.to_string().repeat(40)}}}})
}

#[test]
fn whatever_changes_what_an_application_says_is_sent() {
    let (conditions, source) = (shipped(), SourceUrl::new("https://git.example.com/cfg.git"));
    let states: Vec<(&str, &str)> = [
        ("Running", "Healthy"),
        ("Running", "Degraded"),
        ("Succeeded", "Healthy"),
        ("Succeeded", "Progressing"),
        ("Succeeded", "Degraded"),
        ("Failed", "Healthy"),
    ]
    .to_vec();
    // Each state may follow each other one, in the same operation or in the next one.
    let mut open = vec![(Sent::default(), None, 1_usize, Vec::new())];
    for _ in 0..4 {
        let mut next = Vec::new();
        for (sent, told, operation, path) in open {
            for (place, (phase, health)) in states.iter().enumerate() {
                for operation in [operation, operation + 1] {
                    let mut sent = sent.clone();
                    let application = application(operation, phase, health);
                    let outcome = argocd::outcome(application.to_string().as_bytes(), &source).unwrap();
                    let posted = sent.look(&conditions, &application);
                    let mut path: Vec<(usize, usize)> = path.clone();
                    path.push((operation, place));
                    let now = outcome.map(|outcome| (outcome.status, outcome.claim));
                    assert!(now.is_none() || now == told || posted, "{path:?}: nobody hears of {now:?}");
                    next.push((sent, now.filter(|_| posted).or(told), operation, path));
                }
            }
        }
        open = next;
    }
}

#[test]
fn an_application_that_was_never_synchronised_is_no_mistake() {
    let bare = json!({"status": {"health": {"status": "Missing"}, "sync": {"status": "OutOfSync"}}});
    for condition in shipped() {
        assert_eq!(evaluate(&condition.when, &bare), Ok(json!(false)), "{}", condition.when);
    }
    assert!(!Sent::default().look(&shipped(), &bare));
}
