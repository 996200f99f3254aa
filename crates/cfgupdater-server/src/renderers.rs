//! Which renderer a repository of the configuration gets, and how many of them run at a time.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use cfgupdater::core::{
    CommitId, Error, Finding, GitRepo, RenderFailure, RenderFailureKind, RenderRequest, Rendered, Renderer,
    explain,
};
use cfgupdater_renderers::{
    CommandRenderer, CommandSettings, JsonnetEntry, JsonnetRenderer, JsonnetSettings,
};
use tokio::sync::Semaphore;

use crate::config::{Render, RenderKind, Repo, Server};

const MIB: u64 = 1024 * 1024;

/// How many repositories of a service render at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Slots(Arc<Semaphore>);

impl Slots {
    /// Builds as many as are configured, or one for each processor.
    pub(crate) fn of(server: &Server) -> Self {
        let processors = || std::thread::available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(
            server.max_renderings.map_or_else(processors, |most| most.get().into()),
        )))
    }

    /// Makes a renderer wait for a slot before it begins.
    pub(crate) fn share(&self, renderer: Arc<dyn Renderer>) -> Arc<dyn Renderer> {
        Arc::new(Shared { renderer, slots: self.clone() })
    }
}

/// A renderer that waits for its turn among those of a service.
#[derive(Debug)]
struct Shared {
    renderer: Arc<dyn Renderer>,
    slots: Slots,
}

#[async_trait]
impl Renderer for Shared {
    fn identity(&self) -> String {
        self.renderer.identity()
    }

    async fn render(&self, request: &RenderRequest) -> Result<Rendered, RenderFailure> {
        // It is never closed; and without a slot nobody would be kept from rendering.
        let _slot = self.slots.0.acquire().await;
        self.renderer.render(request).await
    }
}

/// Builds the renderer that a repository is configured with.
pub(crate) fn renderer(
    repo: &Repo,
    objects: Arc<dyn GitRepo>,
    scratch: PathBuf,
) -> Option<Arc<dyn Renderer>> {
    let render = repo.render.as_ref()?;
    match render.kind.get_ref() {
        RenderKind::None => None,
        RenderKind::Command => Some(Arc::new(CommandRenderer::new(objects, command(render, scratch)))),
        RenderKind::Jsonnet => Some(Arc::new(JsonnetRenderer::new(objects, jsonnet(render, repo)))),
    }
}

fn command(render: &Render, scratch: PathBuf) -> CommandSettings {
    let mut settings = CommandSettings::new(scratch);
    if let Some(command) = &render.command {
        settings.command.clone_from(command.get_ref());
    }
    for (given, entry) in [
        (&render.introduce, &mut settings.introduce),
        (&render.promote, &mut settings.promote),
        (&render.regenerate, &mut settings.regenerate),
    ] {
        if let Some(given) = given {
            entry.clone_from(given);
        }
    }
    settings.time = render.timeout.map_or(settings.time, |span| span.0);
    settings.output = render.max_output_mib.map_or(settings.output, |mib| mib * MIB);
    settings.disk = render.max_disk_mib.map_or(settings.disk, |mib| mib * MIB);
    settings.keeper = render.keeper.clone().unwrap_or_else(|| own("job-keeper"));
    settings.readable = render.readable.iter().map(|path| path.get_ref().clone()).collect();
    settings
}

fn jsonnet(render: &Render, repo: &Repo) -> JsonnetSettings {
    // Both were checked with the file.
    let entries = render.entries(repo).unwrap_or_default();
    let entries = entries.into_iter().map(|(file, directory)| JsonnetEntry { file, directory }).collect();
    let worker = render.worker.clone().unwrap_or_else(|| own("jsonnet-worker"));
    let mut settings = JsonnetSettings::new(worker, entries);
    settings.libraries = render.libraries().unwrap_or_default();
    settings.stack = render.max_stack.unwrap_or(settings.stack);
    settings.time = render.timeout.map_or(settings.time, |span| span.0);
    settings.output = render.max_output_mib.map_or(settings.output, |mib| mib * MIB);
    settings.memory = render.max_memory_mib.map_or(settings.memory, |mib| mib * MIB);
    settings
}

