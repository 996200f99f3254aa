//! Addresses without a repository, and visitors without a right.

use cfgupdater_core::{ErrorKind, RefEdit};

use super::{AsksForLogins, CanBeAbsent, LONG, branch, rivals};

/// Every call says that there is no such repository.
pub async fn a_repository_that_is_not_there_is_not_found(harness: &impl CanBeAbsent) {
    let [_, ours, _] = rivals(harness).await;
    let absent = harness.absent();
    let names = [branch("master")];
    assert_eq!(absent.ls_remote(&names, LONG).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(absent.fetch(&names, LONG).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(absent.head_branch(LONG).await.unwrap_err().kind(), ErrorKind::NotFound);
    let edit = [RefEdit::exact(branch("auto"), None, Some(ours))];
    assert_eq!(absent.push(&edit, LONG).await.unwrap_err().kind(), ErrorKind::NotFound);
}

/// A login that is refused is told apart from everything else, and the secret is in no error.
pub async fn a_wrong_login_is_told_and_not_repeated(harness: &impl AsksForLogins) {
    let [_, ours, _] = rivals(harness).await;
    let (impostor, secret) = harness.impostor();
    let names = [branch("master")];
    let edit = [RefEdit::exact(branch("auto"), None, Some(ours))];
    let errors = [
        impostor.ls_remote(&names, LONG).await.unwrap_err(),
        impostor.fetch(&names, LONG).await.unwrap_err(),
        impostor.push(&edit, LONG).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
        assert!(secret.is_empty() || !format!("{error} {error:?}").contains(&secret), "{error:?}");
    }
}
