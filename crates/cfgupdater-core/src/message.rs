//! The one codec between an intent's commit on auto and its message.

use crate::image::ImageMap;
use crate::intent::{Action, Intent, IntentId};
use crate::name::{SetName, WaveName};
use crate::object_id::{AppSha, CommitId};
use crate::release::Release;
use crate::timestamp::Timestamp;
use crate::trailers;

/// The format our commits carry in `Autocommit-Version`.
pub const FORMAT_VERSION: u32 = 1;

/// What the message of one of our commits says. Trailers are not authentication: whoever reads this compares the
/// commit's tree with what the intent would write.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Autocommit {
    /// The format; a newer one is left alone.
    pub version: u32,
    /// `introduce`, `promote` or `rollback`.
    pub kind: String,
    /// The intent.
    pub id: IntentId,
    /// The set it writes.
    pub set: SetName,
    /// The wave it writes.
    pub wave: WaveName,
    /// The wave a promotion comes from.
    pub from: Option<WaveName>,
    /// The application's commit.
    pub app_sha: Option<AppSha>,
    /// The deployed commit that a promotion or rollback copies.
    pub config_sha: Option<CommitId>,
    /// The commit of the state branch that accepted the intent.
    pub state: Option<CommitId>,
    /// The announcement's sequence.
    pub sequence: Option<u64>,
    /// Which attempt of the same change it is, from 1.
    pub attempt: u64,
    /// Who asked for it.
    pub actor: String,
}

impl Autocommit {
    /// Says what the commit of `intent` says.
    pub fn of(intent: &Intent, state: CommitId) -> Self {
        let (from, config_sha) = match &intent.action {
            Action::Introduce { .. } => (None, None),
            Action::Promote { from, config_sha, .. } => (Some(from.clone()), Some(*config_sha)),
            Action::RollBack { config_sha, .. } => (None, Some(*config_sha)),
        };
        Self {
            version: FORMAT_VERSION,
            kind: intent.action.kind().to_owned(),
            id: intent.id,
            set: intent.set.clone(),
            wave: intent.wave.clone(),
            from,
            app_sha: intent.app_sha(),
            config_sha,
            state: Some(state),
            sequence: intent.action.sequence(),
            attempt: intent.action.attempt(),
            actor: trailers::safe(&intent.actor),
        }
    }

    /// Writes the message: the reference architecture's subject and three trailers first, then ours.
    pub fn encode(&self) -> String {
        let mut lines: Vec<(&str, String)> = Vec::new();
        lines.extend(self.app_sha.map(|sha| ("Autocommit-App-SHA", sha.to_string())));
        lines.push(("Autocommit-Target", self.wave.to_string()));
        lines.push(("Autocommit-Reason", self.reason()));
        lines.push(("Autocommit-Version", self.version.to_string()));
        lines.push(("Autocommit-Kind", self.kind.clone()));
        lines.push(("Autocommit-Id", self.id.to_string()));
        lines.push(("Autocommit-Set", self.set.to_string()));
        lines.extend(self.from.as_ref().map(|wave| ("Autocommit-From", wave.to_string())));
        lines.extend(self.config_sha.map(|sha| ("Autocommit-Config-SHA", sha.to_string())));
        lines.extend(self.state.map(|sha| ("Autocommit-State", sha.to_string())));
        lines.extend(self.sequence.map(|number| ("Autocommit-Sequence", number.to_string())));
        lines.extend((self.attempt != 1).then(|| ("Autocommit-Attempt", self.attempt.to_string())));
        lines.push(("Autocommit-Actor", self.actor.clone()));
        trailers::format(&self.subject(), lines)
    }

    /// Returns the format that a message says it has, where that is newer than [`FORMAT_VERSION`]: nothing else in it
    /// needs to be readable.
    pub fn newer_format(message: &str) -> Option<u32> {
        let trailers = trailers::parse(message);
        let said = trailers.iter().find(|(key, _)| *key == "Autocommit-Version")?;
        said.1.parse().ok().filter(|version| *version > FORMAT_VERSION)
    }

    /// Reads a message; `None` where it isn't one of ours or a trailer can't be read.
    pub fn decode(message: &str) -> Option<Self> {
        let trailers = trailers::parse(message);
        let get = |key: &str| trailers.iter().find(|(k, _)| *k == key).map(|(_, value)| value.as_str());
        Some(Self {
            version: get("Autocommit-Version")?.parse().ok()?,
            kind: get("Autocommit-Kind")?.to_owned(),
            id: get("Autocommit-Id")?.parse().ok()?,
            set: get("Autocommit-Set")?.parse().ok()?,
            wave: get("Autocommit-Target")?.parse().ok()?,
            from: optional(get("Autocommit-From"))?,
            app_sha: optional(get("Autocommit-App-SHA"))?,
            config_sha: optional(get("Autocommit-Config-SHA"))?,
            state: optional(get("Autocommit-State"))?,
            sequence: optional(get("Autocommit-Sequence"))?,
            attempt: optional(get("Autocommit-Attempt"))?.unwrap_or(1),
            actor: get("Autocommit-Actor").unwrap_or_default().to_owned(),
        })
    }

