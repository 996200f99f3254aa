//! Why what waits waits.

use crate::check::CheckState;
use crate::object_id::CommitId;
use crate::reason::{Code, Reason};
use crate::verdict::{Verdict, by_check};

use super::Draft;

impl Draft<'_> {
    pub(super) fn explain_the_chain(&mut self) {
        self.why.extend(self.projection.queued.iter().map(|(_, reason)| reason.clone()));
        let windows = self.projection.queued.iter().filter_map(|(_, reason)| reason.until).min();
        self.look_again_at(windows);
        if self.snapshot.required.checks.is_empty() && !self.snapshot.required.allow_empty {
            let text =
                "no check is required, so nothing lands; name the required checks in the configuration";
            self.why.push(Reason::new(Code::NoRequiredChecks, "stable", text));
        }
        for (commit, verdict) in self.snapshot.chain.iter().zip(&self.verdicts) {
            let subject = format!("commit {}", commit.id.short(10));
            match (commit.intent, verdict) {
                (None, _) => {
                    let text = format!("`{}` on auto is not one of ours and is parked", commit.subject);
                    self.why.push(Reason::new(Code::Foreign, subject, text));
                }
                (Some(_), Verdict::Pending | Verdict::Missing) => {
                    let text =
                        format!("`{}` waits for {}", commit.subject, self.undecided_checks(&commit.id));
                    self.why.push(Reason::new(Code::Checks, subject, text));
                }
                (Some(_), Verdict::Green | Verdict::Red) => {}
            }
        }
    }

    fn undecided_checks(&self, commit: &CommitId) -> String {
        let waiting =
            by_check(&self.snapshot.required, self.runs(commit)).filter(|c| c.verdict != Verdict::Green);
        let said = waiting.map(|said| match said.run.map(|run| &run.state) {
            None => format!("check {} (not started)", said.check),
            Some(CheckState::Infrastructure(how)) => {
                format!("check {} (ended without a result: {how})", said.check)
            }
            Some(_) => format!("check {} (running)", said.check),
        });
        said.collect::<Vec<_>>().join(", ")
    }
}
