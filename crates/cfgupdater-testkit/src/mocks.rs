//! Mocks of the traits, for the unit tests of services that embed the engine.
//!
//! ```
//! use cfgupdater_core::{Capabilities, Forge};
//! use cfgupdater_testkit::mocks::MockForge;
//!
//! let mut forge = MockForge::new();
//! forge.expect_capabilities().return_const(Capabilities::default());
//! assert!(!forge.capabilities().requests_checks);
//! ```
#![allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    reason = "mostly made by a macro; the traits say what calls do"
)]

use std::time::Duration;

use async_trait::async_trait;
use cfgupdater_core::{
    BlobId, Capabilities, Checks, Commit, CommitId, Descriptor, Error, Finding, Forge, ForgeAction,
    ForgeAnswer, GitCredentials, GitRemote, GitRepo, ImageRef, Manifest, NewCommit, ObjectFormat, RefEdit,
    RefMap, RefName, RefOutcome, Registry, RepoPath, RequiredChecks, TreeChange, TreeEdit, TreeEntry, TreeId,
    Walk, WebhookDelivery, WebhookMeaning,
};
use mockall::mock;

mock! {
    #[derive(Debug)]
    pub Forge {}

    #[async_trait]
    impl Forge for Forge {
        fn capabilities(&self) -> Capabilities;
        async fn checks(&self, commits: &[CommitId]) -> Result<Checks, Error>;
        async fn required_checks(&self) -> Result<Option<RequiredChecks>, Error>;
        fn decode_webhook<'a>(&self, delivery: &WebhookDelivery<'a>) -> Result<WebhookMeaning, Error>;
        async fn git_credentials(&self) -> Result<Option<GitCredentials>, Error>;
        async fn preflight(&self) -> Result<Vec<Finding>, Error>;
        async fn perform(&self, action: ForgeAction) -> Result<ForgeAnswer, Error>;
    }
}

mock! {
    #[derive(Debug)]
    pub GitRemote {}

    #[async_trait]
    impl GitRemote for GitRemote {
        async fn ls_remote(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error>;
        async fn fetch(&self, names: &[RefName], deadline: Duration) -> Result<RefMap, Error>;
        async fn push(&self, edits: &[RefEdit], deadline: Duration) -> Result<Vec<RefOutcome>, Error>;
        async fn head_branch(&self, deadline: Duration) -> Result<Option<RefName>, Error>;
    }
}

mock! {
    #[derive(Debug)]
    pub GitRepo {}

    impl GitRepo for GitRepo {
        fn object_format(&self) -> ObjectFormat;
        fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error>;
        fn commit(&self, id: &CommitId) -> Result<Commit, Error>;
        fn has_commit(&self, id: &CommitId) -> Result<bool, Error>;
        fn is_ancestor(&self, ancestor: &CommitId, descendant: &CommitId) -> Result<bool, Error>;
        fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error>;
        fn walk(&self, range: &Walk) -> Result<Vec<CommitId>, Error>;
        fn entry(&self, tree: &TreeId, path: &RepoPath) -> Result<Option<TreeEntry>, Error>;
        fn list(&self, tree: &TreeId) -> Result<Vec<TreeEntry>, Error>;
        fn diff<'a>(&self, old: Option<&'a TreeId>, new: &TreeId) -> Result<Vec<TreeChange>, Error>;
        fn blob(&self, id: &BlobId) -> Result<Vec<u8>, Error>;
        fn write_blob(&self, content: &[u8]) -> Result<BlobId, Error>;
        fn edit_tree<'a>(&self, base: Option<&'a TreeId>, edits: &[TreeEdit]) -> Result<TreeId, Error>;
        fn write_commit(&self, commit: &NewCommit) -> Result<CommitId, Error>;
    }
}

mock! {
    #[derive(Debug)]
    pub Registry {}

    #[async_trait]
    impl Registry for Registry {
        async fn resolve(&self, image: &ImageRef) -> Result<Option<Descriptor>, Error>;
        async fn manifest(&self, image: &ImageRef) -> Result<Option<Manifest>, Error>;
        async fn exists(&self, image: &ImageRef) -> Result<bool, Error>;
    }
}
