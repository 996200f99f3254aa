//! Argo CD: an `Application`, as a notification carries it, as the API answers it, and as Kubernetes keeps it.

mod application;
mod source;

use cfgupdater_core::{Claim, CommitId, DeploymentStatus};

use crate::mapping::{Sender, SenderKind};
use crate::outcome::{Outcome, Unreadable, instant};
use application::{Application, Operation, SyncResult};

pub use source::SourceUrl;

/// Reads who an application is, from a notification's body or from an API's answer.
///
/// # Errors
/// Fails where it isn't an application.
pub fn sender(json: &[u8]) -> Result<Sender, Unreadable> {
    let application = Application::read(json)?;
    Ok(Sender {
        kind: SenderKind::Application,
        namespace: application.metadata.namespace,
        name: application.metadata.name,
        metadata: application.metadata.labels,
    })
}

/// Reads how an application's last synchronisation ended; `None` while it says nothing of what is deployed: it goes on,
/// is not healthy yet, was a part or a rehearsal only, or deployed something else than the configuration repository.
///
/// `source` is the configuration repository's address, by which it is found among several sources.
///
/// # Errors
/// Fails where it isn't an application.
pub fn outcome(json: &[u8], source: &SourceUrl) -> Result<Option<Outcome>, Unreadable> {
    Ok(judge(&Application::read(json)?, source))
}

fn judge(application: &Application, source: &SourceUrl) -> Option<Outcome> {
    let status = &application.status;
    let state = status.operation_state.as_ref()?;
    // The phase alone is known to be told too early; an operation that is over says when it ended.
    let finished_at = instant(state.finished_at.as_deref())?;
    let result = state.sync_result.as_ref()?;
    let revision = revision(result, source)?;
    if is_rehearsal(&state.operation) || is_part(&state.operation) && !status.is_synced_to(result) {
        return None;
    }
    let outcome = match (state.phase.as_str(), status.health.status.as_str()) {
        ("Succeeded", "Healthy") => DeploymentStatus::Succeeded,
        ("Succeeded", "Degraded") | ("Failed" | "Error", _) => DeploymentStatus::Failed,
        _ => return None,
    };
    let changed_at = instant(status.health.last_transition_time.as_deref());
    let observed_at = changed_at.map_or(finished_at, |changed_at| changed_at.max(finished_at));
    Some(Outcome::new(outcome, Claim::Revision(revision), Some(observed_at)))
}

/// Finds the configuration repository's revision: the only one, or the one of its source among several.
fn revision(result: &SyncResult, source: &SourceUrl) -> Option<CommitId> {
    let text = if result.revisions.is_empty() {
        &result.revision
    } else if let [only] = result.revisions.as_slice() {
        only
    } else {
        let ours = |url: &str| SourceUrl::new(url) == *source;
        let mut places = result.sources.iter().enumerate().filter(|(_, of)| ours(&of.repo_url));
        let (place, _) = places.next()?;
        let revision = result.revisions.get(place)?;
        // Several sources may be of the same repository, but only at the same commit is it clear what is deployed.
        if places.any(|(other, _)| result.revisions.get(other) != Some(revision)) {
            return None;
        }
        revision
    };
    text.parse().ok()
}

fn is_rehearsal(operation: &Operation) -> bool {
    operation.sync.as_ref().is_some_and(|sync| sync.dry_run)
}

/// A synchronisation of chosen resources runs no hooks and says nothing of the others; healing is done this way.
fn is_part(operation: &Operation) -> bool {
    operation.sync.as_ref().is_some_and(|sync| !sync.resources.is_empty())
}

#[cfg(test)]
mod tests;
