use cfgupdater_core::{BlobId, EntryKind, ObjectFormat, PathSet, SetPolicy, TreeEdit, WavePolicy};
use cfgupdater_testkit::memory::MemoryRenderer;
use cfgupdater_testkit::memory::git::MemoryRepo;

use super::*;

struct Site {
    repo: MemoryRepo,
    renderer: MemoryRenderer,
    rendering: Arc<Rendering>,
    policy: Policy,
}

impl Site {
    fn new() -> Self {
        let repo = MemoryRepo::new(ObjectFormat::Sha1);
        let path = |path: &str| path.parse().unwrap();
        let renderer = MemoryRenderer::new(Arc::new(repo.clone()), path("source"), path("generated/copy"));
        let rendering = Arc::new(Rendering::new(Some(Arc::new(renderer.clone()))));
        let waves = vec![WavePolicy::new("staging".parse().unwrap(), Vec::new())];
        let mut policy =
            Policy::new("master".parse().unwrap(), vec![SetPolicy::new("app".parse().unwrap())], waves);
        policy.generated = PathSet::new(vec!["generated/**".parse().unwrap()]);
        Self { repo, renderer, rendering, policy }
    }

    fn tree(&self, files: &[(&str, &str)]) -> TreeId {
        let edit = |(path, content): &(&str, &str)| {
            TreeEdit::file(path.parse().unwrap(), self.repo.write_blob(content.as_bytes()).unwrap())
        };
        self.repo.edit_tree(None, &files.iter().map(edit).collect::<Vec<_>>()).unwrap()
    }

    /// Renders on a thread that may block.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Rendering, &MemoryRepo, &Policy) -> T + Send + 'static,
    ) -> T {
        let (rendering, repo, policy) = (Arc::clone(&self.rendering), self.repo.clone(), self.policy.clone());
        tokio::task::spawn_blocking(move || work(&rendering, &repo, &policy)).await.unwrap()
    }

    async fn render(&self, tree: TreeId) -> Result<Outcome, Stopped> {
        self.on_a_thread(move |rendering, repo, policy| rendering.render(repo, policy, tree, None)).await
    }

    async fn made(&self, tree: TreeId) -> TreeId {
        self.render(tree).await.unwrap_or_else(|_| panic!("it renders")).tree
    }

    async fn failure(&self, tree: TreeId) -> RenderFailure {
        match self.render(tree).await {
            Err(Stopped::Failed(failure)) => failure,
            _ => panic!("it fails"),
        }
    }

    fn copy(&self, tree: TreeId) -> Option<Vec<u8>> {
        let entry = self.repo.entry(&tree, &"generated/copy".parse().unwrap()).unwrap()?;
        assert_eq!(entry.kind, EntryKind::File);
        Some(self.repo.blob(&BlobId::new(entry.id)).unwrap())
    }
}

#[tokio::test]
async fn the_same_inputs_are_rendered_once_whatever_is_generated() {
    let site = Site::new();
    let made = site.made(site.tree(&[("source", "1")])).await;
    assert_eq!(site.copy(made).unwrap(), b"1");
    assert_eq!(site.made(site.tree(&[("source", "1"), ("generated/copy", "by hand")])).await, made);
    assert_eq!(site.made(made).await, made);
    assert_eq!((site.renderer.asked(), site.rendering.counts()), (1, (1, 2)));
    site.made(site.tree(&[("source", "2")])).await;
    assert_eq!(site.renderer.asked(), 2);
}

#[tokio::test]
async fn what_must_be_known_of_this_moment_is_not_remembered() {
    let site = Site::new();
    let tree = site.tree(&[("source", "1")]);
    site.made(tree).await;
    site.renderer.fail(Some(RenderFailure::new(RenderFailureKind::Tree, "gone")));
    site.made(tree).await;
    let anew = site
        .on_a_thread(move |rendering, repo, policy| rendering.render_anew(repo, policy, tree, None))
        .await;
    assert!(matches!(anew, Err(Stopped::Failed(failure)) if failure.message == "gone"));
}

