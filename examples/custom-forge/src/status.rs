//! What a commit status says.

use cfgupdater_core::{CheckRun, CheckState};
use serde::Deserialize;

/// A commit status, as the API lists it. What isn't needed isn't read, so that other versions are understood too.
#[derive(Debug, Deserialize)]
pub(crate) struct Status {
    pub(crate) id: u64,
    #[serde(rename = "status")]
    state: String,
    context: String,
    target_url: Option<String>,
    description: Option<String>,
    creator: Option<Creator>,
    updated_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Creator {
    login: String,
}

impl From<Status> for CheckRun {
    /// Ids grow with every status, while times have whole seconds: the id orders attempts.
    fn from(status: Status) -> Self {
        let mut run = Self::new(status.context, status.id, state(&status.state));
        run.source = status.creator.map(|creator| creator.login);
        run.at = status.updated_at.and_then(|at| at.parse().ok());
        run.link = status.target_url.filter(|link| !link.is_empty());
        run.summary = status.description.filter(|text| !text.is_empty());
        run
    }
}

// [state]
/// Reads the state of a status. A warning is no success to Gitea and no failure either, so it is left to a person.
fn state(word: &str) -> CheckState {
    match word {
        "pending" => CheckState::Running,
        "success" | "skipped" => CheckState::Success,
        "failure" | "error" => CheckState::Failure,
        other => CheckState::Unknown(other.to_owned()),
    }
}
// [/state]

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_needed_may_be_missing() {
        let text = r#"{"id":7,"status":"success","context":"ci","creator":null,"new_in_gitea_3":[]}"#;
        let run = CheckRun::from(serde_json::from_str::<Status>(text).unwrap());
        assert_eq!((run.name.as_str(), run.attempt, run.state), ("ci", 7, CheckState::Success));
        assert!(serde_json::from_str::<Status>(r#"{"id":7,"context":"ci"}"#).is_err(), "a state is needed");
    }
}
