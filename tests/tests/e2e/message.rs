//! Messages, judged by git's own trailer parser.

use std::io::Write;
use std::process::{Command, Stdio};

use cfgupdater_core::{AppSha, Autocommit, CommitId, Entry, Intent, Record, Timestamp, state_message};
use proptest::prelude::*;

fn parsed_by_git(message: &str) -> Vec<String> {
    let mut child = Command::new("git")
        .args(["interpret-trailers", "--parse"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git can be run");
    child.stdin.take().unwrap().write_all(message.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn intent(actor: &str) -> Intent {
    let sha: AppSha = "ab".repeat(20).parse().unwrap();
    let json = serde_json::json!({
        "id": "0".repeat(32), "set": "app", "wave": "staging", "release": "1".repeat(64), "images": {},
        "action": {"kind": "introduce", "app_sha": sha, "sequence": null, "attempt": 1},
        "accepted_at": "2026-01-01T00:00:00Z", "accepted_on": "cd".repeat(20), "actor": actor,
    });
    serde_json::from_value(json).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn git_reads_exactly_the_trailers_that_were_written(actor in any::<String>()) {
        let state: CommitId = "ef".repeat(20).parse().unwrap();
        let said = Autocommit::of(&intent(&actor), state);
        let message = said.encode();
        let keys: Vec<String> =
            parsed_by_git(&message).iter().map(|line| line.split(':').next().unwrap().to_owned()).collect();
        let expected = [
            "Autocommit-App-SHA", "Autocommit-Target", "Autocommit-Reason", "Autocommit-Version",
            "Autocommit-Kind", "Autocommit-Id", "Autocommit-Set", "Autocommit-State", "Autocommit-Actor",
        ];
        prop_assert_eq!(keys, expected);
        prop_assert_eq!(Autocommit::decode(&message), Some(said));
    }

    #[test]
    fn no_reason_of_an_operator_forms_a_trailer(reason in any::<String>()) {
        let note = serde_json::from_value(serde_json::json!({
            "actor": "ops", "reason": reason, "at": "2026-01-01T00:00:00Z",
        })).unwrap();
        let entry = Entry { at: Timestamp::default(), records: vec![Record::Paused { note }] };
        let parsed = parsed_by_git(&state_message(&entry));
        prop_assert_eq!(parsed.len(), 2, "{:?}", parsed);
    }
}
