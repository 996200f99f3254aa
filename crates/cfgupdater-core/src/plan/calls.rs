//! What calls come to: the transitions they lead to, and what they are answered.

use crate::admission::{Admission, admit};
use crate::call::{
    Announced, Answer, Call, DeploymentReport, OperationAnswer, Outcome, Previewed, Refusal, ReportAnswer,
    Request, Sighting,
};
use crate::deployment::{counts, resolve, revoked};
use crate::intent::Announcement;
use crate::operate::{Desk, Operated, Operation, operate};
use crate::policy::{Policy, SetPolicy, WavePolicy};
use crate::record::Record;
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;

use super::Reply;
use super::draft::Draft;

/// Decides one call on top of everything decided so far.
pub(super) fn decide(call: &Call, draft: &mut Draft<'_>) -> Reply {
    let decided = match &call.request {
        Request::Announce(announced) => announce(announced, &call.actor, draft),
        Request::Preview(announced) => preview(announced, &call.actor, draft),
        Request::Report(report) => take_report(report, None, &call.actor, draft),
        Request::Sight(Sighting { report, asked_at }) => {
            take_report(report, Some(*asked_at), &call.actor, draft)
        }
        Request::Operate(operation) => take_operation(call, operation, draft),
    };
    decided.unwrap_or_else(|refusal| Reply::Now(Err(refusal)))
}

/// Decides the one call that is decided while the repository is at fault; `None` for any other.
pub(super) fn accept(
    call: &Call,
    snapshot: &Snapshot,
    policy: &Policy,
) -> Option<Result<(Vec<Record>, Answer), Refusal>> {
    let Request::Operate(operation @ Operation::Accept { .. }) = &call.request else { return None };
    let desk = Desk { actor: &call.actor, policy, state: &snapshot.state, snapshot };
    Some(operate(call, operation, desk).map(|operated| {
        let answer = operation_answer(&operated);
        (operated.records, answer)
    }))
}

fn judge(announced: &Announcement, actor: &str, draft: &Draft<'_>) -> Result<Admission, Refusal> {
    let effective =
        |set: &SetPolicy, wave: &WavePolicy| draft.effective(&(wave.name.clone(), set.name.clone()));
    admit(announced, actor, draft.policy, draft.snapshot, &draft.state, effective)
}

fn announce(announced: &Announcement, actor: &str, draft: &mut Draft<'_>) -> Result<Reply, Refusal> {
    let known = |outcome, id, draft: &Draft<'_>| {
        let answer = Answer::Announced(draft.announced(id, outcome));
        // What it is compared with may be part of this very draft.
        Ok(if draft.is_unwritten() { Reply::OnceWritten(answer) } else { Reply::Now(Ok(answer)) })
    };
    match judge(announced, actor, draft)? {
        Admission::Duplicate(id) => known(Outcome::Duplicate, id, draft),
        Admission::Stale(id) => known(Outcome::Stale, id, draft),
        Admission::Unchanged(id) => known(Outcome::Unchanged, id, draft),
        Admission::New(intent) => {
            let id = intent.id;
            draft.record(Record::Accepted { intent: *intent });
            draft.project();
            let answer = Announced { intent: id, outcome: Outcome::Queued, commit: None, end: None };
            Ok(Reply::OnceWritten(Answer::Announced(answer)))
        }
    }
}

fn preview(announced: &Announcement, actor: &str, draft: &Draft<'_>) -> Result<Reply, Refusal> {
    let (intent, outcome, changes) = match judge(announced, actor, draft)? {
        Admission::Duplicate(id) => (id, Outcome::Duplicate, Vec::new()),
        Admission::Stale(id) => (id, Outcome::Stale, Vec::new()),
        Admission::Unchanged(id) => (id, Outcome::Unchanged, Vec::new()),
        Admission::New(intent) => {
            let slot = (intent.wave.clone(), intent.set.clone());
            let present = draft.images(&slot).cloned().unwrap_or_default();
            let held = crate::gate::closed_for(&intent, draft.policy, &draft.state, draft.snapshot.now);
            let outcome = if held.is_some() { Outcome::Queued } else { Outcome::Committed };
            (intent.id, outcome, intent.images.changes_from(&present))
        }
    };
    Ok(Reply::Now(Ok(Answer::Previewed(Previewed { intent, outcome, changes }))))
}

fn take_report(
    said: &DeploymentReport,
    asked_at: Option<Timestamp>,
    actor: &str,
    draft: &mut Draft<'_>,
) -> Result<Reply, Refusal> {
    let reports = resolve(said, actor, draft.policy, draft.snapshot)?;
    let mut recorded = false;
    for mut report in reports {
        report.asked_at = asked_at;
        if counts(&report, &draft.state, &draft.snapshot.history) {
            report.revoked = revoked(&report, &draft.state, &draft.snapshot.history);
            draft.record(Record::Reported { report });
            recorded = true;
        }
    }
    if recorded {
        draft.project();
    }
    let answer = Answer::Reported(ReportAnswer { recorded, promoted: Vec::new(), waits: Vec::new() });
    Ok(if recorded { Reply::OnceWritten(answer) } else { Reply::Now(Ok(answer)) })
}

fn take_operation(call: &Call, operation: &Operation, draft: &mut Draft<'_>) -> Result<Reply, Refusal> {
    let desk =
        Desk { actor: &call.actor, policy: draft.policy, state: &draft.state, snapshot: draft.snapshot };
    let operated = operate(call, operation, desk)?;
    let answer = operation_answer(&operated);
    let changed = !operated.records.is_empty();
    for record in operated.records {
        draft.record(record);
    }
    if changed {
        draft.project();
    }
    // A repetition may find its first call in this very draft.
    let wait = changed || draft.is_unwritten();
    Ok(if wait { Reply::OnceWritten(answer) } else { Reply::Now(Ok(answer)) })
}

fn operation_answer(operated: &Operated) -> Answer {
    let (changed, intents) = (!operated.records.is_empty(), operated.intents.clone());
    Answer::Operated(OperationAnswer { changed, intents, waits: Vec::new() })
}

/// Adds to an answer what only the finished draft knows.
pub(super) fn complete(reply: &mut Reply, draft: &Draft<'_>) {
    let (Reply::Now(Ok(answer)) | Reply::OnceWritten(answer)) = reply else { return };
    match answer {
        Answer::Announced(answer) => {
            answer.end = draft.state.end_of(answer.intent).cloned().or_else(|| answer.end.take());
        }
        Answer::Reported(answer) => {
            answer.promoted.clone_from(&draft.promoted);
            answer.waits.clone_from(&draft.why);
        }
        Answer::Operated(answer) => answer.waits.clone_from(&draft.why),
        Answer::Previewed(_) => {}
    }
}
