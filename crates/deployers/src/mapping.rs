//! [`Mapping`]: which target an application, a kustomization or a Helm release is.
//!
//! A rule is written once for many targets: `{wave}`, `{target}` and `{set}` in its patterns stand for every name that is
//! configured. It is spelt out for all of them at the start, so that a mistake is found then and not by a report.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cfgupdater_core::{Place, Policy, SetName, TargetName, WaveName};

use crate::pattern::Pattern;

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
    /// read, rules that say nothing, and senders that would speak for two spots.
    pub fn new(rules: &[Rule], policy: &Policy) -> Result<Self, Vec<(usize, String)>> {
        let (mut bindings, mut mistakes): (Vec<(usize, Binding)>, _) = (Vec::new(), Vec::new());
        for (number, rule) in rules.iter().enumerate() {
            match spell_out(rule, policy) {
                Ok(found) => bindings.extend(found.into_iter().map(|binding| (number, binding))),
                Err(mistake) => mistakes.push((number, mistake)),
            }
        }
        mistakes.extend(ambiguous(&bindings));
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

    /// Makes sure that an API can be asked about every spot: each must have a name of its own there, without wildcards,
    /// and with a namespace where names alone tell nothing.
    ///
    /// # Errors
    /// Says what can't be asked about.
    pub fn askable(&self, with_namespace: bool) -> Result<(), String> {
        let mut seen = BTreeMap::new();
        for binding in &self.bindings {
            let (kind, spot) = (binding.kind, &binding.spot);
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

fn spell_out(rule: &Rule, policy: &Policy) -> Result<Vec<Binding>, String> {
    let texts = || rule.metadata.values().chain([&rule.name]).chain(&rule.namespace);
    for text in texts() {
        check_placeholders(text)?;
    }
    let tells_set = texts().any(|text| text.contains("{set}"));
    if let Some(wave) = rule.wave.as_ref().filter(|wave| policy.wave(wave).is_none()) {
        return Err(format!("wave `{wave}` is not configured"));
    }
    if let Some(set) = rule.set.as_ref().filter(|set| policy.set(set).is_none()) {
        return Err(format!("image set `{set}` is not configured"));
    }
    let mut bindings = Vec::new();
    for wave in policy.waves.iter().filter(|wave| rule.wave.as_ref().is_none_or(|name| *name == wave.name)) {
        let named = |name: &TargetName| rule.target.as_ref().is_none_or(|wanted| wanted == name);
        for target in wave.targets.iter().filter(|target| named(&target.name)) {
            let spot = |set| Spot { wave: wave.name.clone(), target: target.name.clone(), set };
            if !tells_set && rule.set.is_none() {
                bindings.push(bind(rule, spot(None))?);
                continue;
            }
            let wanted = |set: &SetName| rule.set.as_ref().is_none_or(|name| name == set);
            let sets = policy.sets.iter().map(|set| &set.name).filter(|set| target.runs(set) && wanted(set));
            for set in sets {
                bindings.push(bind(rule, spot(Some(set.clone())))?);
            }
        }
    }
    if bindings.is_empty() {
        let target =
            rule.target.as_ref().map_or_else(|| "a target".to_owned(), |name| format!("target `{name}`"));
        return Err(format!("this rule is for nothing: no wave it names has {target} that runs its set"));
    }
    Ok(bindings)
}

fn check_placeholders(text: &str) -> Result<(), String> {
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        rest = &rest[at..];
        let known = ["{wave}", "{target}", "{set}"].into_iter().find(|known| rest.starts_with(known));
        let Some(known) = known else {
            return Err(format!(
                "`{text}` holds a brace that is not part of {{wave}}, {{target}} or {{set}}"
            ));
        };
        rest = &rest[known.len()..];
    }
    Ok(())
}

fn bind(rule: &Rule, spot: Spot) -> Result<Binding, String> {
    let fill = |text: &String| {
        let set = spot.set.as_ref().map(SetName::as_str).unwrap_or_default();
        let text = text.replace("{wave}", spot.wave.as_str()).replace("{target}", spot.target.as_str());
        text.replace("{set}", set).parse::<Pattern>().map_err(|error| error.to_string())
    };
    let metadata = rule.metadata.iter().map(|(key, text)| Ok((key.clone(), fill(text)?)));
    Ok(Binding {
        kind: rule.kind,
        name: fill(&rule.name)?,
        namespace: rule.namespace.as_ref().map(fill).transpose()?,
        metadata: metadata.collect::<Result<_, String>>()?,
        spot,
    })
}

/// Finds senders that would speak for two spots, one for each pair of rules.
fn ambiguous(bindings: &[(usize, Binding)]) -> Vec<(usize, String)> {
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

#[cfg(test)]
mod tests;
