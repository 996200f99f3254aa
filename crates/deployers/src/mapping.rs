//! [`Mapping`]: which target an application, a kustomization or a Helm release is.
//!
//! A rule is written once for many targets: `{wave}`, `{target}` and `{set}` in its patterns stand for every name that is
//! configured. It is spelt out for all of them at the start, so that a mistake is found then and not by a report.

use std::collections::BTreeMap;
use std::fmt;

use cfgupdater_core::{Place, Policy, SetName, TargetName, WaveName};

use crate::pattern::Pattern;

mod conflict;
mod spell_out;

pub use conflict::rivals;

/// What kind of thing speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SenderKind {
    /// An Argo CD `Application`.
    Application,
    /// A Flux `Kustomization`.
    Kustomization,
    /// A Flux `HelmRelease`.
    HelmRelease,
}

impl fmt::Display for SenderKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Application => "application",
            Self::Kustomization => "kustomization",
            Self::HelmRelease => "helm_release",
        })
    }
}

/// Who speaks, as it says itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// What kind of thing it is.
    pub kind: SenderKind,
    /// Its namespace; empty where it wasn't told.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What else it says of itself, by key without prefix.
    pub metadata: BTreeMap<String, String>,
}

/// A rule as it is configured. Its texts are patterns in which `{wave}`, `{target}` and `{set}` stand for configured
/// names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What kind of thing speaks.
    pub kind: SenderKind,
    /// Its name.
    pub name: String,
    /// Its namespace; any where absent.
    pub namespace: Option<String>,
    /// Its metadata, by key; all of them must fit.
    pub metadata: BTreeMap<String, String>,
    /// The wave it is for; any where absent.
    pub wave: Option<WaveName>,
    /// The target it is for; any where absent.
    pub target: Option<TargetName>,
    /// The set it speaks of; all of the target's where it is absent and no pattern tells it.
    pub set: Option<SetName>,
    /// Whether several senders may speak for the same set of a target: the newest word of any of them counts, so that a
    /// success of one hides the failure of another.
    pub several: bool,
}

/// What a sender speaks for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct Spot {
    /// The wave.
    pub wave: WaveName,
    /// The target.
    pub target: TargetName,
    /// The set; all of the target's where absent.
    pub set: Option<SetName>,
}

/// A rule spelt out for one spot.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Binding {
    /// What kind of thing speaks.
    pub kind: SenderKind,
    /// Its name.
    pub name: Pattern,
    /// Its namespace; any where absent.
    pub namespace: Option<Pattern>,
    metadata: BTreeMap<String, Pattern>,
    several: bool,
    /// What it speaks for.
    pub spot: Spot,
}

/// All rules of a deploy tool, spelt out.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    bindings: Vec<Binding>,
}

impl Mapping {
    /// Spells out rules for the waves, targets and sets of a policy.
    ///
    /// # Errors
    /// Lists what can't be right, each with the number of the rule: names that are not configured, patterns that can't be
    /// read, rules that say nothing, senders that would speak for two spots, and spots that two senders would speak for.
    pub fn new(rules: &[Rule], policy: &Policy) -> Result<Self, Vec<(usize, String)>> {
        let (mut bindings, mut mistakes): (Vec<(usize, Binding)>, _) = (Vec::new(), Vec::new());
        for (number, rule) in rules.iter().enumerate() {
            match spell_out::spell_out(rule, policy) {
                Ok(found) => bindings.extend(found.into_iter().map(|binding| (number, binding))),
                Err(mistake) => mistakes.push((number, mistake)),
            }
        }
        mistakes.extend(conflict::ambiguous(&bindings));
        mistakes.extend(conflict::shared(&bindings));
        let bindings = bindings.into_iter().map(|(_, binding)| binding).collect();
        if mistakes.is_empty() { Ok(Self { bindings }) } else { Err(mistakes) }
    }

    /// Finds what a sender speaks for; `None` for one that is not configured.
    pub fn find(&self, sender: &Sender) -> Option<&Spot> {
        self.bindings.iter().find(|binding| binding.fits(sender)).map(|binding| &binding.spot)
    }

    /// Lists the bindings of a place.
    pub fn of<'a>(&'a self, place: &'a Place) -> impl Iterator<Item = &'a Binding> {
        self.bindings.iter().filter(|binding| binding.spot.is_at(place))
    }

    /// Makes sure that an API can be asked about every spot: each must have one sender, with a name of its own there,
    /// without wildcards, and with a namespace where names alone tell nothing.
    ///
    /// # Errors
    /// Says what can't be asked about.
    pub fn askable(&self, with_namespace: bool) -> Result<(), String> {
        let mut seen = BTreeMap::new();
        for binding in &self.bindings {
            let (kind, spot) = (binding.kind, &binding.spot);
            if binding.several {
                return Err(format!(
                    "{kind} `{}` is one of several for {spot}, whose answers would contradict each other",
                    binding.name
                ));
            }
            let name = binding.name.literal().ok_or_else(|| {
                format!("{kind} `{}` for {spot} holds a wildcard, so it can't be asked about", binding.name)
            })?;
            let namespace = binding.namespace.as_ref().map(|namespace| {
                namespace.literal().ok_or_else(|| {
                    format!("namespace `{namespace}` of {kind} `{name}` holds a wildcard, so it can't be asked about")
                })
            });
            let namespace = namespace.transpose()?;
            if with_namespace && namespace.is_none() {
                return Err(format!("{kind} `{name}` needs a namespace to be asked about"));
            }
            if let Some(other) = seen.insert((kind, namespace, name), spot) {
                return Err(format!(
                    "{kind} `{name}` would be asked about for {other} as well as for {spot}"
                ));
            }
        }
        Ok(())
    }

    /// Lists all bindings.
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }
}

impl Spot {
    fn is_at(&self, place: &Place) -> bool {
        self.wave == place.0 && self.target == place.1
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.wave, self.target)?;
        self.set.iter().try_for_each(|set| write!(f, " (set {set})"))
    }
}

impl Binding {
    fn fits(&self, sender: &Sender) -> bool {
        let told = |(key, pattern): (&String, &Pattern)| {
            sender.metadata.get(key).is_some_and(|value| pattern.matches(value))
        };
        self.kind == sender.kind
            && self.name.matches(&sender.name)
            && self.namespace.as_ref().is_none_or(|pattern| pattern.matches(&sender.namespace))
            && self.metadata.iter().all(told)
    }
}

#[cfg(test)]
mod tests;
