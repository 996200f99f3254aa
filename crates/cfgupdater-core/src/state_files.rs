//! The one codec between the state and the files of the state branch.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::end::End;
use crate::intent::IntentId;
use crate::message::FORMAT_VERSION;
use crate::name::SetName;
use crate::object_id::CommitId;
use crate::record::{Built, Entry, Note};
use crate::repo_path::RepoPath;
use crate::state::{Accepted, SequenceFloor, State, TargetReports, WaveState};

/// Path and content of every file of the state's tree.
pub type StateFiles = BTreeMap<RepoPath, Vec<u8>>;

/// Where a state commit keeps what it records.
pub const ENTRY_PATH: &str = "entry.json";

/// Says why a state tree can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidState {
    /// The format is newer than this version's.
    #[error(
        "the state branch has format {found}, this version knows up to {FORMAT_VERSION}: upgrade this replica"
    )]
    Newer {
        /// The format found.
        found: u32,
    },
    /// A file can't be read.
    #[error("`{path}` on the state branch can't be read: {why}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
}

#[derive(Serialize, Deserialize)]
struct RepoFile {
    generation: u64,
    next: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stable_seen: Option<CommitId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused: Option<Note>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sequences: BTreeMap<SetName, SequenceFloor>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    excused: Vec<CommitId>,
}

/// Writes the state as files, without the entry that led to it.
pub fn encode_state(state: &State) -> StateFiles {
    let mut files = StateFiles::new();
    files.insert(path("VERSION"), format!("{FORMAT_VERSION}\n").into_bytes());
    let repo = RepoFile {
        generation: state.generation,
        next: state.next,
        stable_seen: state.stable_seen,
        paused: state.paused.clone(),
        sequences: state.sequences.clone(),
        excused: state.excused.clone(),
    };
    files.insert(path("repo.json"), json(&repo));
    if !state.operations.is_empty() {
        files.insert(path("operations.json"), json(&state.operations));
    }
    files.insert(path("auto.json"), json(&state.built));
    for (id, accepted) in &state.intents {
        files.insert(path(&intent_path(*id)), json(accepted));
    }
    for (shard, ends) in shards(&state.ended) {
        files.insert(path(&format!("ended/{shard}.json")), json(&ends));
    }
    for (wave, decided) in state.waves.iter().filter(|(_, decided)| **decided != WaveState::default()) {
        files.insert(path(&format!("waves/{wave}.json")), json(decided));
    }
    for ((wave, target, set), reports) in &state.targets {
        files.insert(path(&format!("targets/{wave}/{target}/{set}.json")), json(reports));
    }
    files
}

/// Returns where an intent's file is: a state commit accepted the intent if it is the first to have that file.
pub fn intent_path(id: IntentId) -> String {
    format!("intents/{id}.json")
}

/// Writes what a state commit records.
pub fn encode_entry(entry: &Entry) -> Vec<u8> {
    json(entry)
}

/// Reads what a state commit records.
///
/// # Errors
/// Fails where the file isn't an entry of this format.
pub fn decode_entry(content: &[u8]) -> Result<Entry, InvalidState> {
    parse(ENTRY_PATH, content)
}

/// Reads the state from its files; files it doesn't know are passed over.
///
/// # Errors
/// Fails for a newer format, and for any known file that can't be read: a guess could lose an intent.
pub fn decode_state(files: &StateFiles) -> Result<State, InvalidState> {
    check_version(files)?;
    let mut state = State::default();
    for (path, content) in files {
        let path = path.as_str();
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["repo.json"] => {
                let repo: RepoFile = parse(path, content)?;
                state.generation = repo.generation;
                state.next = repo.next;
                state.stable_seen = repo.stable_seen;
                state.paused = repo.paused;
                state.sequences = repo.sequences;
                state.excused = repo.excused;
            }
            ["operations.json"] => state.operations = parse(path, content)?,
            ["auto.json"] => state.built = parse::<Vec<Built>>(path, content)?,
            ["intents", _] => {
                let accepted: Accepted = parse(path, content)?;
                state.intents.insert(accepted.intent.id, Arc::new(accepted));
            }
            ["ended", _] => state.ended.extend(parse::<BTreeMap<IntentId, End>>(path, content)?),
            ["waves", file] => {
                let wave = name(path, stem(file))?;
                state.waves.insert(wave, parse(path, content)?);
            }
            ["targets", wave, target, file] => {
                let key = (name(path, wave)?, name(path, target)?, name(path, stem(file))?);
                state.targets.insert(key, Arc::new(parse::<TargetReports>(path, content)?));
            }
            _ => {}
        }
    }
    Ok(state)
}

