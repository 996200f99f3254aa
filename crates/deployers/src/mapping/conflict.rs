//! What bindings must not have in common: a sender speaks for one spot, and a spot has one sender.

use std::collections::BTreeSet;

use super::{Binding, Mapping, Spot};

/// Finds senders that would speak for two spots, one for each pair of rules.
pub(super) fn ambiguous(bindings: &[(usize, Binding)]) -> Vec<(usize, String)> {
    let mut seen = BTreeSet::new();
    let mut mistakes = Vec::new();
    for (index, (number, one)) in bindings.iter().enumerate() {
        for (earlier, other) in &bindings[..index] {
            if one.meets(other) && seen.insert((*earlier, *number)) {
                let text = if earlier == number {
                    format!(
                        "{} `{}` can be {} as well as {}; tell them apart by {{wave}}, {{target}} or {{set}}, or name one",
                        one.kind, one.name, other.spot, one.spot
                    )
                } else {
                    format!(
                        "{} `{}` for {} overlaps with `{}` of an earlier rule for {}; a sender must speak for one",
                        one.kind, one.name, one.spot, other.name, other.spot
                    )
                };
                mistakes.push((*number, text));
            }
        }
    }
    mistakes
}

/// Finds spots that two senders would speak for, one for each pair of rules.
pub(super) fn shared(bindings: &[(usize, Binding)]) -> Vec<(usize, String)> {
    let mut seen = BTreeSet::new();
    let mut mistakes = Vec::new();
    for (index, (number, one)) in bindings.iter().enumerate() {
        for (earlier, other) in &bindings[..index] {
            if one.is_rival_of(other) && seen.insert((*earlier, *number)) {
                mistakes.push((*number, one.beside(other, "an earlier rule")));
            }
        }
    }
    mistakes
}

/// Finds spots that senders of two mappings would speak for, with the number of the later mapping: one success would
/// hide the failure of the other.
pub fn rivals(mappings: &[Mapping]) -> Vec<(usize, String)> {
    let mut mistakes = Vec::new();
    for (number, mapping) in mappings.iter().enumerate() {
        let earlier = || mappings[..number].iter().flat_map(Mapping::bindings);
        let mut pairs = mapping.bindings().iter().flat_map(|one| earlier().map(move |other| (one, other)));
        if let Some((one, other)) = pairs.find(|(one, other)| one.is_rival_of(other)) {
            mistakes.push((number, one.beside(other, "an earlier deploy tool")));
        }
    }
    mistakes
}

impl Spot {
    /// Tells whether both speak of a set of the same target.
    fn meets(&self, other: &Self) -> bool {
        let sets = self.set.as_ref().zip(other.set.as_ref());
        (&self.wave, &self.target) == (&other.wave, &other.target)
            && sets.is_none_or(|(one, other)| one == other)
    }
}

impl Binding {
    fn is_rival_of(&self, other: &Self) -> bool {
        self.spot.meets(&other.spot) && !(self.several && other.several)
    }

    fn beside(&self, other: &Self, whose: &str) -> String {
        format!(
            "{} `{}` speaks for {}, and so does {} `{}` of {whose} for {}: a success of one would hide the failure of \
             the other; map one of them, or tell them apart by set",
            self.kind, self.name, self.spot, other.kind, other.name, other.spot
        )
    }

    /// Tells whether some sender would fit both.
    fn meets(&self, other: &Self) -> bool {
        let namespaces = self.namespace.as_ref().zip(other.namespace.as_ref());
        let mut shared = self.metadata.iter().filter_map(|(key, one)| Some((one, other.metadata.get(key)?)));
        self.kind == other.kind
            && self.name.meets(&other.name)
            && namespaces.is_none_or(|(one, other)| one.meets(other))
            && shared.all(|(one, other)| one.meets(other))
    }
}
