//! [`GixSession`]: single objects and references, by gix.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use cfgupdater_core::{CommitId, Error, ObjectFormat, ObjectId, RefName};
use gix::objs::{Find, Write};

use super::ids;
use super::nodes::GixNodes;
use crate::objects::failures;
use crate::objects::session::{Kind, Nodes, Session};

/// How often an object is written before that counts as failed: `git gc` removes directories that it finds empty, also one
/// that was made for this object just now.
const ATTEMPTS: u32 = 5;

/// A handle for one operation. It is not shared between threads; [`Database`](super::database::Database) is.
pub(crate) struct GixSession {
    pub(crate) repo: gix::Repository,
    path: PathBuf,
    format: ObjectFormat,
    commit_graph: OnceCell<Option<gix::commitgraph::Graph>>,
}

impl GixSession {
    pub(crate) fn new(path: &Path, format: ObjectFormat, repo: gix::Repository) -> Self {
        Self { repo, path: path.to_owned(), format, commit_graph: OnceCell::new() }
    }

    /// Returns the commit-graph. It only saves time: without a readable one the commits themselves tell the same.
    pub(super) fn commit_graph(&self) -> Option<&gix::commitgraph::Graph> {
        self.commit_graph.get_or_init(|| self.repo.commit_graph_if_enabled().ok().flatten()).as_ref()
    }
}

impl Session for GixSession {
    fn path(&self) -> &Path {
        &self.path
    }

    fn format(&self) -> ObjectFormat {
        self.format
    }

    fn read(&self, id: &ObjectId, kind: Kind) -> Result<Vec<u8>, Error> {
        self.require_format(id)?;
        let gix_id = ids::to_gix(id);
        if gix_id.is_empty_tree() && kind == Kind::Tree {
            return Ok(Vec::new());
        }
        let mut buffer = Vec::new();
        let mut look = || {
            let found = self.repo.objects.try_find(&gix_id, &mut buffer);
            let found = found.map_err(|cause| failures::unreadable(&self.path, id, kind, cause))?;
            Ok::<_, Error>(found.map(|object| object.kind))
        };
        // What `git gc` packed after the packs were looked through is no loose object any more.
        let mut found = look()?;
        if found.is_none() {
            found = look()?;
        }
        match found {
            Some(found) if found == ids::kind_of(kind) => Ok(buffer),
            Some(found) => Err(failures::not_found(&self.path, &format!("{id} is a {found}, not a {kind}"))),
            None => Err(failures::not_found(&self.path, &format!("there is no {kind} {id}"))),
        }
    }

    /// Writes a loose object even if a pack has it: asking first would cost a rescan for every new object, and a fresh
    /// file is safe from a concurrent expiry of old unreachable objects.
    fn write(&self, kind: Kind, content: &[u8]) -> Result<ObjectId, Error> {
        let mut attempts = 1;
        loop {
            match self.repo.objects.write_buf(ids::kind_of(kind), content) {
                Ok(id) => return Ok(ids::from_gix(&id)),
                Err(cause) if attempts < ATTEMPTS && is_gone(&cause) => attempts += 1,
                Err(cause) => return Err(failures::unwritable(&self.path, kind, cause)),
            }
        }
    }

    fn resolve(&self, name: &RefName) -> Result<Option<CommitId>, Error> {
        let unreadable = |cause: gix::Error| failures::unreadable_reference(&self.path, name, cause);
        let Some(mut found) = self.repo.try_find_reference(name.as_str()).map_err(unreadable)? else {
            return Ok(None);
        };
        if found.name().as_bstr() != name.as_str() {
            return Ok(None);
        }
        if let gix::refs::TargetRef::Symbolic(target) = found.target() {
            let is_unborn = self.repo.try_find_reference(target).map_err(unreadable)?.is_none();
            if is_unborn {
                return Ok(None);
            }
        }
        let id = found.peel_to_id().map_err(unreadable)?;
        Ok(Some(CommitId::new(ids::from_gix(&id))))
    }

    fn set_reference(&self, name: &RefName, commit: &CommitId) -> Result<(), Error> {
        self.require_format(commit.object_id())?;
        let any = gix::refs::transaction::PreviousValue::Any;
        let id = ids::to_gix(commit.object_id());
        let written = self.repo.reference(name.as_str(), id, any, "pushed");
        written.map(|_| ()).map_err(|cause| failures::unwritable_reference(&self.path, name, cause))
    }

    fn merge_base(&self, one: &CommitId, other: &CommitId) -> Result<Option<CommitId>, Error> {
        self.common_ancestor(one, other)
    }

    fn nodes(&self) -> impl Nodes + '_ {
        GixNodes::new(self)
    }
}

/// Tells whether something that should be there was not, by the cause of causes.
fn is_gone(error: &(dyn std::error::Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let mut reasons = causes.filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    reasons.any(|reason| reason.kind() == std::io::ErrorKind::NotFound)
}