    /// Returns the intent that the commit proves by itself: its id is the hash of what it wants.
    pub fn proves(
        &self,
        release: Release,
        images: &ImageMap,
        accepted_at: Timestamp,
        accepted_on: CommitId,
    ) -> Option<Intent> {
        let action = self.action()?;
        let (set, wave) = (self.set.clone(), self.wave.clone());
        let id = action.intent_id(&set, &wave, release, images);
        let (images, actor) = (images.clone(), self.actor.clone());
        (id == self.id).then_some(Intent {
            id,
            set,
            wave,
            release,
            images,
            action,
            accepted_at,
            accepted_on,
            actor,
        })
    }

    fn action(&self) -> Option<Action> {
        let attempt = u32::try_from(self.attempt);
        match self.kind.as_str() {
            "introduce" => {
                let (app_sha, sequence, attempt) = (self.app_sha?, self.sequence, attempt.ok()?);
                Some(Action::Introduce { app_sha, sequence, attempt })
            }
            "promote" => {
                let (from, config_sha) = (self.from.clone()?, self.config_sha?);
                Some(Action::Promote { from, config_sha, app_sha: self.app_sha, attempt: attempt.ok()? })
            }
            "rollback" => Some(Action::RollBack { config_sha: self.config_sha?, number: self.attempt }),
            _ => None,
        }
    }

    fn subject(&self) -> String {
        let what = self.app_sha.map(|sha| sha.short(10)).or(self.config_sha.map(|sha| sha.short(10)));
        let what = what.unwrap_or_default();
        match self.kind.as_str() {
            "promote" => format!("chore: promote {} {what} to {}", self.set, self.wave),
            "rollback" => format!("chore: roll {} in {} back to {what}", self.set, self.wave),
            _ => format!("chore: update {} to {what}", self.set),
        }
    }

    fn reason(&self) -> String {
        match (self.kind.as_str(), &self.from) {
            ("promote", Some(from)) => format!("deployed to every target of {from}"),
            ("rollback", _) => "rolled back by an operator".to_owned(),
            _ => "new images published".to_owned(),
        }
    }
}

/// Reads a trailer that may be absent; the outer `None` says that it is there and wrong.
#[expect(clippy::option_option, reason = "absent and unreadable are two things, and `?` tells them apart")]
fn optional<T: std::str::FromStr>(text: Option<&str>) -> Option<Option<T>> {
    text.map(str::parse).transpose().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn an_introduction_reads_as_the_reference_architecture_has_it() {
        let intent = testing::introduce("app", "staging", 1);
        let message = Autocommit::of(&intent, testing::commit(9)).encode();
        let sha = intent.app_sha().unwrap();
        let start = format!(
            "chore: update app to {}\n\nAutocommit-App-SHA: {sha}\nAutocommit-Target: staging\nAutocommit-Reason: new images published\n",
            sha.short(10)
        );
        assert!(message.starts_with(&start), "{message}");
    }

    #[test]
    fn every_kind_round_trips() {
        for intent in
            [testing::introduce("app", "staging", 1), testing::promote("app", "staging", "internal", 1)]
        {
            let said = Autocommit::of(&intent, testing::commit(9));
            assert_eq!(Autocommit::decode(&said.encode()), Some(said));
        }
    }

    #[test]
    fn a_commit_proves_its_intent_and_no_other() {
        for intent in
            [testing::introduce("app", "staging", 1), testing::promote("app", "staging", "internal", 1)]
        {
            let said = Autocommit::decode(&Autocommit::of(&intent, testing::commit(9)).encode()).unwrap();
            let proven = said.proves(intent.release, &intent.images, intent.accepted_at, intent.accepted_on);
            assert_eq!(proven, Some(intent.clone()));
            let others = testing::images(&[("web", 77)]);
            assert_eq!(said.proves(others.release(), &others, intent.accepted_at, intent.accepted_on), None);
        }
    }

    #[test]
    fn a_newer_format_is_noticed_whatever_else_it_says() {
        let ours = Autocommit::of(&testing::introduce("app", "staging", 1), testing::commit(9)).encode();
        assert_eq!(Autocommit::newer_format(&ours), None);
        let newer = "chore: update\n\nAutocommit-Version: 2\nAutocommit-Slot: app/staging\n";
        assert_eq!((Autocommit::decode(newer), Autocommit::newer_format(newer)), (None, Some(2)));
    }

    #[test]
    fn a_persons_commit_is_not_ours() {
        assert_eq!(Autocommit::decode("fix: typo\n\nSigned-off-by: A <a@example.com>\n"), None);
    }
}
