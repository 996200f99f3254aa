//! The shape of history. libgit2 doesn't read the commit-graph that git writes, so commits tell it themselves.

use cfgupdater_core::{CommitId, Error};

use super::session::Git2Session;
use crate::objects::history::Node;
use crate::objects::operations;
use crate::objects::session::Nodes;

pub(super) struct Git2Nodes<'a>(pub(super) &'a Git2Session);

impl Nodes for Git2Nodes<'_> {
    fn node(&mut self, id: &CommitId) -> Result<Node, Error> {
        let commit = operations::commit(self.0, id)?;
        Ok(Node { date: commit.committed_at.as_seconds(), parents: commit.parents })
    }
}
