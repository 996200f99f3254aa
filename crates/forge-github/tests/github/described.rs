//! What the adapter asks, as a server sees it that knows GitHub's own description and nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

use cfgupdater_core::Forge;
use cfgupdater_forge_github::{GithubForge, Login};
use cfgupdater_forge_http::SecretSource;
use cfgupdater_tests_github::{APP, KEY, Prism, Relay};

use crate::site::{commit, settings_at};

#[tokio::test(flavor = "multi_thread")]
async fn every_request_is_as_described() {
    let prism = match Prism::start() {
        Ok(prism) => prism,
        Err(why) => return eprintln!("skipped: {why}"),
    };
    let base = prism.base().to_owned();
    let relay = Relay::start(Arc::new(move |_, _| Some(base.clone())), Arc::new(|_| ()));
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings_at(&relay.base(), &directory);
    settings.login = Login::App { id: APP, key: SecretSource::file(KEY), installation: None };
    let forge = GithubForge::new(settings).unwrap();
    // Prism answers with its examples, of other commits and long gone tokens: what matters is that it answers.
    let _ = forge.checks(&[commit(1)]).await;
    let _ = forge.required_checks().await;
    let _ = forge.preflight().await;
    for exchange in relay.exchanges() {
        println!("{} {} {} {}", exchange.method, exchange.path, exchange.status, String::from_utf8_lossy(&exchange.body).chars().take(200).collect::<String>());
    }
    let _: BTreeSet<u8> = BTreeSet::new();
}
