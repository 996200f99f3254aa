//! Why a kustomization or a Helm release says what it says.

/// Reasons with which a kustomization says that a revision could not be brought to run. A health check that was
/// cancelled, a dependency that isn't ready and a source that can't be fetched say nothing of the revision.
pub(super) const KUSTOMIZATION_FAILED: [&str; 4] =
    ["BuildFailed", "HealthCheckFailed", "PruneFailed", "ReconciliationFailed"];

/// Reasons with which a Helm release says that it runs.
pub(super) const HELM_SUCCEEDED: [&str; 3] = ["InstallSucceeded", "TestSucceeded", "UpgradeSucceeded"];

/// Reasons with which a Helm release says that it doesn't run what it should; after a rollback it runs something older.
pub(super) const HELM_FAILED: [&str; 7] = [
    "InstallFailed",
    "RollbackFailed",
    "RollbackSucceeded",
    "TestFailed",
    "UninstallFailed",
    "UninstallSucceeded",
    "UpgradeFailed",
];
