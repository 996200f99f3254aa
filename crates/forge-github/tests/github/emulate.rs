//! The adapter against a GitHub that somebody else wrote.

use cfgupdater_core::Forge;
use cfgupdater_forge_github::{GithubForge, Login};
use cfgupdater_forge_http::SecretSource;
use cfgupdater_tests_github::{APP, Emulate, KEY};

use crate::site::{commit, settings_at};

#[tokio::test(flavor = "multi_thread")]
async fn try_it() {
    let emulate = match Emulate::start("http://127.0.0.1:9/hook", "s") {
        Ok(emulate) => emulate,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings_at(emulate.base(), &directory);
    settings.login = Login::App { id: APP, key: SecretSource::file(KEY), installation: None };
    let forge = GithubForge::new(settings).unwrap();
    println!("{:?}", forge.git_credentials().await);
    println!("{:?}", forge.checks(&[commit(1)]).await);
    println!("{:?}", forge.required_checks().await);
    println!("{:?}", forge.preflight().await);
    emulate.protect("master", &["ci"]);
    println!("{:?}", forge.required_checks().await);
    println!("{:?}", forge.preflight().await);
}
