//! Where images are written, and what makes the generated files, as the configuration says it.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use cfgupdater::core::{
    DEFAULT_PATH, Form, InvalidPath, Layout, PathPattern, PathSet, RepoPath, ServiceName,
};
use serde::Deserialize;
use toml::Spanned;

use super::duration::Span;
use super::error::Mistake;
use super::file::{ImageSet, Repo};

/// `[repo.render]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Render {
    pub(crate) kind: Spanned<RenderKind>,
    /// The paths that are made: `generated/**` unless it is set.
    pub(crate) generated: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(crate) verify: bool,
    pub(crate) timeout: Option<Span>,
    pub(crate) max_output_mib: Option<u64>,
    pub(crate) max_disk_mib: Option<u64>,
    pub(crate) max_memory_mib: Option<u64>,
    /// What entry points are given to.
    pub(crate) command: Option<Spanned<Vec<String>>>,
    pub(crate) introduce: Option<String>,
    pub(crate) promote: Option<String>,
    pub(crate) regenerate: Option<String>,
    /// What commands may read besides.
    #[serde(default)]
    pub(crate) readable: Vec<Spanned<PathBuf>>,
    /// Entry files of Jsonnet.
    #[serde(default)]
    pub(crate) entry: Vec<Spanned<Entry>>,
    #[serde(default)]
    pub(crate) library_paths: Vec<Spanned<String>>,
    pub(crate) max_stack: Option<usize>,
    /// The program that evaluates Jsonnet: this one unless it is set.
    pub(crate) worker: Option<Vec<String>>,
    /// The program that keeps commands: this one unless it is set.
    pub(crate) keeper: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RenderKind {
    None,
    Command,
    Jsonnet,
}

/// An entry file and where what it makes goes; `{wave}` in both stands for each wave.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) file: String,
    pub(crate) directory: String,
}

/// The form of a set's image definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum LayoutKind {
    #[default]
    Json,
    Kustomize,
    Helm,
}

impl ImageSet {
    /// Builds the layout.
    pub(crate) fn layout(&self) -> Result<Layout, InvalidPath> {
        let (form, default) = match self.layout {
            LayoutKind::Json => (Form::Json, DEFAULT_PATH),
            LayoutKind::Kustomize => {
                (Form::Kustomize(self.services.clone()), "overlays/{wave}/kustomization.yaml")
            }
            LayoutKind::Helm => (Form::Helm(self.services.clone()), "values/{wave}.yaml"),
        };
        Layout::of(form, self.path.as_ref().map_or(default, |path| path.get_ref()))
    }
}

/// The services of a set, by the names or paths that files have for them.
pub(crate) type Services = BTreeMap<ServiceName, String>;

impl Render {
    /// Returns the paths that are made.
    pub(crate) fn generated(&self) -> PathSet {
        PathSet::new(self.patterns().filter_map(|(pattern, _)| pattern.parse().ok()).collect())
    }

    fn patterns(&self) -> impl Iterator<Item = (&str, Option<Range<usize>>)> {
        let given = self.generated.as_deref();
        let default = given.is_none().then_some(("generated/**", None));
        let given = given.unwrap_or_default().iter();
        default.into_iter().chain(given.map(|text| (text.get_ref().as_str(), Some(text.span()))))
    }

