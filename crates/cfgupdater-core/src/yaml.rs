//! Finds scalars in YAML and replaces their bytes: every other byte stays as it is.

mod node;
mod scalar;

use granit_parser::{Event, Parser, StructureStyle};

pub(crate) use node::Node;
pub(crate) use scalar::{Scalar, replace};

use node::Kind;

/// Why a file is left alone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Refused(String);

impl Refused {
    pub(crate) fn new(why: &str) -> Self {
        Self(why.to_owned())
    }

    /// Says where.
    pub(crate) fn within(self, place: &str) -> Self {
        Self(format!("{place}: {}", self.0))
    }
}

/// Reads every document of a text. Its root must be a mapping or a list; empty documents are passed over.
pub(crate) fn parse(text: &str) -> Result<Vec<Node>, Refused> {
    let mut roots = Vec::new();
    let mut open: Vec<Node> = Vec::new();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Refused(format!("it is not YAML: {error}")))?;
        let range = span.byte_range().ok_or_else(|| Refused::new("it holds what has no place in it"))?;
        let line = span.start.line();
        let leaf = |kind, anchor: usize, tagged: bool| Node { kind, line, special: anchor > 0 || tagged };
        let flow = |style: StructureStyle| style == StructureStyle::Flow;
        let complete = match event {
            Event::MappingStart(style, anchor, tag) => {
                open.push(leaf(Kind::mapping(flow(style)), anchor, tag.is_some()));
                None
            }
            Event::SequenceStart(style, anchor, tag) => {
                open.push(leaf(Kind::sequence(flow(style)), anchor, tag.is_some()));
                None
            }
            Event::MappingEnd | Event::SequenceEnd => open.pop(),
            Event::Scalar(value, style, anchor, tag) => {
                let scalar = Scalar { value: value.into_owned(), style, range };
                Some(leaf(Kind::Scalar(scalar), anchor, tag.is_some()))
            }
            Event::Alias(_) => Some(leaf(Kind::Alias, 0, false)),
            _ => None,
        };
        if let Some(node) = complete {
            match open.last_mut() {
                Some(parent) => parent.push(node),
                None => roots.push(node),
            }
        }
    }
    roots.retain(|root| !matches!(&root.kind, Kind::Scalar(scalar) if scalar.value.is_empty()));
    Ok(roots)
}

#[cfg(test)]
pub(crate) mod tests;
