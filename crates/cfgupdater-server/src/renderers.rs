//! Which renderer a repository of the configuration gets.

use std::path::PathBuf;
use std::sync::Arc;

use cfgupdater::core::{
    CommitId, Error, Finding, GitRepo, RenderFailureKind, RenderRequest, Renderer, explain,
};
use cfgupdater_renderers::{
    CommandRenderer, CommandSettings, JsonnetEntry, JsonnetRenderer, JsonnetSettings,
};

use crate::config::{Render, RenderKind, Repo};

const MIB: u64 = 1024 * 1024;

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
    settings
}

fn jsonnet(render: &Render, repo: &Repo) -> JsonnetSettings {
    // Both were checked with the file.
    let entries = render.entries(repo).unwrap_or_default();
    let entries = entries.into_iter().map(|(file, directory)| JsonnetEntry { file, directory }).collect();
    let worker = render.worker.clone().unwrap_or_else(own_worker);
    let mut settings = JsonnetSettings::new(worker, entries);
    settings.libraries = render.libraries().unwrap_or_default();
    settings.stack = render.max_stack.unwrap_or(settings.stack);
    settings.time = render.timeout.map_or(settings.time, |span| span.0);
    settings.output = render.max_output_mib.map_or(settings.output, |mib| mib * MIB);
    settings.memory = render.max_memory_mib.map_or(settings.memory, |mib| mib * MIB);
    settings
}

/// Returns the command that runs this very program as a worker, also after its file was replaced by a newer one.
fn own_worker() -> Vec<String> {
    let program = if cfg!(target_os = "linux") {
        format!("/proc/{}/exe", std::process::id())
    } else {
        std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default()
    };
    vec![program, "jsonnet-worker".to_owned()]
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
