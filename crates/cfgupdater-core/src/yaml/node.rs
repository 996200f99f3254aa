//! What was read, with where it stands.

use super::{Refused, Scalar};

/// A node of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(super) kind: Kind,
    pub(super) line: usize,
    /// It has an anchor, so that an edit would show elsewhere too, or a tag.
    pub(super) special: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Scalar(Scalar),
    /// Keys and values in turns.
    Mapping {
        flow: bool,
        parts: Vec<Node>,
    },
    Sequence {
        flow: bool,
        items: Vec<Node>,
    },
    Alias,
}

impl Kind {
    pub(super) fn mapping(flow: bool) -> Self {
        Self::Mapping { flow, parts: Vec::new() }
    }

    pub(super) fn sequence(flow: bool) -> Self {
        Self::Sequence { flow, items: Vec::new() }
    }
}

impl Node {
    pub(super) fn push(&mut self, node: Self) {
        match &mut self.kind {
            Kind::Mapping { parts, .. } => parts.push(node),
            Kind::Sequence { items, .. } => items.push(node),
            Kind::Scalar(_) | Kind::Alias => {}
        }
    }

    /// Tells whether it is a mapping with this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.values(key).next().is_some()
    }

    /// Returns the value of a key, which may be edited below: in block style, without anchor and tag.
    pub(crate) fn block(&self, key: &str) -> Result<&Self, Refused> {
        self.editable(key)?;
        let mut values = self.values(key);
        match (values.next(), values.next()) {
            (Some(value), None) => Ok(value),
            (Some(_), Some(again)) => {
                Err(Refused(format!("key `{key}` is there twice, again on line {}", again.line)))
            }
            (None, _) if self.has("<<") => {
                Err(Refused(format!("key `{key}` is not there itself (merge keys are not followed); add it")))
            }
            (None, _) => Err(Refused(format!("key `{key}` is missing on line {}; add it", self.line))),
        }
    }

    /// Returns the elements of a list in block style.
    pub(crate) fn items(&self, name: &str) -> Result<&[Self], Refused> {
        self.editable(name)?;
        match &self.kind {
            Kind::Sequence { items, .. } => Ok(items),
            _ => Err(Refused(format!("`{name}` on line {} is not a list", self.line))),
        }
    }

    /// Returns the scalar at a key, which may be replaced.
    pub(crate) fn scalar(&self, key: &str) -> Result<Scalar, Refused> {
        let value = self.block(key)?;
        value.editable(key)?;
        match &value.kind {
            Kind::Scalar(scalar) => {
                let refuse =
                    |why: &str| Refused(format!("the value of `{key}` on line {} {why}", value.line));
                scalar.check().map_err(refuse)?;
                Ok(scalar.clone())
            }
            _ => Err(Refused(format!("the value of `{key}` on line {} is not a scalar", value.line))),
        }
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &Self> {
        let parts = match &self.kind {
            Kind::Mapping { parts, .. } => parts.as_slice(),
            _ => &[],
        };
        let named =
            move |pair: &&[Self]| matches!(&pair[0].kind, Kind::Scalar(scalar) if scalar.value == key);
        parts.chunks_exact(2).filter(named).map(|pair| &pair[1])
    }

    /// Refuses what an edit would disturb: anchors, tags, aliases and flow style.
    fn editable(&self, key: &str) -> Result<(), Refused> {
        let refuse = |what: &str| Err(Refused(format!("at `{key}`, line {} {what}", self.line)));
        match self.kind {
            _ if self.special => refuse("has an anchor or a tag; write it plainly"),
            Kind::Alias => refuse("is an alias; write the value itself"),
            Kind::Mapping { flow: true, .. } | Kind::Sequence { flow: true, .. } => {
                refuse("is written in flow style (`{…}` or `[…]`); write it in block style")
            }
            _ => Ok(()),
        }
    }
}
