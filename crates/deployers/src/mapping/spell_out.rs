//! Spelling rules out: a binding for each wave, target and set that a rule is for.

use cfgupdater_core::{Policy, SetName, TargetName};

use super::{Binding, Rule, Spot};
use crate::pattern::Pattern;

/// Spells out a rule for every spot it is for.
pub(super) fn spell_out(rule: &Rule, policy: &Policy) -> Result<Vec<Binding>, String> {
    let texts = || rule.metadata.values().chain([&rule.name]).chain(&rule.namespace);
    for text in texts() {
        check_placeholders(text)?;
    }
    if let Some(text) = texts().find(|text| !rule.several && text.contains(['*', '?'])) {
        return Err(format!(
            "`{text}` may be several senders for one target, of which one would hide what the others say; \
             name one, or add several = true if there is never more than one at a time"
        ));
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
        several: rule.several,
        spot,
    })
}
