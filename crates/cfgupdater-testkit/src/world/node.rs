//! Names of the world's commits: places in its arenas, and the ids that the product sees.

use cfgupdater_core::{CommitId, ObjectId};

/// A commit of the configuration branches, by its place in the world's arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node(u32);

/// A commit of the state branch, by its place in the world's arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateNode(u32);

const CONFIG: u8 = 1;
const STATE: u8 = 2;

macro_rules! node {
    ($name:ident, $kind:ident) => {
        impl $name {
            /// Names the commit at a place.
            ///
            /// # Panics
            /// Where there are more commits than any schedule makes.
            pub fn at(index: usize) -> Self {
                Self(u32::try_from(index).expect("a schedule makes few commits"))
            }

            /// Returns its place.
            pub fn index(self) -> usize {
                self.0 as usize
            }

            /// Returns the id that the product sees.
            pub fn id(self) -> CommitId {
                id($kind, self.0)
            }

            /// Finds the commit that an id names.
            pub fn of(id: &CommitId) -> Option<Self> {
                index(id, $kind).map(Self)
            }
        }
    };
}

node!(Node, CONFIG);
node!(StateNode, STATE);

/// Makes an id whose order tells nothing of the order of creation, as with real hashes.
fn id(kind: u8, index: u32) -> CommitId {
    let mut raw = [0; 20];
    raw[..8].copy_from_slice(&mix(u64::from(index) << 8 | u64::from(kind)).to_be_bytes());
    raw[8] = kind;
    raw[16..].copy_from_slice(&index.to_be_bytes());
    CommitId::new(ObjectId::from_bytes(&raw).expect("twenty bytes make an id"))
}

fn index(id: &CommitId, kind: u8) -> Option<u32> {
    let raw = id.object_id().as_bytes();
    let tail: [u8; 4] = raw.get(16..20)?.try_into().ok()?;
    (raw.len() == 20 && raw[8] == kind).then(|| u32::from_be_bytes(tail))
}

/// Mixes a number so that near ones lie far apart: the finaliser of splitmix64.
pub(crate) fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_name_their_commits_and_kinds_are_told_apart() {
        let (config, state) = (Node::at(7), StateNode::at(7));
        assert_ne!(config.id(), state.id());
        assert_eq!(Node::of(&config.id()), Some(config));
        assert_eq!(Node::of(&state.id()), None);
    }
}
