//! The message of a state commit: what was decided, for people who read the branch with git alone.

use crate::end::End;
use crate::record::{Entry, Record};
use crate::trailers;

/// Ends the subject of every state commit, so that GitHub and GitLab run no CI for it.
const SKIP_CI: &str = "[skip ci]";

/// Writes the message: a subject, and the trailers of the transitions in their order.
pub fn state_message(entry: &Entry) -> String {
    // The key of a call says nothing to people.
    let told: Vec<&Record> =
        entry.records.iter().filter(|record| !matches!(record, Record::Operated { .. })).collect();
    let subject = match told.as_slice() {
        [] => "nothing".to_owned(),
        [one] => summary(one),
        [first, rest @ ..] => format!("{} and {} more", summary(first), rest.len()),
    };
    let message = trailers::format(&format!("chore(state): {subject}"), entry.records.iter().flat_map(lines));
    let (subject, rest) = message.split_once('\n').unwrap_or((&message, ""));
    format!("{subject} {SKIP_CI}\n{rest}")
}

fn summary(record: &Record) -> String {
    match record {
        Record::Accepted { intent } => {
            format!("accept {} of {} into {}", intent.action.kind(), intent.set, intent.wave)
        }
        Record::Ended { id, end } => format!("end {} as {}", &id.to_string()[..10], end.name()),
        Record::Retried { id, .. } => format!("retry {}", &id.to_string()[..10]),
        Record::Built { commits } => match commits.len() {
            0 => "auto is at stable".to_owned(),
            1 => "auto is one commit ahead".to_owned(),
            n => format!("auto is {n} commits ahead"),
        },
        Record::StableSeen { commit } => format!("stable seen at {}", commit.short(10)),
        Record::Reported { report } => format!("{} reports {}", report.target, report.release.short()),
        Record::Held { wave, .. } => format!("hold {wave}"),
        Record::Released { wave, .. } => format!("release {wave}"),
        Record::Approved { wave, set, .. } => format!("approve {set} for {wave}"),
        Record::Paused { .. } => "pause landing".to_owned(),
        Record::Resumed { .. } => "resume landing".to_owned(),
        Record::Waived { target, .. } => format!("waive {target}"),
        Record::AcceptedAsIs { stable, .. } => format!("accept {} as it is", stable.short(10)),
        Record::Operated { .. } => "an operator's call".to_owned(),
        Record::Generation { generation } => format!("configuration generation {generation}"),
    }
}

fn lines(record: &Record) -> Vec<(&'static str, String)> {
    match record {
        Record::Accepted { intent } => vec![
            ("Autocommit-Id", intent.id.to_string()),
            ("Autocommit-Kind", intent.action.kind().to_owned()),
            ("Autocommit-Set", intent.set.to_string()),
            ("Autocommit-Target", intent.wave.to_string()),
            ("Autocommit-Actor", intent.actor.clone()),
        ],
        Record::Ended { id, end } => {
            let mut lines =
                vec![("Autocommit-Id", id.to_string()), ("Autocommit-End", end.name().to_owned())];
            lines.extend(why(end));
            lines
        }
        Record::Retried { id, actor, reason, .. } => vec![
            ("Autocommit-Id", id.to_string()),
            ("Autocommit-Actor", actor.clone()),
            ("Autocommit-Reason", reason.clone()),
        ],
        Record::Held { note, .. }
        | Record::Released { note, .. }
        | Record::Approved { note, .. }
        | Record::Paused { note }
        | Record::Resumed { note }
        | Record::Waived { note, .. }
        | Record::AcceptedAsIs { note, .. } => {
            vec![("Autocommit-Actor", note.actor.clone()), ("Autocommit-Reason", note.reason.clone())]
        }
        Record::Built { .. }
        | Record::StableSeen { .. }
        | Record::Reported { .. }
        | Record::Operated { .. }
        | Record::Generation { .. } => Vec::new(),
    }
}

fn why(end: &End) -> Vec<(&'static str, String)> {
    match end {
        End::Evicted { evidence } => {
            let mut lines = vec![
                ("Autocommit-Check", evidence.check.clone()),
                ("Autocommit-Config-SHA", evidence.commit.to_string()),
            ];
            lines.extend(evidence.link.iter().map(|link| ("Autocommit-Link", link.clone())));
            lines
        }
        End::Landed { commit } => vec![("Autocommit-Config-SHA", commit.to_string())],
        End::Superseded { by } | End::Subsumed { by } => vec![("Autocommit-By", by.to_string())],
        End::Withdrawn { reason, actor } => {
            let actor = actor.iter().map(|actor| ("Autocommit-Actor", actor.clone()));
            actor.chain([("Autocommit-Reason", reason.clone())]).collect()
        }
        End::Refused { reason } => vec![("Autocommit-Reason", reason.clone())],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::{CheckOutcome, Evidence};
    use crate::testing;

    #[test]
    fn an_eviction_says_which_check_failed_where() {
        let evidence = Evidence {
            commit: testing::commit(1),
            check: "ci\nAutocommit-Id: forged".to_owned(),
            outcome: CheckOutcome::Failed,
            link: Some("https://ci.example.com/1".to_owned()),
            summary: None,
        };
        let id = testing::introduce("app", "staging", 1).id;
        let record = Record::Ended { id, end: End::Evicted { evidence } };
        let message = state_message(&Entry { at: testing::at(1), records: vec![record] });
        let trailers = trailers::parse(&message);
        assert_eq!(trailers[2], ("Autocommit-Check", "ci Autocommit-Id: forged".to_owned()));
        assert_eq!(trailers[4].1, "https://ci.example.com/1");
        assert!(message.lines().next().unwrap().ends_with("[skip ci]"), "{message}");
    }
}
