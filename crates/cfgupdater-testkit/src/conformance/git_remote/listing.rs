//! Listing and fetching.

use std::time::Duration;

use cfgupdater_core::{ErrorKind, RefMap, RefName, Walk};

use super::{GitRemoteHarness, LONG, begin, branch};
use crate::conformance::git_repo::commit;

/// What was asked for and doesn't exist is left out; a name that merely ends alike is another one.
pub async fn references_that_do_not_exist_are_left_out(harness: &impl GitRemoteHarness) {
    let root = begin(harness);
    harness.set_ref(&branch("x/refs/heads/auto"), Some(root));
    let head: RefName = "HEAD".parse().unwrap();
    let names = [branch("master"), branch("auto"), head.clone()];
    let expected = RefMap::from([(branch("master"), root), (head, root)]);
    assert_eq!(harness.remote().ls_remote(&names, LONG).await.unwrap(), expected);
    assert_eq!(harness.remote().fetch(&names, LONG).await.unwrap(), expected);
    assert!(harness.local().has_commit(&root).unwrap());
    assert!(harness.remote().ls_remote(&[], LONG).await.unwrap().is_empty());
    assert!(harness.remote().fetch(&[branch("auto")], LONG).await.unwrap().is_empty());
}

/// `HEAD` names a branch, unless that is unborn or a commit is named instead.
pub async fn head_names_a_branch_or_none(harness: &impl GitRemoteHarness) {
    let root = begin(harness);
    let head = async || harness.remote().head_branch(LONG).await.unwrap();
    assert_eq!(head().await, Some(branch("master")));
    harness.set_ref(&branch("trunk"), Some(root));
    harness.set_head(&branch("trunk"));
    assert_eq!(head().await, Some(branch("trunk")));
    harness.set_head(&branch("unborn"));
    assert_eq!(head().await, None);
    harness.detach_head(&root);
    assert_eq!(head().await, None);
}

/// A fetch brings commits, their trees and their blobs, and all that came before.
pub async fn what_is_fetched_can_be_read_with_its_history(harness: &impl GitRemoteHarness) {
    let root = begin(harness);
    let server = harness.server();
    let side = commit(server, &[root], &[("d/e", "side")], 2);
    let merge = commit(server, &[root, side], &[("d/e", "merged")], 3);
    harness.set_ref(&branch("auto"), Some(merge));
    let fetched = harness.remote().fetch(&[branch("auto")], LONG).await.unwrap();
    assert_eq!(fetched, RefMap::from([(branch("auto"), merge)]));
    let local = harness.local();
    assert_eq!(local.walk(&Walk::from(merge)).unwrap(), [merge, side, root]);
    for id in [merge, side, root] {
        let tree = local.commit(&id).unwrap().tree;
        for change in local.diff(None, &tree).unwrap() {
            let (_, blob) = change.new.unwrap();
            local.blob(&cfgupdater_core::BlobId::new(blob)).unwrap();
        }
    }
}

/// A fetch follows references wherever they go.
pub async fn rewound_and_deleted_references_are_followed(harness: &impl GitRemoteHarness) {
    let root = begin(harness);
    let next = commit(harness.server(), &[root], &[("f", "x")], 2);
    let names = [branch("master"), branch("auto")];
    let fetch = async || harness.remote().fetch(&names, LONG).await.unwrap().get(&branch("auto")).copied();
    for to in [Some(next), Some(root), None, Some(next)] {
        harness.set_ref(&branch("auto"), to);
        assert_eq!(fetch().await, to);
    }
    // A name may come back as a directory of names.
    harness.set_ref(&branch("auto"), None);
    harness.set_ref(&branch("auto/1"), Some(root));
    assert_eq!(fetch().await, None);
    let below = harness.remote().fetch(&[branch("auto/1")], LONG).await.unwrap();
    assert_eq!(below, RefMap::from([(branch("auto/1"), root)]));
}

/// No time is no success.
pub async fn a_deadline_that_has_passed_is_a_time_out(harness: &impl GitRemoteHarness) {
    begin(harness);
    let names = [branch("master")];
    let listed = harness.remote().ls_remote(&names, Duration::ZERO).await;
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::TimedOut);
    let fetched = harness.remote().fetch(&names, Duration::ZERO).await;
    assert_eq!(fetched.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(harness.remote().head_branch(Duration::ZERO).await.unwrap_err().kind(), ErrorKind::TimedOut);
}
