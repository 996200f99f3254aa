//! The shape of history, from the commit-graph file where there is one.

use cfgupdater_core::{CommitId, Error};

use super::ids;
use super::session::GixSession;
use crate::objects::failures;
use crate::objects::history::Node;
use crate::objects::session::{Kind, Nodes, Session};

pub(super) struct GixNodes<'a> {
    session: &'a GixSession,
    graph: gix::revwalk::Graph<'a, 'a, ()>,
}

impl<'a> GixNodes<'a> {
    pub(super) fn new(session: &'a GixSession) -> Self {
        Self { session, graph: session.repo.revision_graph(session.commit_graph()) }
    }
}

impl Nodes for GixNodes<'_> {
    fn node(&mut self, id: &CommitId) -> Result<Node, Error> {
        let path = self.session.path();
        let broken = |cause| failures::unreadable(path, id.object_id(), Kind::Commit, cause);
        let Some(commit) = self.graph.try_lookup(&ids::to_gix(id.object_id())).map_err(broken)? else {
            return Err(failures::not_found(path, &format!("there is no commit {id}")));
        };
        let parents = commit.iter_parents().collect::<Result<Vec<_>, _>>().map_err(broken)?;
        let parents = parents.iter().map(|parent| CommitId::new(ids::from_gix(parent))).collect();
        Ok(Node { date: commit.committer_timestamp().unwrap_or(0), parents })
    }
}
