//! A repository of this test's own, and what rendering makes of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use cfgupdater_core::{
    BlobId, GitRepo, PathSet, RenderFailure, RenderRequest, Rendered, Renderer, TreeEdit, TreeId,
};
use cfgupdater_git_backend::GixRepo;
use cfgupdater_renderers::{CommandRenderer, CommandSettings};
use tempfile::TempDir;

pub(crate) struct Site {
    pub(crate) place: TempDir,
    pub(crate) repo: Arc<GixRepo>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let directory = place.path().join("repo.git");
        let made = Command::new("git").args(["init", "--quiet", "--bare"]).arg(&directory).status().unwrap();
        assert!(made.success());
        Self { repo: Arc::new(GixRepo::open(&directory).unwrap()), place }
    }

    /// Writes a tree of files.
    pub(crate) fn tree(&self, files: &[(&str, &str)]) -> TreeId {
        self.edited(None, files)
    }

    pub(crate) fn edited(&self, base: Option<&TreeId>, files: &[(&str, &str)]) -> TreeId {
        let edit = |(path, content): &(&str, &str)| {
            TreeEdit::file(path.parse().unwrap(), self.repo.write_blob(content.as_bytes()).unwrap())
        };
        self.repo.edit_tree(base, &files.iter().map(edit).collect::<Vec<_>>()).unwrap()
    }

    /// Returns every file of a tree.
    pub(crate) fn files(&self, tree: &TreeId) -> BTreeMap<String, String> {
        let file = |change: cfgupdater_core::TreeChange| {
            let content = self.repo.blob(&BlobId::new(change.new.unwrap().1)).unwrap();
            (String::from_utf8(change.path).unwrap(), String::from_utf8(content).unwrap())
        };
        self.repo.diff(None, tree).unwrap().into_iter().map(file).collect()
    }

    pub(crate) fn scratch(&self) -> std::path::PathBuf {
        self.place.path().join("scratch")
    }

    /// A renderer that runs a shell script of the tree: `sh render.sh ENTRY …`.
    pub(crate) fn renderer(&self, change: impl FnOnce(&mut CommandSettings)) -> CommandRenderer {
        let mut settings = CommandSettings::new(self.scratch());
        settings.command = ["sh", "render.sh"].map(str::to_owned).into();
        change(&mut settings);
        CommandRenderer::new(self.repo.clone(), settings)
    }

    /// Lists what lies in the renderer's directory, by path.
    pub(crate) fn laid_out(&self) -> Vec<String> {
        let mut found = Vec::new();
        let files = self.scratch().join("files");
        for directory in std::fs::read_dir(&files).unwrap() {
            let root = directory.unwrap().path();
            list(&root, &root, &mut found);
        }
        found.sort();
        found
    }
}

fn list(root: &Path, directory: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.symlink_metadata().unwrap().is_dir() {
            list(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}

pub(crate) fn generated() -> PathSet {
    PathSet::new(vec!["generated/**".parse().unwrap()])
}

pub(crate) async fn render(renderer: &dyn Renderer, tree: TreeId) -> Result<Rendered, RenderFailure> {
    renderer.render(&RenderRequest::new(tree, generated())).await
}
