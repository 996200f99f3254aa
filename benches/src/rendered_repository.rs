//! Configuration repositories whose YAML is generated, of any size.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cfgupdater::core::{
    EntryKind, GitRepo, NewCommit, PathSet, RenderRequest, Renderer, Timestamp, TreeEdit, TreeId,
};
use cfgupdater_git_backend::GixRepo;
use cfgupdater_renderers::{
    CommandRenderer, CommandSettings, JsonnetEntry, JsonnetRenderer, JsonnetSettings,
};

use crate::Result;
use crate::announcements::Build;
use crate::config_repository::WAVES;
use crate::git::git;

const MAKEFILE: &str = "\
WAVES := staging internal production
WAVE ?= staging
.PHONY: introduce_images regenerate $(WAVES)
regenerate: $(WAVES)
$(WAVES):
\t@jsonnet --string --multi generated/$@ environments/$@.jsonnet > /dev/null
introduce_images:
\t@jsonnet --string --tla-code-file images=$(IMAGE_FILE) --multi images/$(WAVE) images.jsonnet > /dev/null
\t@$(MAKE) --no-print-directory regenerate
";

const IMAGES: &str = "\
local field(images, name) = std.manifestJsonEx(std.mapWithKey(function(_, image) image[name], images), '  ');
function(images) { 'tags.json': field(images, 'Tag'), 'digests.json': field(images, 'Digest') }
";

/// Makes a bare repository with this many generated files; returns its objects.
///
/// # Errors
/// Fails where git or the disk does.
pub async fn generate(directory: &Path, files: u32) -> Result<Arc<GixRepo>> {
    std::fs::create_dir_all(directory)?;
    git(directory, &["init", "--quiet", "--bare", "--template=", "--initial-branch=master", "."])?;
    let repo = Arc::new(GixRepo::open(directory)?);
    let mut edits = Vec::new();
    let mut put = |path: String, content: &[u8]| -> Result<()> {
        let id = *repo.write_blob(content)?.object_id();
        edits.push(TreeEdit::put(path.parse()?, EntryKind::File, id));
        Ok(())
    };
    put("Makefile".to_owned(), MAKEFILE.as_bytes())?;
    put("images.jsonnet".to_owned(), IMAGES.as_bytes())?;
    let (tags, digests) = Build(0).files()?;
    for wave in WAVES {
        put(format!("images/{wave}/tags.json"), &tags)?;
        put(format!("images/{wave}/digests.json"), &digests)?;
        put(format!("environments/{wave}.jsonnet"), entry(wave, files.div_ceil(3)).as_bytes())?;
    }
    let tree = repo.edit_tree(None, &edits)?;
    let tree = render(&*repo, &jsonnet(repo.clone())?, tree).await?;
    let commit = repo.write_commit(&NewCommit::new(
        tree,
        Vec::new(),
        ("Pat", "pat@example.com"),
        Timestamp::default(),
        "feat: the configuration".to_owned(),
    ))?;
    for branch in ["master", "auto"] {
        git(directory, &["update-ref", &format!("refs/heads/{branch}"), &commit.to_string()])?;
    }
    git(directory, &["repack", "--quiet", "-a", "-d"])?;
    Ok(repo)
}

/// Texts are put together with `+` alone: formatting and escaping are written in Jsonnet in Debian's interpreter, and so slow
/// that nothing else would be measured.
fn entry(wave: &str, files: u32) -> String {
    format!(
        "local digests = import '../images/{wave}/digests.json';\nlocal names = std.objectFields(digests);\n\
         local all = std.length(names);\n{{\n  [std.floor(i / 100) + '/' + i + '.yml']:\n    \
         'apiVersion: apps/v1\\nkind: Deployment\\nmetadata:\\n  name: service-' + i\n    \
         + '\\nspec:\\n  image: ' + digests[names[i % all]] + '\\n  replicas: ' + (1 + i % 5)\n  \
         for i in std.range(1, {files})\n}}\n"
    )
}

/// Which paths are generated.
///
/// # Errors
/// Never fails.
pub fn generated() -> Result<PathSet> {
    Ok(PathSet::new(vec!["generated/**".parse()?]))
}

/// Makes the tree that a build's images give, with its generated files.
///
/// # Errors
/// Fails where the renderer does.
pub async fn introduce(
    repo: &dyn GitRepo,
    renderer: &dyn Renderer,
    base: TreeId,
    build: Build,
) -> Result<TreeId> {
    let (tags, digests) = build.files()?;
    let edits = [
        TreeEdit::file("images/staging/tags.json".parse()?, repo.write_blob(&tags)?),
        TreeEdit::file("images/staging/digests.json".parse()?, repo.write_blob(&digests)?),
    ];
    render(repo, renderer, repo.edit_tree(Some(&base), &edits)?).await
}

async fn render(repo: &dyn GitRepo, renderer: &dyn Renderer, tree: TreeId) -> Result<TreeId> {
    let generated = generated()?;
    let rendered = renderer.render(&RenderRequest::new(tree, generated.clone())).await?;
    let (edits, findings) = rendered.within(&generated);
    if let Some(finding) = findings.first() {
        return Err(finding.clone().into());
    }
    Ok(if edits.is_empty() { tree } else { repo.edit_tree(Some(&tree), &edits)? })
}

/// Builds a renderer that runs make.
pub fn command(repo: Arc<dyn GitRepo>, scratch: PathBuf) -> CommandRenderer {
    let mut settings = CommandSettings::new(scratch);
    settings.time = std::time::Duration::from_mins(30);
    CommandRenderer::new(repo, settings)
}

/// Builds a renderer that evaluates Jsonnet in a worker of this program.
///
/// # Errors
/// Fails where this program can't be found.
pub fn jsonnet(repo: Arc<dyn GitRepo>) -> Result<JsonnetRenderer> {
    let program = std::env::current_exe()?.display().to_string();
    let mut entries = Vec::new();
    for wave in WAVES {
        entries.push(JsonnetEntry {
            file: format!("environments/{wave}.jsonnet").parse()?,
            directory: format!("generated/{wave}").parse()?,
        });
    }
    let mut settings = JsonnetSettings::new(vec![program, "jsonnet-worker".to_owned()], entries);
    settings.time = std::time::Duration::from_mins(30);
    settings.stack = 10_000;
    Ok(JsonnetRenderer::new(repo, settings))
}
