//! Who asks.

use cfgupdater_core::{ErrorKind, Forge, explain};
use cfgupdater_tests_gitlab::{PROJECT_ID, TOKEN};

use crate::site::{Site, commit};

#[tokio::test]
async fn one_token_serves_the_api_and_git_and_is_shown_nowhere() {
    let site = Site::new();
    site.forge.checks(&[commit(1)]).await.unwrap();
    let login = site.forge.git_credentials().await.unwrap().unwrap();
    assert_eq!((login.username.as_str(), login.password.as_str()), ("oauth2", TOKEN));
    assert!(!format!("{login:?} {:?}", site.forge).contains("canary"));
}

#[tokio::test]
async fn a_token_that_ends_is_an_error_until_its_file_holds_the_next() {
    let site = Site::new();
    site.forge.checks(&[commit(1)]).await.unwrap();
    site.gitlab.world().rotate("glpat-canarythenextone");
    let error = site.forge.checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(error.to_string().contains("Token is expired"), "{error}");
    assert!(!format!("{error:?} {}", explain(&error)).contains("canary"));
    std::fs::write(site.directory.path().join("token"), "glpat-canarythenextone\n").unwrap();
    site.forge.checks(&[commit(1)]).await.unwrap();
    assert_eq!(site.forge.git_credentials().await.unwrap().unwrap().password, "glpat-canarythenextone");
}

#[tokio::test]
async fn a_project_may_be_named_by_its_number() {
    let site = Site::with(|settings| settings.project = PROJECT_ID.to_string().parse().unwrap());
    site.gitlab.world().run(&commit(1).to_string(), "auto", "success");
    assert_eq!(site.runs(commit(1)).await.len(), 2);
}

#[tokio::test]
async fn a_token_that_no_header_can_carry_is_not_sent() {
    let site = Site::new();
    std::fs::write(site.directory.path().join("token"), "glpat-\u{1}canary").unwrap();
    let error = site.forge.checks(&[commit(1)]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert!(!format!("{error:?}").contains("canary"));
    assert_eq!(site.gitlab.world().requests, [""; 0]);
}
