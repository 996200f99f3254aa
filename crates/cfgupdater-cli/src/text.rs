//! Answers as text for people: pure functions, so that every shape is tested without a service.

mod images;
mod log;
mod paint;
mod status;
mod table;

use cfgupdater_server::api::{Announced, IntentView, Operated, Reported, Why};

pub(crate) use images::{built_image, built_images};
pub(crate) use log::{log, transition};
pub(crate) use paint::{Colour, Paint};
pub(crate) use status::status;

/// Shortens an id to what people compare by eye.
pub(crate) fn short(id: &str) -> &str {
    id.get(..10).unwrap_or(id)
}

/// Shows what waits and for what, a line each.
pub(crate) fn why(reasons: &[Why]) -> String {
    if reasons.is_empty() {
        "nothing waits".to_owned()
    } else {
        reasons.iter().map(reason).collect::<Vec<_>>().join("\n")
    }
}

/// Shows one reason.
pub(crate) fn reason(why: &Why) -> String {
    let until = why.until.as_deref().map(|until| format!(" (until {until})")).unwrap_or_default();
    format!("{}: {}{until}", why.subject, why.text)
}

/// Shows an intent in one line.
pub(crate) fn intent(intent: &IntentView) -> String {
    let part = |text: &Option<String>| text.clone().unwrap_or_else(|| "?".to_owned());
    let app = intent.app_sha.as_deref().map(|sha| format!(" {}", short(sha))).unwrap_or_default();
    let state = match (intent.state.as_str(), intent.commit.as_deref()) {
        ("on_auto", Some(commit)) => format!("on auto as {}", short(commit)),
        (state, _) => state.to_owned(),
    };
    let (kind, set, wave) = (part(&intent.kind), part(&intent.set), part(&intent.wave));
    format!("intent {}: {kind} {set}{app} into {wave}, {state}", short(&intent.id))
}

/// Shows the answer to an announcement. The intent's id is whole: scripts wait for it.
pub(crate) fn announced(answer: &Announced) -> String {
    let commit =
        answer.commit.as_deref().map(|commit| format!(", commit {}", short(commit))).unwrap_or_default();
    let end = answer.end.as_ref().map(|end| format!(", {end}")).unwrap_or_default();
    let first = format!("{}: intent {}{commit}{end}", answer.outcome, answer.intent);
    lines([first].into_iter().chain(answer.changes.iter().map(|change| format!("  {change}"))))
}

/// Shows the answer to a deployment report.
pub(crate) fn recorded(answer: &Reported) -> String {
    let first = if answer.recorded { "recorded" } else { "nothing new" };
    let promoted = answer.promoted.iter().map(|id| format!("promotes: intent {id}"));
    lines([first.to_owned()].into_iter().chain(promoted).chain(answer.waits.iter().map(reason)))
}

/// Shows the answer to an operator.
pub(crate) fn worked(answer: &Operated) -> String {
    let first = if answer.changed { "done" } else { "nothing to change" };
    let intents = answer.intents.iter().map(|id| format!("intent {id}"));
    lines([first.to_owned()].into_iter().chain(intents).chain(answer.waits.iter().map(reason)))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests;
