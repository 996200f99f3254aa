//! [`HelperAnswers`]: what credential helpers said lately.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::helper;
use super::login::Login;

/// For how long an answer is believed. Every repository needs its token, and a helper may take a second for each.
const LIFE: Duration = Duration::from_mins(1);

/// A helper's program, and what it was asked about.
type Question = (OsString, String);

/// What a helper said, and when.
type Cell = Arc<tokio::sync::Mutex<Option<(Option<Login>, Instant)>>>;

/// What helpers said, so that they are not run for every request.
#[derive(Debug)]
pub(super) struct HelperAnswers {
    /// How long a helper may take.
    limit: Duration,
    known: std::sync::Mutex<BTreeMap<Question, Cell>>,
}

impl Default for HelperAnswers {
    fn default() -> Self {
        Self::within(Duration::from_mins(1))
    }
}

impl HelperAnswers {
    /// Waits this long for a helper.
    pub(super) fn within(limit: Duration) -> Self {
        Self { limit, known: std::sync::Mutex::default() }
    }

    /// Asks a helper, or repeats what it said lately. Those who ask the same at the same time wait for one answer.
    ///
    /// # Errors
    /// Says what was wrong with the helper; that is not remembered.
    pub(super) async fn ask(&self, program: &OsStr, key: &str) -> Result<Option<Login>, String> {
        let cell = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry((program.to_owned(), key.to_owned())).or_default())
        };
        let mut answer = cell.lock().await;
        if let Some((login, at)) = answer.as_ref()
            && at.elapsed() < LIFE
        {
            return Ok(login.clone());
        }
        let login = helper::ask(program, key, self.limit).await?;
        *answer = Some((login.clone(), Instant::now()));
        Ok(login)
    }

    /// Forgets all answers: one of them was refused.
    pub(super) fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[tokio::test]
    async fn a_helper_is_run_once_until_its_answer_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let (program, runs) = (dir.path().join("docker-credential-test"), dir.path().join("runs"));
        let said = r#"{"Username":"me","Secret":"canary"}"#;
        let script = format!("#!/bin/sh\necho x >> {}\necho '{said}'\n", runs.display());
        std::fs::write(&program, script).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let answers = HelperAnswers::default();
        let ask = async || loop {
            match answers.ask(program.as_os_str(), "r.example.com").await {
                // Another test's child may hold the script open for writing for a moment, as every fork does.
                Err(why) if why.contains("executable file busy") => tokio::task::yield_now().await,
                answer => break answer.unwrap(),
            }
        };
        let runs = || std::fs::read_to_string(&runs).unwrap().lines().count();
        let (one, other) = tokio::join!(ask(), ask());
        assert!(one.is_some() && one == other);
        assert_eq!(runs(), 1, "two that ask at the same time");
        answers.forget();
        assert_eq!(ask().await, one);
        assert_eq!(runs(), 2);
        assert!(!format!("{answers:?}").contains("canary"));
    }
}
