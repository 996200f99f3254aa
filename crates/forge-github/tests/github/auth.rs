//! Who asks.

use cfgupdater_core::{ErrorKind, Forge, ForgeAction};
use cfgupdater_forge_github::{GithubForge, Login};
use cfgupdater_forge_http::SecretSource;
use cfgupdater_tests_github::{APP, KEY, TOKEN};

use crate::site::{Site, commit};

#[tokio::test]
async fn one_token_serves_many_readers_and_git() {
    let site = Site::new();
    let commits: Vec<_> = (1..30).map(commit).collect();
    let (checks, required) = tokio::join!(site.forge.checks(&commits), site.forge.required_checks());
    checks.unwrap();
    required.unwrap();
    let login = site.forge.git_credentials().await.unwrap().unwrap();
    assert_eq!(login.username, "x-access-token");
    assert!(site.github.world().tokens.contains(&login.password));
    assert_eq!(site.github.world().token_requests.len(), 1);
    assert!(!format!("{login:?} {:?}", site.forge).contains("canary"));
}

#[tokio::test]
async fn a_token_is_for_this_repository_and_these_rights_alone() {
    let site = Site::new();
    site.forge.git_credentials().await.unwrap();
    let wanted = site.github.world().token_requests[0].to_string();
    assert_eq!(
        wanted,
        r#"{"permissions":{"administration":"read","checks":"read","contents":"write","metadata":"read","statuses":"read"},"repositories":["cfg"]}"#
    );
}

#[tokio::test]
async fn a_token_that_soon_ends_is_replaced_before_it_does() {
    let site = Site::new();
    site.github.world().token_seconds = 240;
    let first = site.forge.git_credentials().await.unwrap().unwrap();
    site.github.world().token_seconds = 3600;
    let second = site.forge.git_credentials().await.unwrap().unwrap();
    assert_ne!(first.password, second.password, "four minutes are too few for a push");
    let third = site.forge.git_credentials().await.unwrap().unwrap();
    assert_eq!(second.password, third.password);
}

#[tokio::test]
async fn a_token_that_git_was_refused_is_replaced() {
    let site = Site::new();
    let first = site.forge.git_credentials().await.unwrap().unwrap();
    let replace = |refused| site.forge.perform(ForgeAction::ReplaceCredentials { refused });
    replace(first.clone()).await.unwrap();
    let second = site.forge.git_credentials().await.unwrap().unwrap();
    assert_ne!(first, second);
    // Whoever was refused the old one as well comes late.
    replace(first).await.unwrap();
    assert_eq!(site.forge.git_credentials().await.unwrap().unwrap(), second);
}

#[tokio::test]
async fn an_app_that_may_not_read_branch_protection_works_for_the_rest() {
    let site = Site::new();
    site.github.world().lacks = Some("administration".to_owned());
    site.github.world().status(&commit(1).to_string(), "ci", "success", "octocat");
    assert_eq!(site.runs(commit(1)).await.len(), 1);
    assert_eq!(site.github.world().token_requests.len(), 2);
}

#[tokio::test]
async fn a_right_that_was_granted_meanwhile_is_used_at_the_next_refusal() {
    let site = Site::new();
    site.github.world().lacks = Some("administration".to_owned());
    site.forge.git_credentials().await.unwrap();
    site.github.world().lacks = None;
    assert_eq!(
        site.forge.required_checks().await.unwrap(),
        None,
        "nothing is required, and that can be seen"
    );
    assert_eq!(site.github.world().token_requests.len(), 3);
}

#[tokio::test]
async fn a_right_that_is_still_missing_is_not_asked_for_at_every_refusal() {
    let site = Site::new();
    site.github.world().lacks = Some("administration".to_owned());
    for _ in 0..5 {
        assert_eq!(site.forge.required_checks().await.unwrap_err().kind(), ErrorKind::Forbidden);
    }
    assert_eq!(site.github.world().token_requests.len(), 4, "once for a token, and once in hope of more");
}

#[tokio::test]
async fn who_is_not_believed_is_told_what_may_be_wrong() {
    let site = Site::with(|settings| {
        settings.login = Login::App { id: APP + 1, key: SecretSource::file(KEY), installation: None };
    });
    let error = site.forge.git_credentials().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    for says in ["App 18", "private key", "clock"] {
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn the_installation_is_asked_for_where_it_is_not_configured() {
    let site = Site::with(|settings| {
        settings.login = Login::App { id: APP, key: SecretSource::file(KEY), installation: None };
    });
    site.forge.git_credentials().await.unwrap();
    assert_eq!(site.github.world().requests_of("/installation?"), 1);
}

#[tokio::test]
async fn a_plain_token_is_enough_and_is_read_again() {
    let site = Site::new();
    let file = site.directory.path().join("token");
    std::fs::write(&file, "ghp_canarythatisold").unwrap();
    let mut settings = crate::site::settings(&site.github, &site.directory);
    settings.login = Login::Token(SecretSource::file(&file));
    let forge = GithubForge::new(settings).unwrap();
    let error = forge.checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(!format!("{error} {error:?} {forge:?}").contains("canary"));
    std::fs::write(&file, format!("{TOKEN}\nghp_thenextone\n")).unwrap();
    forge.checks(&[commit(1)]).await.unwrap();
    assert_eq!(forge.git_credentials().await.unwrap().unwrap().password, TOKEN);
}

#[tokio::test]
async fn a_webhook_of_the_installation_makes_the_token_anew() {
    let site = Site::new();
    site.forge.git_credentials().await.unwrap();
    let body = r#"{"action":"added","installation":{"id":42,"account":{"login":"acme"}}}"#;
    crate::payloads::deliver(&site.forge, "installation_repositories", body.as_bytes()).unwrap();
    site.forge.git_credentials().await.unwrap();
    assert_eq!(site.github.world().token_requests.len(), 2);
}
