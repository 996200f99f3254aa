//! The note of a commit: one line of JSON for each attempt of each check.

use std::time::Duration;

use cfgupdater_core::{CheckRun, CheckState, Timestamp};
use serde::{Deserialize, Serialize};

/// How many attempts of a check are kept; the newest ones.
const ATTEMPTS_KEPT: usize = 10;

/// How long a check that could not be run is left alone: whatever is missing isn't there a moment later.
const BROKEN_PAUSE: Duration = Duration::from_mins(1);

/// One attempt of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub(crate) context: String,
    /// Counts the attempts of a context, from 1.
    pub(crate) number: u64,
    pub(crate) state: AttemptState,
    pub(crate) at: Timestamp,
    /// Who reported it.
    pub(crate) source: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) link: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<String>,
    /// The end of the output, for checks that a replica ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) output: Option<String>,
}

/// What an attempt says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AttemptState {
    /// A replica runs it; unless it renews the claim by `until`, another may.
    Claimed {
        until: Timestamp,
    },
    /// Somebody outside said that it runs.
    Pending,
    Success,
    Failure,
    /// It could not be run, which says nothing of the commit.
    Broken,
}

/// All attempts of one commit, in the order they were recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Note {
    attempts: Vec<Attempt>,
}

/// A line of a note that can't be read: somebody else's hand, or a newer format.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable(pub(crate) String);

impl Note {
    /// Reads a note. A line that can't be read is an error, since it might be the failure that counts.
    pub(crate) fn decode(content: &[u8]) -> Result<Self, Unreadable> {
        let text = std::str::from_utf8(content).map_err(|error| Unreadable(error.to_string()))?;
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let attempts = lines.map(serde_json::from_str).collect::<Result<_, _>>();
        attempts.map(|attempts| Self { attempts }).map_err(|error| Unreadable(error.to_string()))
    }

    /// Writes a note.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut text = String::new();
        for attempt in &self.attempts {
            text.push_str(&serde_json::to_string(attempt).expect("an attempt always has a JSON form"));
            text.push('\n');
        }
        text.into_bytes()
    }

    /// Returns the number of the next attempt of a check.
    pub(crate) fn next_attempt(&self, context: &str) -> u64 {
        self.of(context).map(|attempt| attempt.number).max().unwrap_or(0) + 1
    }

    /// Returns the attempt that counts: the latest that isn't a claim, else the latest claim. So a claim that was
    /// made by mistake never hides a result, and a new report replaces an old one.
    pub(crate) fn counting(&self, context: &str) -> Option<&Attempt> {
        let is_claim = |attempt: &&Attempt| matches!(attempt.state, AttemptState::Claimed { .. });
        let by_number = |attempt: &&Attempt| attempt.number;
        let said = self.of(context).filter(|attempt| !is_claim(attempt)).max_by_key(by_number);
        said.or_else(|| self.of(context).max_by_key(by_number))
    }

    /// Tells whether a check may be claimed: nothing was said of it yet, and nobody runs it.
    pub(crate) fn may_claim(&self, context: &str, now: Timestamp) -> bool {
        self.counting(context).is_none_or(|attempt| match attempt.state {
            AttemptState::Claimed { until } => until <= now,
            AttemptState::Broken => attempt.at.after(BROKEN_PAUSE) <= now,
            AttemptState::Pending | AttemptState::Success | AttemptState::Failure => false,
        })
    }

    /// Records an attempt in the place of one with its number, or behind all others.
    pub(crate) fn put(&mut self, attempt: Attempt) {
        let same = |known: &&mut Attempt| known.context == attempt.context && known.number == attempt.number;
        if let Some(known) = self.attempts.iter_mut().find(same) {
            *known = attempt;
        } else {
            let context = attempt.context.clone();
            self.attempts.push(attempt);
            self.forget_old(&context);
        }
    }

    fn forget_old(&mut self, context: &str) {
        let surplus = self.of(context).count().saturating_sub(ATTEMPTS_KEPT);
        let mut dropped = 0;
        self.attempts.retain(|attempt| {
            let drop = attempt.context == context && dropped < surplus;
            dropped += usize::from(drop);
            !drop
        });
    }

    /// Lists the checks as the rules take them.
    pub(crate) fn check_runs(&self, now: Timestamp) -> Vec<CheckRun> {
        let mut contexts: Vec<&str> = self.attempts.iter().map(|attempt| attempt.context.as_str()).collect();
        contexts.sort_unstable();
        contexts.dedup();
        contexts.into_iter().filter_map(|context| Some(check_run(self.counting(context)?, now))).collect()
    }

    fn of(&self, context: &str) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(move |attempt| attempt.context == context)
    }
}

