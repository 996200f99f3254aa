//! What jobs say together.

use std::collections::BTreeSet;

/// Puts the words of the latest jobs together, as `lib/gitlab/ci/status/composite.rb` does.
pub(crate) fn composite(words: &BTreeSet<&str>) -> &'static str {
    let only = |of: &[&str]| words.iter().all(|word| of.contains(word));
    let any = |of: &str| words.contains(of);
    match () {
        () if words.is_empty() => "created",
        () if only(&["skipped"]) => "skipped",
        () if only(&["success", "skipped"]) => "success",
        () if only(&["created"]) => "created",
        () if only(&["preparing"]) => "preparing",
        () if only(&["canceled", "success", "skipped"]) => "canceled",
        () if only(&["pending", "created", "skipped"]) => "pending",
        () if any("running") || any("pending") => "running",
        () if any("waiting_for_resource") => "waiting_for_resource",
        () if any("manual") => "manual",
        () if any("scheduled") => "scheduled",
        () if any("preparing") => "preparing",
        () if any("created") => "running",
        () => "failed",
    }
}