fn check_version(files: &StateFiles) -> Result<(), InvalidState> {
    let content = files.get(&path("VERSION")).map(Vec::as_slice).unwrap_or_default();
    let text = String::from_utf8_lossy(content);
    match text.trim().parse::<u32>() {
        Ok(version) if version <= FORMAT_VERSION => Ok(()),
        Ok(found) => Err(InvalidState::Newer { found }),
        Err(error) => Err(InvalidState::File { path: "VERSION".to_owned(), why: error.to_string() }),
    }
}

/// Takes one `.json` off, no more: names may end in it too.
fn stem(file: &str) -> &str {
    file.strip_suffix(".json").unwrap_or(file)
}

fn shards(ended: &BTreeMap<IntentId, End>) -> BTreeMap<String, BTreeMap<&IntentId, &End>> {
    let mut shards: BTreeMap<String, BTreeMap<&IntentId, &End>> = BTreeMap::new();
    for (id, end) in ended {
        shards.entry(id.to_string()[..2].to_owned()).or_default().insert(id, end);
    }
    shards
}

fn path(text: &str) -> RepoPath {
    text.parse().expect("names and ids make valid paths")
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("state always has a JSON form");
    bytes.push(b'\n');
    bytes
}

fn parse<T: DeserializeOwned>(path: &str, content: &[u8]) -> Result<T, InvalidState> {
    serde_json::from_slice(content)
        .map_err(|error| InvalidState::File { path: path.to_owned(), why: error.to_string() })
}

fn name<T: std::str::FromStr>(path: &str, text: &str) -> Result<T, InvalidState>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| InvalidState::File { path: path.to_owned(), why: error.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operate::OperationKey;
    use crate::record::{DeploymentStatus, Record, Report};
    use crate::testing;

    fn a_state_with_everything() -> State {
        let intent = testing::introduce("app", "staging", 1);
        let note = Note { actor: "ops".to_owned(), reason: "why\nnot".to_owned(), at: testing::at(5) };
        let report = Report {
            wave: "staging".parse().unwrap(),
            target: "staging-1".parse().unwrap(),
            set: "app".parse().unwrap(),
            release: intent.release,
            introduction: testing::commit(3),
            revision: Some(testing::commit(3)),
            status: DeploymentStatus::Succeeded,
            observed_at: None,
            at: testing::at(7),
            actor: "argocd".to_owned(),
            asked_at: None,
            revoked: Vec::new(),
        };
        let built = Built { commit: testing::commit(3), intent: intent.id, at: testing::at(6) };
        let mut state = State::default();
        let id = intent.id;
        let records = vec![
            Record::Generation { generation: 2 },
            Record::Accepted { intent },
            Record::Accepted { intent: testing::introduce("app", "staging", 2) },
            Record::Built { commits: vec![built] },
            Record::StableSeen { commit: testing::commit(3) },
            Record::Ended { id, end: End::Landed { commit: testing::commit(3) } },
            Record::Reported { report },
            Record::Held { wave: "production".parse().unwrap(), note: note.clone() },
            Record::Paused { note: note.clone() },
            Record::AcceptedAsIs { stable: testing::commit(3), excused: vec![testing::commit(4)], note },
            Record::Operated {
                key: OperationKey::new("ops", "1"),
                asked: OperationKey::new("", ""),
                intents: vec![id],
            },
        ];
        state.apply_entry(&Entry { at: testing::at(9), records });
        state.ended.insert(
            testing::introduce("app", "staging", 9).id,
            End::Withdrawn { reason: "x".to_owned(), actor: None },
        );
        state
    }

    #[test]
    fn the_state_round_trips_through_its_files() {
        let state = a_state_with_everything();
        assert_eq!(decode_state(&encode_state(&state)), Ok(state));
    }

    #[test]
    fn a_newer_format_is_refused() {
        let mut files = encode_state(&State::default());
        files.insert(path("VERSION"), b"99\n".to_vec());
        assert_eq!(decode_state(&files), Err(InvalidState::Newer { found: 99 }));
    }

    #[test]
    fn a_damaged_file_is_named() {
        let mut files = encode_state(&a_state_with_everything());
        files.insert(path("auto.json"), b"{".to_vec());
        assert!(matches!(decode_state(&files), Err(InvalidState::File { path, .. }) if path == "auto.json"));
    }

    #[test]
    fn an_entry_round_trips_with_its_ends() {
        let id = testing::introduce("app", "staging", 1).id;
        let end = End::Landed { commit: testing::commit(1) };
        let entry = Entry { at: testing::at(1), records: vec![Record::Ended { id, end }] };
        assert_eq!(decode_entry(&encode_entry(&entry)), Ok(entry));
    }
}
