//! Common ancestors.

use cfgupdater_core::{CommitId, Error};

use super::ids;
use super::session::GixSession;
use crate::objects::failures;
use crate::objects::session::{Kind, Session};

impl GixSession {
    pub(super) fn common_ancestor(
        &self,
        one: &CommitId,
        other: &CommitId,
    ) -> Result<Option<CommitId>, Error> {
        let (one, other) = (one.object_id(), other.object_id());
        match self.repo.merge_base(ids::to_gix(one), ids::to_gix(other)) {
            Ok(base) => Ok(base.map(|base| CommitId::new(ids::from_gix(&base)))),
            Err(cause) if cause.is_not_found() => {
                Err(failures::history_not_found(self.path(), one, other).with_source(cause))
            }
            Err(cause) => Err(failures::unreadable(self.path(), one, Kind::Commit, cause)),
        }
    }
}
