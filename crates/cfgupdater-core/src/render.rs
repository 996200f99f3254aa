//! [`Renderer`]: makes the generated files of a tree, and what a failure of it means.

use std::fmt;

use async_trait::async_trait;

use crate::git_repo::TreeEdit;
use crate::intent::Intent;
use crate::object_id::TreeId;
use crate::path_set::PathSet;

/// Makes the generated files of a tree.
///
/// # Contract
/// What is generated depends on the tree alone, the files that are generated themselves aside: the same tree gives the
/// same files, whichever intent led to it and on whichever replica. Results are remembered by that, together with
/// [`Renderer::identity`]. A call ends within limits of its own, leaves nothing running and changes no reference.
#[async_trait]
pub trait Renderer: fmt::Debug + Send + Sync {
    /// Names the renderer with everything in its settings that may change what it makes.
    fn identity(&self) -> String;

    /// Renders a tree.
    ///
    /// # Errors
    /// Says what happened and whose fault it may be.
    async fn render(&self, request: &RenderRequest) -> Result<Rendered, RenderFailure>;
}

/// What is to be rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderRequest {
    /// The tree, into which the intent's images are written already.
    pub tree: TreeId,
    /// The intent that led to it; `None` where a tree is rendered as it stands.
    pub intent: Option<Intent>,
    /// The paths that may be generated.
    pub generated: PathSet,
}

impl RenderRequest {
    /// Asks for a tree to be rendered as it stands.
    pub fn new(tree: TreeId, generated: PathSet) -> Self {
        Self { tree, intent: None, generated }
    }

    /// Says which intent led to the tree.
    #[must_use]
    pub fn for_intent(mut self, intent: Intent) -> Self {
        self.intent = Some(intent);
        self
    }
}

/// What a renderer made of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Rendered {
    /// How the tree changes. Those outside the generated paths are not taken, but reported.
    pub edits: Vec<TreeEdit>,
    /// What people should know of.
    pub findings: Vec<String>,
}

impl Rendered {
    /// Builds a result.
    pub fn new(edits: Vec<TreeEdit>) -> Self {
        Self { edits, findings: Vec::new() }
    }

    /// Adds what people should know of.
    #[must_use]
    pub fn with_findings(mut self, findings: Vec<String>) -> Self {
        self.findings.extend(findings);
        self
    }

    /// Takes back what may be generated; the rest is returned as findings.
    pub fn within(self, generated: &PathSet) -> (Vec<TreeEdit>, Vec<String>) {
        let (kept, strays): (Vec<_>, Vec<_>) =
            self.edits.into_iter().partition(|edit| generated.contains(edit.path.as_str()));
        let strays: Vec<String> = strays.into_iter().map(|edit| edit.path.to_string()).collect();
        (kept, Self { findings: self.findings, ..Self::default() }.with_strays(&strays).findings)
    }

    /// Reports paths that rendering changed and nobody takes.
    #[must_use]
    pub fn with_strays(self, strays: &[String]) -> Self {
        let Some((first, others)) = strays.split_first() else { return self };
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        self.with_findings(vec![format!(
            "rendering also changed {first}{more}, which was not taken: declare it as generated, or keep the renderer from it"
        )])
    }
}

/// Why a tree could not be rendered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct RenderFailure {
    /// What kind of failure it is.
    pub kind: RenderFailureKind,
    /// What happened, to what, and what to do next; with the end of the output where there is one.
    pub message: String,
}

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RenderFailureKind {
    /// What the tree holds can't be rendered: the renderer said no.
    Tree,
    /// A limit of time, output or disk was reached.
    Limit,
    /// What it made is not taken: it removed every generated file, or made links.
    Refused,
    /// The place where it runs is at fault, never what is rendered: a missing program, a full disk.
    Environment,
}

impl RenderFailure {
    /// Builds a failure.
    pub fn new(kind: RenderFailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }
}

/// Who is to blame for a tree that could not be rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Culprit {
    /// The intent: without it the tree renders.
    Intent,
    /// Not the intent: everything waits until a person acts.
    Others,
    /// Nobody yet: rendering goes on, and takes longer than other work should wait.
    Nobody,
}

/// Finds the culprit: an intent is blamed only if what it was applied to renders, and never for the place where the
/// renderer runs.
pub fn culprit(failure: &RenderFailure, base: Result<(), &RenderFailure>) -> Culprit {
    match failure.kind {
        RenderFailureKind::Environment => Culprit::Others,
        _ if base.is_err() => Culprit::Others,
        _ => Culprit::Intent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_is_blamed_only_if_its_base_renders() {
        use RenderFailureKind::{Environment, Limit, Refused, Tree};
        for kind in [Tree, Limit, Refused] {
            let failure = RenderFailure::new(kind, "no");
            assert_eq!(culprit(&failure, Ok(())), Culprit::Intent);
            assert_eq!(culprit(&failure, Err(&failure)), Culprit::Others);
        }
        assert_eq!(culprit(&RenderFailure::new(Environment, "no make"), Ok(())), Culprit::Others);
    }

    #[test]
    fn only_generated_paths_are_taken_back() {
        let generated = PathSet::new(vec!["generated/**".parse().unwrap()]);
        let remove = |path: &str| TreeEdit::remove(path.parse().unwrap());
        let rendered = Rendered::new(vec![remove("generated/a"), remove("Makefile"), remove("x")]);
        let (kept, findings) = rendered.within(&generated);
        assert_eq!(kept, [remove("generated/a")]);
        assert!(findings[0].starts_with("rendering also changed Makefile and 1 more"), "{findings:?}");
    }
}
