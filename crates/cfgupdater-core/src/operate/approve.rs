//! Approvals: an operator lets one release into a wave.

use super::{Desk, Operated, conflict};
use crate::call::Refusal;
use crate::name::{SetName, WaveName};
use crate::promote::Step;
use crate::record::Record;
use crate::release::Release;

impl Desk<'_> {
    pub(super) fn approve(
        self,
        wave: &WaveName,
        release: Option<Release>,
        reason: &str,
    ) -> Result<Operated, Refusal> {
        self.wave(wave)?;
        let (set, release) = self.waiting_for_approval(wave, release)?;
        let note = self.note(reason);
        Ok(Operated::only(Record::Approved { wave: wave.clone(), set, release, note }))
    }

    /// Finds the proven release that an approval lets in. An approval binds one release: another one is a conflict.
    fn waiting_for_approval(
        self,
        wave: &WaveName,
        named: Option<Release>,
    ) -> Result<(SetName, Release), Refusal> {
        let steps = self.policy.steps().filter(|(_, _, to)| to.name == *wave);
        let waiting: Vec<(SetName, Release)> = steps
            .filter_map(|(set, from, to)| {
                let (state, history, now) = (self.state, &*self.snapshot.history, self.snapshot.now);
                let release = Step { set, from, to, state, history, now }.proven()?;
                Some((set.name.clone(), release))
            })
            .collect();
        let conflict = |detail: String| Err(conflict(detail).at("release"));
        match (named, waiting.as_slice()) {
            (_, []) => conflict(format!("no proven release waits to enter wave `{wave}`")),
            (None, [one]) => Ok(one.clone()),
            (None, several) => {
                let releases: Vec<String> =
                    several.iter().map(|(set, release)| format!("{set} {release}")).collect();
                conflict(format!(
                    "several releases wait for wave `{wave}`, name one: {}",
                    releases.join(", ")
                ))
            }
            (Some(named), waiting) => match waiting.iter().find(|(_, release)| *release == named) {
                Some(found) => Ok(found.clone()),
                None => conflict(format!(
                    "release {} doesn't wait for wave `{wave}`; release {} does",
                    named.short(),
                    waiting[0].1
                )),
            },
        }
    }
}
