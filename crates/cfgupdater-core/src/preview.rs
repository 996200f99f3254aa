//! What would be done, in words: for replicas that only observe.

use crate::intent::{Intent, IntentId};
use crate::object_id::CommitId;
use crate::plan::{AutoEdit, Effect, Transaction};
use crate::reason::{Code, Reason};
use crate::record::Record;
use crate::snapshot::Snapshot;

/// Says what an effect would do, with the images that would change. Bookkeeping is passed over.
pub(crate) fn would(effect: &Effect, snapshot: &Snapshot) -> Vec<Reason> {
    match effect {
        Effect::Land { from, to } => {
            let landing = snapshot.chain.iter().take_while(|commit| commit.id != *to).count() + 1;
            let text =
                format!("would move from {} to {}, {landing} commits further", from.short(10), to.short(10));
            vec![say("stable", text)]
        }
        Effect::Probe { to, .. } => {
            vec![say("probe", format!("would be moved to {}, to have it tested", to.short(10)))]
        }
        Effect::Write(transaction) => write(transaction, snapshot),
    }
}

fn write(transaction: &Transaction, snapshot: &Snapshot) -> Vec<Reason> {
    let mut said: Vec<Reason> = transaction.records.iter().filter_map(|r| record(r, snapshot)).collect();
    said.extend(transaction.auto.as_ref().and_then(|auto| rebuilt(auto, snapshot)));
    let park = |commit: &CommitId| say("auto", format!("would park {}", commit.short(10)));
    said.extend(transaction.park.iter().map(park));
    said
}

fn record(record: &Record, snapshot: &Snapshot) -> Option<Reason> {
    match record {
        Record::Accepted { intent } => Some(accepted(intent, snapshot)),
        Record::Ended { id, end } => Some(say(subject(*id), format!("would be recorded as {end}"))),
        _ => None,
    }
}

fn accepted(intent: &Intent, snapshot: &Snapshot) -> Reason {
    let slot = (intent.wave.clone(), intent.set.clone());
    let present = snapshot.history.latest(&slot).and_then(|latest| snapshot.images.get(&latest.release?));
    let changes = intent.images.changes_from(&present.cloned().unwrap_or_default());
    let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
    let text = format!("would {} {}: {}", intent.action.kind(), intent.set, changes.join(", "));
    say(crate::gate::subject(&intent.wave), text)
}

fn rebuilt(auto: &AutoEdit, snapshot: &Snapshot) -> Option<Reason> {
    let added = auto.intents.len();
    let dropped = snapshot.chain.len().saturating_sub(auto.keep.len());
    let text = format!("would be built on {}: {added} commits new, {dropped} replaced", auto.base.short(10));
    (added + dropped > 0).then(|| say("auto", text))
}

fn subject(id: IntentId) -> String {
    format!("intent {id}")
}

fn say(subject: impl Into<String>, text: String) -> Reason {
    Reason::new(Code::Would, subject, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::DeploymentStatus::Succeeded;
    use crate::testing::{Scene, images, introduce};

    #[test]
    fn a_promotion_is_told_with_what_it_changes() {
        let mut scene = Scene::new();
        scene.land(1, &introduce("app", "staging", 1), 1);
        for target in ["staging-1", "staging-2"] {
            scene.report("staging", target, 1, 1, Succeeded);
        }
        let effect = scene.plan().effect.unwrap();
        let said = would(&effect, &scene.snapshot());
        assert_eq!(
            said[0].to_string(),
            "wave internal: would promote app: web: nothing -> r.example.com/web:v1"
        );
    }

    #[test]
    fn bookkeeping_is_passed_over() {
        let mut scene = Scene::new();
        scene.person_pushes(1, &[]);
        let effect = scene.plan().effect;
        assert!(effect.is_none_or(|effect| would(&effect, &scene.snapshot()).is_empty()));
    }

    #[test]
    fn changes_are_told_for_services_that_come_stay_and_go() {
        let (before, after) =
            (images(&[("a", 1), ("b", 1), ("c", 1)]), images(&[("b", 1), ("c", 2), ("d", 1)]));
        let said: Vec<String> = after.changes_from(&before).iter().map(ToString::to_string).collect();
        let expected = [
            "a: r.example.com/a:v1 -> nothing",
            "c: r.example.com/c:v1 -> r.example.com/c:v2",
            "d: nothing -> r.example.com/d:v1",
        ];
        assert_eq!(said, expected);
    }
}
