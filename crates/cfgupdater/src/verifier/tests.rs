use async_trait::async_trait;
use cfgupdater_core::{
    NewCommit, ObjectFormat, PathSet, RenderRequest, Rendered, Renderer, SetPolicy, Timestamp, TreeEdit,
    WavePolicy,
};
use cfgupdater_testkit::memory::git::{MemoryGitServer, MemoryRemote, MemoryRepo};
use cfgupdater_testkit::memory::{MemoryForge, MemoryRenderer, MemoryServer};

use super::*;

#[derive(Debug)]
struct Panics;

#[async_trait]
impl Renderer for Panics {
    fn identity(&self) -> String {
        "panics".to_owned()
    }

    async fn render(&self, _: &RenderRequest) -> Result<Rendered, RenderFailure> {
        panic!("at the disco")
    }
}

fn verifier(repo: &MemoryRepo, renderer: Arc<dyn Renderer>) -> Arc<Verifier> {
    let waves = vec![WavePolicy::new("staging".parse().unwrap(), Vec::new())];
    let sets = vec![SetPolicy::new("app".parse().unwrap())];
    let mut policy = Policy::new("master".parse().unwrap(), sets, waves);
    policy.generated = PathSet::new(vec!["generated/**".parse().unwrap()]);
    policy.verify_generated = true;
    let remote = MemoryRemote::new(MemoryGitServer::new(ObjectFormat::Sha1), repo.clone());
    let forge = MemoryForge::new(&MemoryServer::new());
    let backends = Backends::new(Arc::new(repo.clone()), Arc::new(remote), Arc::new(forge));
    let rendering = Arc::new(Rendering::new(Some(renderer)));
    Arc::new(Verifier::new(&backends, &Arc::new(policy), &rendering))
}

fn commit(repo: &MemoryRepo, files: &[(&str, &str)]) -> CommitId {
    let edit = |(path, content): &(&str, &str)| {
        TreeEdit::file(path.parse().unwrap(), repo.write_blob(content.as_bytes()).unwrap())
    };
    let tree = repo.edit_tree(None, &files.iter().map(edit).collect::<Vec<_>>()).unwrap();
    let message = "feat: it".to_owned();
    let commit =
        NewCommit::new(tree, Vec::new(), ("Pat", "pat@example.com"), Timestamp::from_millis(0), message);
    repo.write_commit(&commit).unwrap()
}

fn said(verification: &Verification) -> String {
    verification.findings().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_renderer_that_panics_is_told_and_tried_again_later() {
    let repo = MemoryRepo::new(ObjectFormat::Sha1);
    let (stable, verifier) = (commit(&repo, &[("source", "1")]), verifier(&repo, Arc::new(Panics)));
    assert!(said(&verifier.look(stable, Vec::new()).await.unwrap()).contains("are being rendered"));
    verifier.found().await;
    let verification = verifier.look(stable, Vec::new()).await.unwrap();
    assert!(said(&verification).contains("rendering was interrupted"), "{}", said(&verification));
    assert_eq!(verification.next(), None);
}

#[tokio::test]
async fn what_needs_no_rendering_is_known_while_another_hangs() {
    let repo = MemoryRepo::new(ObjectFormat::Sha1);
    let path = |path: &str| path.parse().unwrap();
    let renderer = MemoryRenderer::new(Arc::new(repo.clone()), path("source"), path("generated/copy"));
    let verifier = verifier(&repo, Arc::new(renderer.clone()));
    let right = commit(&repo, &[("source", "1"), ("generated/copy", "1")]);
    let wrong = commit(&repo, &[("source", "1"), ("generated/copy", "2")]);
    verifier.look(right, Vec::new()).await.unwrap();
    verifier.found().await;
    renderer.hold(true);
    let stable = commit(&repo, &[("source", "3")]);
    let verification = verifier.look(stable, vec![right, wrong]).await.unwrap();
    assert_eq!(verification.open(), [stable]);
    assert!(said(&verification).contains("generated/copy for one"), "{}", said(&verification));
}