    /// Returns the entries, one for each wave where they name it.
    pub(crate) fn entries(&self, repo: &Repo) -> Result<Vec<(RepoPath, RepoPath)>, Mistake> {
        let mut entries: Vec<(RepoPath, RepoPath)> = Vec::new();
        for entry in &self.entry {
            let Entry { file, directory } = entry.get_ref();
            let waves: Vec<&str> = if file.contains("{wave}") || directory.contains("{wave}") {
                repo.wave.iter().map(|wave| wave.name.get_ref().as_str()).collect()
            } else {
                vec![""]
            };
            for wave in waves {
                let path = |text: &str| {
                    text.replace("{wave}", wave)
                        .parse::<RepoPath>()
                        .map_err(|error| Mistake { place: Some(entry.span()), message: error.to_string() })
                };
                let (file, directory) = (path(file)?, path(directory)?);
                if !self.generated().may_hold_below(directory.as_str()) {
                    let message = format!(
                        "{directory} is under no generated path, so nothing that {file} makes would be taken; add it to \
                         `generated`"
                    );
                    return Err(Mistake { place: Some(entry.span()), message });
                }
                // What an entry no longer makes is removed from its directory.
                if let Some((other, _)) = entries.iter().find(|(_, taken)| overlap(taken, &directory)) {
                    let message = format!(
                        "{file} and {other} would remove each other's files from {directory}: give each entry a directory \
                         of its own, none inside another"
                    );
                    return Err(Mistake { place: Some(entry.span()), message });
                }
                entries.push((file, directory));
            }
        }
        Ok(entries)
    }

    /// Returns the libraries.
    pub(crate) fn libraries(&self) -> Result<Vec<RepoPath>, Mistake> {
        let parse = |text: &Spanned<String>| {
            text.get_ref().parse().map_err(|error: InvalidPath| Mistake {
                place: Some(text.span()),
                message: error.to_string(),
            })
        };
        self.library_paths.iter().map(parse).collect()
    }
}

/// Tells whether one directory is the other, or holds it.
fn overlap(one: &RepoPath, other: &RepoPath) -> bool {
    let holds = |outer: &RepoPath, inner: &RepoPath| {
        inner
            .as_str()
            .strip_prefix(outer.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    holds(one, other) || holds(other, one)
}

/// Finds the mistakes of a repository's image definitions and renderer.
pub(crate) fn mistakes(repo: &Repo) -> Vec<Mistake> {
    let mut found = Vec::new();
    let mut say = |place, message: String| found.push(Mistake { place, message });
    for set in &repo.image_set {
        let place = || set.path.as_ref().map_or_else(|| set.name.span(), Spanned::span);
        match set.layout() {
            Err(error) => say(Some(place()), error.to_string()),
            Ok(layout) => {
                let generated = repo.render.as_ref().map(Render::generated).unwrap_or_default();
                let waves = repo.wave.iter().flat_map(|wave| layout.files(wave.name.get_ref()));
                if let Some(file) = waves.into_iter().find(|file| generated.contains(file.as_str())) {
                    let message =
                        format!("{file} holds images and can't be generated too; keep it elsewhere");
                    say(Some(place()), message);
                }
            }
        }
        if set.layout == LayoutKind::Helm && set.services.is_empty() {
            let message = "layout = \"helm\" needs `services`: for each service the keys that lead to its image, \
                           such as { web = \"web.image\" }";
            say(Some(set.name.span()), message.to_owned());
        }
        if set.layout == LayoutKind::Json && !set.services.is_empty() {
            let message = "`services` are for layout = \"kustomize\" and \"helm\"; remove them".to_owned();
            say(Some(set.name.span()), message);
        }
    }
    if let Some(render) = &repo.render {
        let kind = render.kind.get_ref();
        for (pattern, place) in render.patterns() {
            if let Err(error) = pattern.parse::<PathPattern>() {
                say(place, error.to_string());
            }
        }
        if *kind == RenderKind::Jsonnet && render.entry.is_empty() {
            let message =
                "kind = \"jsonnet\" needs [[repo.render.entry]] with `file` and `directory`".to_owned();
            say(Some(render.kind.span()), message);
        }
        if render.command.as_ref().is_some_and(|command| command.get_ref().is_empty()) {
            say(render.command.as_ref().map(Spanned::span), "command must name a program".to_owned());
        }
        if let Some(path) = render.readable.iter().find(|path| !path.get_ref().is_absolute()) {
            let message = format!("{} must be an absolute path", path.get_ref().display());
            say(Some(path.span()), message);
        }
        found.extend(render.entries(repo).err());
        found.extend(render.libraries().err());
    }
    found
}
