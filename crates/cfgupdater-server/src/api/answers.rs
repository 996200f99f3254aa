//! What calls are answered.

use cfgupdater::core::{CommitId, End, ImageChange};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{StatusState, Why};

/// The answer to an announcement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Announced {
    /// The intent, also where it existed before.
    pub intent: String,
    /// `committed`, `queued`, `duplicate`, `stale` or `unchanged`.
    pub outcome: String,
    /// The intent's commit on auto or stable, where there is one.
    pub commit: Option<String>,
    /// The intent's end, where it has one.
    #[schema(value_type = Option<Object>)]
    pub end: Option<End>,
    /// What it would change in the first wave, for a dry run: each with `service`, `from` and `to`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    pub changes: Vec<ImageChange>,
}

/// The answer to a deployment report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reported {
    /// Whether it changed what is known of the target.
    pub recorded: bool,
    /// The promotions it caused.
    #[serde(default)]
    pub promoted: Vec<String>,
    /// What the wave still waits for.
    #[serde(default)]
    pub waits: Vec<Why>,
    /// Why a deploy tool's call was passed over, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignored: Option<String>,
}

/// The answer to an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Operated {
    /// Whether it changed anything.
    pub changed: bool,
    /// The intents it made, opened again or took back.
    pub intents: Vec<String>,
    /// What waits now.
    pub waits: Vec<Why>,
}

/// The answer to a check's report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckReported {
    /// The commit.
    #[schema(value_type = String)]
    pub commit: CommitId,
    /// The check.
    pub context: String,
    /// What it says.
    pub state: StatusState,
}

#[cfg(test)]
mod tests {
    use cfgupdater::core::{self, Answer, Code, Outcome, Reason};
    use serde::de::DeserializeOwned;
    use serde_json::to_value;

    use super::*;

    /// What the rules answer is what is described: clients read it without a loss.
    fn read<T: DeserializeOwned + Serialize>(answer: &Answer) -> T {
        let sent = to_value(answer).unwrap();
        let read: T = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!(to_value(&read).unwrap(), sent);
        read
    }

    fn waits() -> Vec<Reason> {
        let until = "2026-01-01T00:00:00Z".parse().unwrap();
        vec![Reason::new(Code::Soak, "internal", "release 12ab soaks").until(until)]
    }

    #[test]
    fn answers_are_as_they_are_described() {
        let id = "a".repeat(32);
        let commit: CommitId = "b".repeat(40).parse().unwrap();
        let (intent, end) = (id.parse().unwrap(), Some(End::Landed { commit }));
        let told =
            core::Announced { intent, outcome: Outcome::Duplicate, commit: Some(commit), end: end.clone() };
        let told: Announced = read(&Answer::Announced(told));
        assert_eq!((told.outcome.as_str(), told.end), ("duplicate", end));
        let told = core::ReportAnswer { recorded: true, promoted: vec![intent], waits: waits() };
        assert_eq!(read::<Reported>(&Answer::Reported(told)).waits[0].code, "soak");
        let told = core::OperationAnswer { changed: true, intents: vec![intent], waits: waits() };
        assert_eq!(read::<Operated>(&Answer::Operated(told)).intents, [id]);
    }

    #[test]
    fn a_dry_run_is_an_answer_to_an_announcement() {
        let image =
            serde_json::json!({"Digest": format!("r.io/a@sha256:{}", "1".repeat(64)), "Tag": "r.io/a:v1"});
        let changes = serde_json::json!([{"service": "A", "from": null, "to": image}]);
        let sent = serde_json::json!({"intent": "i", "outcome": "committed", "changes": changes});
        let read: Announced = serde_json::from_value(sent).unwrap();
        assert_eq!(read.changes[0].to_string(), "A: nothing -> r.io/a:v1");
    }
}
