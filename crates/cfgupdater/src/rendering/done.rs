//! What came of which inputs.

use std::collections::{BTreeMap, VecDeque};

use cfgupdater_core::TreeId;

/// How many results are remembered; each takes some hundred bytes.
pub(super) const REMEMBERED: usize = 4096;

/// What a rendering depends on: the renderer, and the tree without its generated paths.
pub(super) type Key = [u8; 32];

/// A tree with its generated files, and what was noticed on the way.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) tree: TreeId,
    pub(crate) findings: Vec<String>,
}

/// Results by their inputs, the oldest forgotten first.
#[derive(Debug, Default)]
pub(super) struct Done {
    outcomes: BTreeMap<Key, Outcome>,
    order: VecDeque<Key>,
}

impl Done {
    pub(super) fn get(&self, key: &Key) -> Option<&Outcome> {
        self.outcomes.get(key)
    }

    pub(super) fn remember(&mut self, key: Key, outcome: Outcome) {
        if self.outcomes.insert(key, outcome).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > REMEMBERED {
            if let Some(oldest) = self.order.pop_front() {
                self.outcomes.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cfgupdater_core::ObjectId;

    use super::*;

    #[test]
    fn the_oldest_results_are_forgotten() {
        let mut done = Done::default();
        let tree = TreeId::new(ObjectId::from_bytes(&[1; 20]).unwrap());
        let key = |n: usize| {
            let mut key = Key::default();
            key[..8].copy_from_slice(&n.to_be_bytes());
            key
        };
        for n in 0..=REMEMBERED {
            done.remember(key(n), Outcome { tree, findings: Vec::new() });
        }
        assert!(done.outcomes.len() == REMEMBERED && done.get(&key(0)).is_none());
        assert!(done.get(&key(REMEMBERED)).is_some());
    }
}
