//! Credential helpers: programs that keep logins (`docker-credential-…`).

use std::ffi::OsStr;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::login::Login;

/// The user name that says that a secret is an identity token.
const IDENTITY: &str = "<token>";

/// What helpers say where they have no login, which is no failure.
const NOT_KEPT: &str = "credentials not found";

/// The most that a helper may say.
const ANSWER_LIMIT: usize = 64 * 1024;

/// What a helper says of a login.
#[derive(Deserialize)]
struct Kept {
    #[serde(rename = "Username")]
    username: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Asks a helper for the login at `key`, `None` for none. It is ended where it takes longer than `limit`.
///
/// # Errors
/// Says what was wrong with the helper, never what it printed: that may hold the secret.
pub(super) async fn ask(program: &OsStr, key: &str, limit: Duration) -> Result<Option<Login>, String> {
    let name = program.display();
    match tokio::time::timeout(limit, run(program, key)).await {
        Err(_) => Err(format!("names {name}, which does not answer; run it by hand to see why")),
        Ok(Err(cause)) => Err(format!("names {name}, which can't be run ({}); install it", cause.kind())),
        Ok(Ok(output)) => {
            judge(&output).map_err(|why| format!("names {name}, which {why}; run it by hand to see why"))
        }
    }
}

async fn run(program: &OsStr, key: &str) -> std::io::Result<Output> {
    let mut command = Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // One that needs no question may be gone already.
        let _ = stdin.write_all(key.as_bytes()).await;
    }
    child.wait_with_output().await
}

fn judge(output: &Output) -> Result<Option<Login>, &'static str> {
    if !output.status.success() {
        let said = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
        return if said.iter().any(|text| text.contains(NOT_KEPT)) { Ok(None) } else { Err("failed") };
    }
    let kept = Some(&output.stdout).filter(|text| text.len() <= ANSWER_LIMIT);
    let kept: Kept =
        kept.and_then(|text| serde_json::from_slice(text).ok()).ok_or("says what is no login")?;
    Ok(Some(match kept.username.as_str() {
        IDENTITY => Login::Identity(kept.secret),
        _ => Login::Password { username: kept.username, password: kept.secret },
    }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// Writes an executable script.
    fn helper(script: &str) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("docker-credential-test");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        (dir, path)
    }

    async fn asked(script: &str, limit: Duration) -> Result<Option<Login>, String> {
        let (_dir, path) = helper(script);
        // Another test's child may hold the script open for writing for a moment, as every fork does.
        loop {
            let answer = ask(path.as_os_str(), "r.example.com", limit).await;
            match answer {
                Err(why) if why.contains("executable file busy") => tokio::task::yield_now().await,
                answer => return answer,
            }
        }
    }

    #[tokio::test]
    async fn a_helper_is_asked_by_its_protocol() {
        let script = r#"read host || [ -n "$host" ]; echo "{\"ServerURL\":\"$host\",\"Username\":\"$1 $host\",\"Secret\":\"canary\"}""#;
        let login =
            Login::Password { username: "get r.example.com".to_owned(), password: "canary".to_owned() };
        assert_eq!(asked(script, PATIENCE).await, Ok(Some(login)));
        let identity = r#"echo '{"Username":"<token>","Secret":"canary"}'"#;
        assert_eq!(asked(identity, PATIENCE).await, Ok(Some(Login::Identity("canary".to_owned()))));
    }

    #[tokio::test]
    async fn a_helper_without_a_login_is_no_failure() {
        for to in ["", " >&2"] {
            let script = format!("echo 'credentials not found in native keychain'{to}; exit 1");
            assert_eq!(asked(&script, PATIENCE).await, Ok(None));
        }
    }

    #[tokio::test]
    async fn nothing_that_a_helper_prints_is_repeated() {
        let long = format!("head -c {} /dev/zero | tr '\\0' x", 2 * ANSWER_LIMIT);
        for script in
            ["echo canary; echo canary >&2; exit 3", "echo canary", "echo '{\"Secret\":\"canary\"}'", &long]
        {
            let why = asked(script, PATIENCE).await.unwrap_err();
            assert!(why.contains("docker-credential-test, which") && !why.contains("canary"), "{why}");
        }
    }

    #[tokio::test]
    async fn a_helper_that_hangs_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        // Opening waits for a writer that never comes.
        let script = format!("exec cat {}", pipe.display());
        let why = asked(&script, Duration::from_millis(50)).await.unwrap_err();
        assert!(why.contains("does not answer"), "{why}");
    }

    #[tokio::test]
    async fn a_missing_helper_is_named() {
        let why = ask(OsStr::new("/nowhere/docker-credential-x"), "h", PATIENCE).await.unwrap_err();
        assert!(why.contains("/nowhere/docker-credential-x, which can't be run (entity not found)"), "{why}");
    }
}
