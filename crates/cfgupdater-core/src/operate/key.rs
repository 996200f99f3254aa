//! [`OperationKey`]: knows a repeated call of an operator.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Operation, conflict};
use crate::call::Refusal;
use crate::intent::IntentId;
use crate::record::Record;
use crate::release::sha256_of_json;
use crate::state::State;

/// Names one call of one operator: a hash, so that nothing a client sends is kept. 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationKey([u8; 16]);

impl OperationKey {
    /// Names the call that `actor` made with this `Idempotency-Key`.
    pub fn new(actor: &str, key: &str) -> Self {
        let hash = sha256_of_json(&("operation", actor, key));
        Self(std::array::from_fn(|i| hash[i]))
    }

    /// Names what is asked for, to tell another call under the same key.
    fn fingerprint(operation: &Operation) -> Self {
        let hash = sha256_of_json(operation);
        Self(std::array::from_fn(|i| hash[i]))
    }

    /// Returns what the same call led to before, `None` where it wasn't made.
    pub(super) fn repeated(
        self,
        operation: &Operation,
        state: &State,
    ) -> Result<Option<Vec<IntentId>>, Refusal> {
        match state.operations.get(&self) {
            None => Ok(None),
            Some(known) if known.asked == Self::fingerprint(operation) => Ok(Some(known.intents.clone())),
            Some(_) => {
                let detail = "this Idempotency-Key was used for another operation; use a new one for each";
                Err(conflict(detail).at("Idempotency-Key"))
            }
        }
    }

    pub(super) fn record(self, operation: &Operation, intents: &[IntentId]) -> Record {
        Record::Operated { key: self, asked: Self::fingerprint(operation), intents: intents.to_vec() }
    }
}

impl fmt::Display for OperationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::encode(&self.0))
    }
}

impl fmt::Debug for OperationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&crate::hex::encode(&self.0[..4]))
    }
}

/// Says why a text is not an operation's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an operation's key has 32 hexadecimal digits")]
pub struct InvalidOperationKey;

impl FromStr for OperationKey {
    type Err = InvalidOperationKey;

    fn from_str(text: &str) -> Result<Self, InvalidOperationKey> {
        let bytes = crate::hex::decode(text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or(InvalidOperationKey)
    }
}

impl Serialize for OperationKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for OperationKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
