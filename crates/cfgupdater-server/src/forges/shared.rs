//! Secrets of `[repo.forge]`, which are named and never written there.

use std::path::PathBuf;

use cfgupdater_forge_http::SecretSource;

/// Reads a secret that is named by file or by variable.
pub(super) fn secret(
    file: Option<&PathBuf>,
    env: Option<&String>,
    what: &str,
) -> Result<Option<SecretSource>, String> {
    match (file, env) {
        (Some(_), Some(_)) => Err(format!("there are both {what}_file and {what}_env; keep one")),
        (Some(file), None) => Ok(Some(SecretSource::file(file))),
        (None, Some(env)) => Ok(Some(SecretSource::variable(env))),
        (None, None) => Ok(None),
    }
}
