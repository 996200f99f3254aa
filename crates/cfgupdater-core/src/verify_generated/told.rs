//! What the service's own check says of a commit, to plans and to people.

use crate::check::{CheckRun, CheckState};
use crate::object_id::CommitId;
use crate::reason::{Code, Reason};
use crate::timestamp::Timestamp;

use super::{GENERATED_CHECK, Said, Verification};

impl Verification {
    /// Returns the check's run on a commit.
    pub fn run_on(&self, commit: &CommitId, now: Timestamp) -> CheckRun {
        let state = match self.said(commit) {
            // Whatever is found there, people put it there.
            _ if self.stable == Some(*commit) => CheckState::Success,
            Some(Said::UpToDate) => CheckState::Success,
            Some(Said::Wrong(_)) => CheckState::Failure,
            Some(Said::Waits(text, _)) => CheckState::Infrastructure(text.clone()),
            Some(Said::Open(_) | Said::Suspect(_)) | None => CheckState::Running,
        };
        let is_decided = matches!(state, CheckState::Success | CheckState::Failure);
        let mut run = CheckRun::new(GENERATED_CHECK, 1, state);
        run.summary = self.finding(commit).map(|finding| finding.text);
        // It was told just now, so that no limit of time ever evicts a commit whose rendering says nothing of it.
        run.at = (!is_decided).then_some(now);
        run
    }

    /// Says what people should know: what is wrong, and why what isn't known isn't.
    pub fn findings(&self) -> Vec<Reason> {
        self.commits().filter_map(|commit| self.finding(&commit)).collect()
    }

    fn finding(&self, commit: &CommitId) -> Option<Reason> {
        let (text, until) = match self.said(commit)? {
            Said::UpToDate => return None,
            Said::Open(None) => (
                "its generated files are being rendered, to see whether they are up to date".to_owned(),
                None,
            ),
            Said::Open(Some(before)) => (format!("{before}; it is being tried again"), None),
            Said::Suspect(text) => (format!("{text}; stable is rendered, to tell whose fault it is"), None),
            Said::Wrong(text) => (text.clone(), None),
            Said::Waits(text, until) => (format!("{text}; it is tried again later"), Some(*until)),
        };
        let reason = Reason::new(Code::Rendering, format!("commit {}", commit.short(10)), text);
        Some(match until {
            Some(at) => reason.until(at),
            None => reason,
        })
    }
}
