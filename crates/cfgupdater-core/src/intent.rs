//! Intents: accepted changes, each of which writes one set's images of one wave.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::image::ImageMap;
use crate::name::{SetName, WaveName, excerpt};
use crate::object_id::{AppSha, CommitId};
use crate::release::{Release, sha256_of_json};
use crate::timestamp::Timestamp;

/// Identifies an intent by what it wants, so that repeating a call names the same intent: 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId([u8; 16]);

/// Says why a text is not an intent's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an intent id: expected 32 hexadecimal digits")]
pub struct InvalidIntentId(String);

impl IntentId {
    fn of(identity: &impl Serialize) -> Self {
        let hash = sha256_of_json(identity);
        Self(std::array::from_fn(|i| hash[i]))
    }
}

impl fmt::Display for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::encode(&self.0))
    }
}

impl fmt::Debug for IntentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::encode(&self.0[..4]))
    }
}

impl FromStr for IntentId {
    type Err = InvalidIntentId;

    fn from_str(text: &str) -> Result<Self, InvalidIntentId> {
        crate::hex::decode(text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| InvalidIntentId(excerpt(text)))
    }
}

impl Serialize for IntentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for IntentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What an application's CI announces.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Announcement {
    /// The set that is announced.
    pub set: SetName,
    /// The application's commit that was built.
    pub app_sha: AppSha,
    /// Orders announcements of a set where their arrival doesn't.
    pub sequence: Option<u64>,
    /// Tells a repeated run of the same build from a repeated call; 1 for the first.
    pub attempt: u32,
    /// The images.
    pub images: ImageMap,
}

impl Announcement {
    /// Returns the id of the intent this announcement asks for.
    pub fn intent_id(&self) -> IntentId {
        IntentId::of(&("introduce", &self.set, self.app_sha, &self.images, self.sequence, self.attempt))
    }
}

/// An accepted change: the images of one set, to be written into one wave.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Intent {
    /// Its id, a hash of what it wants.
    pub id: IntentId,
    /// The set it writes.
    pub set: SetName,
    /// The wave it writes.
    pub wave: WaveName,
    /// The release its images are.
    pub release: Release,
    /// The images, whole.
    pub images: ImageMap,
    /// Why it exists.
    pub action: Action,
    /// When it was accepted, in whole seconds: the date of its commits.
    pub accepted_at: Timestamp,
    /// The stable tip when it was accepted; edits by people after it take precedence.
    pub accepted_on: CommitId,
    /// Who asked for it: the name of a token, or `cfgupdater`.
    pub actor: String,
}

/// The kind of an intent, with what only that kind has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// New images enter the first wave.
    Introduce {
        /// The application's commit.
        app_sha: AppSha,
        /// The announcement's sequence.
        sequence: Option<u64>,
        /// The announcement's attempt.
        attempt: u32,
    },
    /// A proven release moves on by one wave.
    Promote {
        /// Where it was proven.
        from: WaveName,
        /// The stable commit that introduced it there.
        config_sha: CommitId,
        /// The application's commit, where the introduction told it.
        app_sha: Option<AppSha>,
        /// Tells a retry from the first time.
        attempt: u32,
    },
    /// An operator takes a wave back to what it was at a commit.
    RollBack {
        /// The stable commit whose images are restored.
        config_sha: CommitId,
        /// Tells rollbacks to the same commit apart.
        number: u64,
    },
}

impl Action {
    /// Returns the kind as trailers and answers spell it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Introduce { .. } => "introduce",
            Self::Promote { .. } => "promote",
            Self::RollBack { .. } => "rollback",
        }
    }

    /// Returns the announcement's sequence.
    pub fn sequence(&self) -> Option<u64> {
        match self {
            Self::Introduce { sequence, .. } => *sequence,
            Self::Promote { .. } | Self::RollBack { .. } => None,
        }
    }

    /// Returns which attempt of the same change it is, from 1.
    pub fn attempt(&self) -> u64 {
        match self {
            Self::Introduce { attempt, .. } | Self::Promote { attempt, .. } => u64::from(*attempt),
            Self::RollBack { number, .. } => *number,
        }
    }

    /// Returns the id of the intent that takes this action.
    pub(crate) fn intent_id(
        &self,
        set: &SetName,
        wave: &WaveName,
        release: Release,
        images: &ImageMap,
    ) -> IntentId {
        match self {
            Self::Introduce { app_sha, sequence, attempt } => {
                IntentId::of(&("introduce", set, app_sha, images, sequence, attempt))
            }
            Self::Promote { from, attempt, .. } => promotion_id(set, from, wave, release, *attempt),
            Self::RollBack { number, .. } => rollback_id(set, wave, release, *number),
        }
    }
}

/// Returns the id of the promotion of `release` from one wave to the next.
pub fn promotion_id(
    set: &SetName,
    from: &WaveName,
    to: &WaveName,
    release: Release,
    attempt: u32,
) -> IntentId {
    IntentId::of(&("promote", set, from, to, release, attempt))
}

/// Returns the id of a rollback.
pub fn rollback_id(set: &SetName, wave: &WaveName, release: Release, number: u64) -> IntentId {
    IntentId::of(&("rollback", set, wave, release, number))
}

impl Intent {
    /// Returns the application's commit, where it is known.
    pub fn app_sha(&self) -> Option<AppSha> {
        match &self.action {
            Action::Introduce { app_sha, .. } => Some(*app_sha),
            Action::Promote { app_sha, .. } => *app_sha,
            Action::RollBack { .. } => None,
        }
    }

    /// Tells whether an operator asked for it against a hold.
    pub fn is_rollback(&self) -> bool {
        matches!(self.action, Action::RollBack { .. })
    }
}