fn check_run(attempt: &Attempt, now: Timestamp) -> CheckRun {
    let state = match attempt.state {
        AttemptState::Claimed { until } if until <= now => {
            CheckState::Infrastructure("the replica that ran it is gone".to_owned())
        }
        AttemptState::Claimed { .. } | AttemptState::Pending => CheckState::Running,
        AttemptState::Success => CheckState::Success,
        AttemptState::Failure => CheckState::Failure,
        AttemptState::Broken => CheckState::Infrastructure(attempt.summary.clone().unwrap_or_default()),
    };
    let mut run = CheckRun::new(&attempt.context, attempt.number, state);
    run.source = Some(attempt.source.clone());
    run.at = Some(attempt.at);
    run.link.clone_from(&attempt.link);
    run.summary.clone_from(&attempt.summary);
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn attempt(number: u64, state: AttemptState) -> Attempt {
        Attempt {
            context: "ci".to_owned(),
            number,
            state,
            at: at(0),
            source: "ci-token".to_owned(),
            link: None,
            summary: None,
            output: None,
        }
    }

    fn note(attempts: Vec<Attempt>) -> Note {
        Note { attempts }
    }

    #[test]
    fn notes_round_trip_one_line_an_attempt() {
        let said =
            note(vec![attempt(1, AttemptState::Claimed { until: at(9) }), attempt(2, AttemptState::Success)]);
        let text = said.encode();
        assert_eq!(text.split(|c| *c == b'\n').count(), 3);
        assert_eq!(Note::decode(&text), Ok(said));
    }

    #[test]
    fn a_line_that_is_no_attempt_is_an_error_and_never_green() {
        assert!(Note::decode(b"{\"context\":\"ci\"}\n").is_err());
        assert!(Note::decode(b"looks good to me\n").is_err());
        assert!(Note::decode(b"\xff").is_err());
    }

    #[test]
    fn the_latest_report_counts_and_a_claim_hides_none() {
        let said = note(vec![attempt(1, AttemptState::Success), attempt(2, AttemptState::Failure)]);
        assert_eq!(said.counting("ci").unwrap().number, 2);
        let claimed =
            note(vec![attempt(1, AttemptState::Success), attempt(2, AttemptState::Claimed { until: at(9) })]);
        assert_eq!(claimed.counting("ci").unwrap().number, 1);
        let rerun = note(vec![attempt(1, AttemptState::Success), attempt(2, AttemptState::Pending)]);
        assert_eq!(rerun.check_runs(at(0))[0].state, CheckState::Running);
    }

    #[test]
    fn a_claim_holds_until_it_expires() {
        let claimed = note(vec![attempt(1, AttemptState::Claimed { until: at(9) })]);
        assert!(!claimed.may_claim("ci", at(8)) && claimed.may_claim("ci", at(9)));
        assert!(matches!(claimed.check_runs(at(9))[0].state, CheckState::Infrastructure(_)));
        assert!(!note(vec![attempt(1, AttemptState::Failure)]).may_claim("ci", at(99)));
        let broken = note(vec![attempt(1, AttemptState::Broken)]);
        assert!(!broken.may_claim("ci", at(59)) && broken.may_claim("ci", at(60)));
    }

    #[test]
    fn old_attempts_are_forgotten_and_numbers_still_grow() {
        let mut said = Note::default();
        for number in 1..=15 {
            said.put(attempt(number, AttemptState::Success));
        }
        assert_eq!((said.attempts.len(), said.next_attempt("ci")), (10, 16));
    }
}
