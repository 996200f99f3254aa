//! [`Until`]: what is waited for, and when it is there or will never be.

use std::str::FromStr;

use cfgupdater_core::{Action, End, IntentId, Record, Release, WaveName};
use cfgupdater_server::api::{IntentView, RepoStatus, WaveSet};

use super::api::Logged;
use crate::exit::{Exit, Failure};
use crate::text::short;

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Until {
    /// The intent's change is on stable.
    Landed,
    /// A wave has the intent's release on stable, or one that was announced after it.
    Wave(WaveName),
}

impl FromStr for Until {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            None if text == "landed" => Ok(Self::Landed),
            Some(("wave", name)) => name.parse().map(Self::Wave).map_err(|error| format!("{error}")),
            _ => Err(format!("`{text}` is neither `landed` nor `wave=NAME`")),
        }
    }
}

/// Judges an intent's end: `Ok` with a sentence where its change is on stable.
pub(super) fn landed(id: &str, end: &End) -> Result<String, Failure> {
    let sentence = format!("intent {} {end}", short(id));
    match end {
        _ if end.is_on_stable() => Ok(sentence),
        End::Evicted { evidence } => {
            let link = evidence.link.as_deref().map(|link| format!("; see {link}")).unwrap_or_default();
            Err(Failure::new(Exit::GivenUp, format!("{sentence}{link}")))
        }
        End::Superseded { .. } => Err(Failure::new(Exit::GivenUp, sentence)),
        _ => Err(Failure::failed(sentence)),
    }
}

/// The releases that satisfy somebody who waits for one: it, and those announced after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Successors {
    releases: Vec<Release>,
    /// Promotions of the awaited release that failed by their own fault.
    failed: Vec<(IntentId, End)>,
}

impl Successors {
    /// Reads them from the audit trail, newest first, as far back as the intent's acceptance.
    pub(super) fn of(intent: &IntentView, trail: &[Logged]) -> Self {
        let accepted = trail.iter().filter_map(|item| match &item.record {
            Record::Accepted { intent } => Some(intent),
            _ => None,
        });
        let ours = |set: &str| intent.set.as_deref() == Some(set);
        let (mut releases, mut promotions) = (Vec::new(), Vec::new());
        for known in accepted.filter(|known| ours(known.set.as_str())) {
            match known.action {
                Action::Introduce { .. } => releases.push(known.release),
                Action::Promote { .. } if intent.release.as_deref() == Some(&known.release.to_string()) => {
                    promotions.push(known.id);
                }
                _ => {}
            }
        }
        let failed = promotions.into_iter().filter_map(|id| Some((id, last_fault(id, trail)?))).collect();
        Self { releases, failed }
    }
}

/// Returns the fault an intent ended by, unless it was tried again after that.
fn last_fault(id: IntentId, trail: &[Logged]) -> Option<End> {
    let latest = trail.iter().find_map(|item| match &item.record {
        Record::Ended { id: ended, end } if *ended == id => Some(Some(end)),
        Record::Retried { id: retried, .. } if *retried == id => Some(None),
        _ => None,
    });
    latest.flatten().filter(|end| end.is_fault()).cloned()
}

/// Returns what a wave has of the intent's set.
pub(super) fn wave_set<'a>(
    wave: &WaveName,
    intent: &IntentView,
    status: &'a RepoStatus,
) -> Result<&'a WaveSet, Failure> {
    let known = status.waves.iter().find(|known| known.name == wave.as_str());
    let known = known
        .ok_or_else(|| Failure::usage(format!("wave `{wave}` is not configured for {}", status.name)))?;
    let set = intent.set.as_deref().unwrap_or_default();
    known
        .sets
        .iter()
        .find(|known| known.set == set)
        .ok_or_else(|| Failure::usage(format!("set `{set}` does not go through wave `{wave}`")))
}

/// Judges what a wave has: `None` where it must be waited for.
pub(super) fn in_wave(
    wave: &WaveName,
    intent: &IntentView,
    has: &WaveSet,
    successors: &Successors,
) -> Option<Result<String, Failure>> {
    if let Some(release) = has.release.as_deref() {
        let app =
            has.app_sha.as_deref().map(|sha| format!(" ({} {})", has.set, short(sha))).unwrap_or_default();
        if intent.release.as_deref() == Some(release) {
            return Some(Ok(format!("{wave} has release {}{app}", short(release))));
        }
        if successors.releases.iter().any(|newer| newer.to_string() == release) {
            return Some(Ok(format!("{wave} has release {}{app}, which is newer", short(release))));
        }
    }
    let (id, end) = successors.failed.first()?;
    let sentence = format!("promotion {} of the release was {end}", short(&id.to_string()));
    Some(Err(Failure::new(Exit::GivenUp, sentence)))
}

#[cfg(test)]
mod tests;
