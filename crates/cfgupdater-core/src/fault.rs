//! Faults: what makes every decision wait, and what a person does about it.

use crate::message::FORMAT_VERSION;
use crate::reason::{Code, Reason};
use crate::snapshot::Fault;

/// Says what happened, and what to do next.
pub(crate) fn reason(fault: &Fault) -> Reason {
    let (subject, text) = match fault {
        Fault::StateLost { cited } => (
            "state",
            format!(
                "commits on stable cite state {}, which the state branch doesn't hold: restore the branch, or accept the loss",
                cited.short(10)
            ),
        ),
        Fault::StateEdited { commit } => (
            "state",
            format!(
                "commit {} of the state branch was not made by this service: remove it from the branch, or accept it",
                commit.short(10)
            ),
        ),
        Fault::StableRewound { seen } => (
            "stable",
            format!(
                "stable no longer contains {}, where it was last seen: push it back, or accept the new tip",
                seen.short(10)
            ),
        ),
        Fault::StateUnreadable { why } => ("state", why.clone()),
        Fault::UnrelatedAuto { auto } => (
            "auto",
            format!(
                "the auto branch ({}) holds commits but there is no state: delete it, configure another name for auto, or accept it: then its commits are parked",
                auto.short(10)
            ),
        ),
        Fault::NewerFormat { commit, version } => (
            "service",
            format!(
                "commit {} says that a newer release made it, in format {version}, and this one knows {FORMAT_VERSION}: it only observes; upgrade it",
                commit.short(10)
            ),
        ),
        Fault::OldConfiguration { recorded } => (
            "configuration",
            format!(
                "generation {recorded} of the configuration is in force and this replica has an older one: it only observes"
            ),
        ),
    };
    Reason::new(Code::Fault, subject, text)
}