/// Returns the command that runs this very program in another role, also after its file was replaced by a newer one. A process
/// that is about to become it still is this program.
fn own(role: &str) -> Vec<String> {
    let program = if cfg!(target_os = "linux") {
        "/proc/self/exe".to_owned()
    } else {
        std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default()
    };
    vec![program, role.to_owned()]
}

/// Renders a commit and says what would not work.
pub(crate) async fn preflight(
    repo: &Repo,
    objects: Arc<dyn GitRepo>,
    tip: CommitId,
    scratch: PathBuf,
) -> Result<Vec<Finding>, Error> {
    let (Some(renderer), Some(render)) = (renderer(repo, Arc::clone(&objects), scratch), &repo.render) else {
        return Ok(Vec::new());
    };
    let mut findings = Vec::new();
    if *render.kind.get_ref() == RenderKind::Command && !cfgupdater_commands::confines() {
        let problem = "this kernel can't keep commands from writing elsewhere (no Landlock)";
        findings.push(Finding::warning(problem, "let the service run as a user who may write nothing else"));
    }
    let tree = objects.commit(&tip)?.tree;
    let generated = render.generated();
    match renderer.render(&RenderRequest::new(tree, generated.clone())).await {
        Ok(rendered) => {
            let (edits, strays) = rendered.within(&generated);
            if let Some(first) = edits.first() {
                let problem =
                    format!("{} generated files are not up to date, {} for one", edits.len(), first.path);
                findings.push(Finding::warning(problem, "render them and commit the result"));
            }
            let remedy = "declare them in repo.render.generated";
            findings.extend(strays.into_iter().map(|stray| Finding::warning(stray, remedy)));
        }
        Err(failure) if failure.kind == RenderFailureKind::Environment => {
            findings.push(Finding::fatal(explain(&failure), "provide what the renderer needs"));
        }
        Err(failure) => {
            let problem = format!("the stable branch can't be rendered: {failure}");
            findings.push(Finding::warning(problem, "mend it; until then everything waits"));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use cfgupdater::core::{ObjectFormat, PathSet};
    use cfgupdater_testkit::memory::git::MemoryRepo;

    use super::*;

    /// Tells how many of its kind run at once, at the most.
    #[derive(Debug, Default)]
    struct Crowd {
        inside: AtomicUsize,
        most: AtomicUsize,
    }

    #[async_trait]
    impl Renderer for Crowd {
        fn identity(&self) -> String {
            String::new()
        }

        async fn render(&self, _: &RenderRequest) -> Result<Rendered, RenderFailure> {
            let inside = self.inside.fetch_add(1, Ordering::Relaxed) + 1;
            self.most.fetch_max(inside, Ordering::Relaxed);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            self.inside.fetch_sub(1, Ordering::Relaxed);
            Ok(Rendered::default())
        }
    }

    #[tokio::test]
    async fn repositories_wait_for_each_other_where_there_are_more_of_them_than_slots() {
        let config = crate::Config::parse("[server]\nmax_renderings = 2\n", "c.toml");
        assert!(config.unwrap_err().to_string().contains("no [[repo]]"), "the key is known");
        let slots = Slots(Arc::new(Semaphore::new(2)));
        let crowd = Arc::new(Crowd::default());
        let tree = MemoryRepo::new(ObjectFormat::Sha1).edit_tree(None, &[]).unwrap();
        let mut renderings = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let renderer = slots.share(crowd.clone());
            renderings.spawn(async move {
                renderer.render(&RenderRequest::new(tree, PathSet::default())).await.unwrap();
            });
        }
        renderings.join_all().await;
        assert_eq!(crowd.most.load(Ordering::Relaxed), 2);
    }
}