#[tokio::test]
async fn a_result_that_is_no_longer_there_is_made_again() {
    let site = Site::new();
    let tree = site.tree(&[("source", "1")]);
    let made = site.made(tree).await;
    site.repo.lose(made.object_id());
    assert_eq!(site.made(tree).await, made);
    assert_eq!(site.renderer.asked(), 2);
}

#[tokio::test]
async fn a_result_without_any_generated_file_is_refused_where_there_was_one() {
    let site = Site::new();
    let failure = site.failure(site.tree(&[("other", "1"), ("generated/copy", "1")])).await;
    assert_eq!(failure.kind, RenderFailureKind::Refused);
    // Where there was none to begin with, nothing is lost.
    let tree = site.tree(&[("other", "1")]);
    assert_eq!(site.made(tree).await, tree);
}

#[tokio::test]
async fn a_long_failure_keeps_its_begin_and_its_end() {
    let site = Site::new();
    let long = format!("begin{}end", "\u{e4}".repeat(MESSAGE));
    site.renderer.fail(Some(RenderFailure::new(RenderFailureKind::Tree, long)));
    let said = site.failure(site.tree(&[("source", "1")])).await.message;
    assert!(
        said.len() <= MESSAGE + 8 && said.starts_with("begin") && said.ends_with("end"),
        "{}",
        said.len()
    );
}

#[tokio::test]
async fn what_is_recalled_is_never_rendered_for_it() {
    let site = Site::new();
    let tree = site.tree(&[("source", "1")]);
    let recall = |rendering: &Rendering, repo: &MemoryRepo, policy: &Policy| {
        rendering.recall(repo, policy, tree).unwrap().map(|known| known.tree)
    };
    assert_eq!(recall(&site.rendering, &site.repo, &site.policy), None);
    let made = site.made(tree).await;
    assert_eq!(recall(&site.rendering, &site.repo, &site.policy), Some(made));
    assert_eq!(site.renderer.asked(), 1);
    // Where nothing is generated, all trees are what they are.
    let nothing = Policy { generated: PathSet::default(), ..site.policy.clone() };
    assert_eq!(recall(&site.rendering, &site.repo, &nothing), Some(tree));
}

#[tokio::test]
async fn what_hangs_ends_when_it_is_obsolete() {
    let site = Site::new();
    let (tree, obsolete) = (site.tree(&[("source", "1")]), Obsolete::default());
    site.renderer.hold(true);
    let hangs = site.on_a_thread({
        let obsolete = obsolete.clone();
        move |rendering, repo, policy| {
            rendering.render_anew(repo, policy, tree, Some(&obsolete)).map(|made| made.tree)
        }
    });
    let give_up = async {
        site.renderer.wait_until_asked(1).await;
        obsolete.make();
    };
    let (ended, ()) = tokio::join!(hangs, give_up);
    assert!(matches!(ended, Err(Stopped::Failed(failure)) if failure.message.contains("nobody needs it")));
}

#[tokio::test]
async fn what_nobody_waits_for_gives_way_to_a_write_and_is_rendered_after_it() {
    let site = Site::new();
    let (background, write) = (site.tree(&[("source", "1")]), site.tree(&[("source", "2")]));
    site.renderer.hold(true);
    let in_background = site.on_a_thread(move |rendering, repo, policy| {
        rendering.render_anew(repo, policy, background, Some(&Obsolete::default())).map(|made| made.tree)
    });
    let writes = async {
        site.renderer.wait_until_asked(1).await;
        let written = site.made(write);
        let go_on = async {
            site.renderer.wait_until_asked(2).await;
            site.renderer.wait_until_under_way(1).await;
            site.renderer.hold(false);
        };
        tokio::join!(written, go_on).0
    };
    let (in_background, written) = tokio::join!(in_background, writes);
    let in_background = in_background.unwrap_or_else(|_| panic!("it renders"));
    assert_eq!((site.copy(in_background).unwrap(), site.copy(written).unwrap()), (b"1".into(), b"2".into()));
    assert_eq!(site.renderer.asked(), 3);
}
