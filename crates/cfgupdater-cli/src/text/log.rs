//! The audit trail as lines of text.

use cfgupdater_core::{DeploymentStatus, Note, Record};
use cfgupdater_server::api::Log;
use serde_json::Value;

use super::paint::{Colour, Paint, colour_of};
use super::short;
use super::table::{Cell, Table};
use crate::client::Logged;

/// Shows a page of the audit trail, a line a transition, in the order given.
pub(crate) fn log(page: &Log, paint: Paint) -> String {
    let mut table = Table::default();
    for item in &page.items {
        match Logged::read(item) {
            Some(known) => {
                let (word, colour, rest) = transition(&known.record);
                table.row([faint(known.at.to_string()), Cell::coloured(word, colour), Cell::new(rest)]);
            }
            None => table.row([faint(text(item, "at")), Cell::new(text(item, "record")), Cell::new("")]),
        }
    }
    let mut lines = table.render(paint);
    lines.extend(page.next.as_deref().map(|next| format!("  older: --after {next}")));
    lines.join("\n")
}

/// Says in a word, its colour and the rest of a sentence what a transition is.
pub(crate) fn transition(record: &Record) -> (&'static str, Option<Colour>, String) {
    let word = match record {
        Record::Ended { end, .. } => return (end.name(), colour_of(end.name()), format!("{}", Rest(record))),
        Record::Accepted { .. } => "accepted",
        Record::Retried { .. } => "retried",
        Record::Built { .. } => "auto",
        Record::StableSeen { .. } => "stable",
        Record::Reported { report } => match report.status {
            DeploymentStatus::Succeeded => "runs",
            DeploymentStatus::Failed => "failed",
        },
        Record::Held { .. } => "held",
        Record::Released { .. } => "released",
        Record::Approved { .. } => "approved",
        Record::Paused { .. } => "paused",
        Record::Resumed { .. } => "resumed",
        Record::Waived { .. } => "waived",
        Record::AcceptedAsIs { .. } => "accepted",
        Record::Operated { .. } => "operator",
        Record::Generation { .. } => "config",
        _ => "other",
    };
    (word, colour_of(word), format!("{}", Rest(record)))
}

/// What follows the word.
struct Rest<'a>(&'a Record);

impl std::fmt::Display for Rest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Record::Accepted { intent } => {
                let app = intent.app_sha().map(|sha| format!(" {}", sha.short(10))).unwrap_or_default();
                let (kind, id) = (intent.action.kind(), intent.id.to_string());
                write!(
                    f,
                    "{} {kind} {}{app} into {} by {}",
                    short(&id),
                    intent.set,
                    intent.wave,
                    intent.actor
                )
            }
            Record::Ended { id, end } => write!(f, "{} {end}", short(&id.to_string())),
            Record::Retried { id, actor, reason, .. } => {
                write!(f, "{} by {actor}: {reason}", short(&id.to_string()))
            }
            Record::Built { commits } => match commits.last() {
                Some(tip) => {
                    let plural = if commits.len() == 1 { "" } else { "s" };
                    write!(f, "{} commit{plural} up to {}", commits.len(), tip.commit.short(10))
                }
                None => f.write_str("nothing on top of stable"),
            },
            Record::StableSeen { commit } => write!(f, "seen at {}", commit.short(10)),
            Record::Reported { report } => {
                write!(f, "{} of {}: {} {}", report.target, report.wave, report.set, report.release.short())
            }
            Record::Held { wave, note } | Record::Released { wave, note } => {
                write!(f, "{wave} {}", said(note))
            }
            Record::Approved { wave, set, release, note } => {
                write!(f, "{set} {} for {wave} {}", release.short(), said(note))
            }
            Record::Paused { note } | Record::Resumed { note } => write!(f, "landing {}", said(note)),
            Record::Waived { wave, target, note, .. } => write!(f, "{target} of {wave} {}", said(note)),
            Record::AcceptedAsIs { stable, note, .. } => {
                write!(f, "stable {} as it is {}", stable.short(10), said(note))
            }
            Record::Operated { intents, .. } => {
                let intents: Vec<String> =
                    intents.iter().map(|id| short(&id.to_string()).to_owned()).collect();
                write!(f, "an operator's call {}", intents.join(" "))
            }
            Record::Generation { generation } => write!(f, "generation {generation}"),
            _ => f.write_str("a transition this version doesn't know"),
        }
    }
}

fn said(note: &Note) -> String {
    format!("by {}: {}", note.actor, note.reason)
}

fn faint(text: String) -> Cell {
    Cell::coloured(text, Some(Colour::Faint))
}

fn text(item: &Value, field: &str) -> String {
    item[field].as_str().unwrap_or("?").to_owned()
}

#[cfg(test)]
mod tests;
