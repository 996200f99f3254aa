//! CI: what it says of each commit, attempt by attempt.

use std::sync::Arc;

use cfgupdater_core::{CheckRun, CheckState, RequiredChecks, Timestamp};

use super::node::{Node, mix};

/// The source whose word counts where one is configured.
pub const TRUSTED: &str = "bot";

/// What CI or somebody who meddles with it does to a commit's checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CiMove {
    /// Ends what runs, truthfully.
    Finish,
    /// Ends what runs with the opposite of the truth.
    Lie,
    /// Starts another attempt.
    Rerun,
    /// Reports another attempt that contradicts the last one.
    Flip,
    /// Cancels what runs.
    Cancel,
    /// Ends what runs with a conclusion nobody knows.
    Unknown,
    /// Reports success under a required name from a source that isn't the trusted one.
    Impostor,
    /// Reports under a required name in another series.
    OtherSeries {
        /// Whether it passes.
        passes: bool,
    },
    /// Reports the last result once more.
    Repeat,
}

/// All that CI ever said.
#[derive(Debug, Clone)]
pub struct Ci {
    seed: u64,
    names: Vec<String>,
    /// A share of commits, one in this many, whose checks never start; 0 for none.
    stuck: u64,
    runs: Vec<Option<Arc<[CheckRun]>>>,
    /// How often anything was said, by anybody.
    pub results: u32,
    unfinished: Vec<Node>,
}

impl Ci {
    /// Builds a CI that runs the required checks.
    pub fn new(seed: u64, required: &RequiredChecks, stuck: u64) -> Self {
        let names = required.checks.iter().map(|check| check.name.clone()).collect();
        Self { seed, names, stuck, runs: Vec::new(), results: 0, unfinished: Vec::new() }
    }

    /// Returns all attempts on a commit.
    pub fn runs(&self, node: Node) -> &[CheckRun] {
        self.reported(node).map_or(&[], |runs| runs)
    }

    /// Returns all attempts on a commit as they are shared with readers, `None` where there is none.
    pub(super) fn reported(&self, node: Node) -> Option<&Arc<[CheckRun]>> {
        self.runs.get(node.index())?.as_ref()
    }

    /// Takes notice of a pushed tip: its checks start, unless this is one of those where they never do.
    pub fn start(&mut self, node: Node, now: Timestamp) {
        let stuck = self.stuck != 0 && mix(self.seed ^ node.index() as u64).is_multiple_of(self.stuck);
        if self.runs(node).is_empty() && !stuck {
            for index in 0..self.names.len() {
                let run = self.run(index, 1, CheckState::Queued, now);
                self.push(node, run);
            }
            self.unfinished.push(node);
        }
    }

    /// Does what a schedule asks for. `good` is the truth about the commit.
    pub fn act(&mut self, node: Node, what: CiMove, good: bool, now: Timestamp) {
        let truth = if good { CheckState::Success } else { CheckState::Failure };
        let lie = if good { CheckState::Failure } else { CheckState::Success };
        match what {
            CiMove::Finish => self.finish(node, &truth, now),
            CiMove::Lie => self.finish(node, &lie, now),
            CiMove::Cancel => self.finish(node, &CheckState::Infrastructure("cancelled".to_owned()), now),
            CiMove::Unknown => self.finish(node, &CheckState::Unknown("neutral?".to_owned()), now),
            CiMove::Rerun => {
                self.again(node, now, |_| CheckState::Queued);
                self.unfinished.push(node);
            }
            CiMove::Flip => self.again(node, now, |last| match last {
                CheckState::Success => CheckState::Failure,
                _ => CheckState::Success,
            }),
            CiMove::Impostor => {
                let mut run = self.run(0, 9, CheckState::Success, now);
                run.source = Some("somebody".to_owned());
                self.push(node, run);
            }
            CiMove::OtherSeries { passes } => {
                let state = if passes { CheckState::Success } else { CheckState::Failure };
                let mut run = self.run(0, 1, state, now);
                "status".clone_into(&mut run.series);
                self.push(node, run);
            }
            CiMove::Repeat => {
                if let Some(last) = self.runs(node).last().cloned() {
                    self.push(node, last);
                }
            }
        }
    }

    /// Ends everything that began at least as long ago as its commit takes.
    pub fn pass(&mut self, now: Timestamp, good: impl Fn(Node) -> bool) {
        let due = |ci: &Self, node: Node| {
            let minutes = mix(ci.seed ^ node.index() as u64 ^ 0xd0) % 14 + 1;
            let begun =
                ci.runs(node).iter().rev().find(|run| !run.state.is_finished()).and_then(|run| run.at);
            begun.is_some_and(|at| now.since(at).as_secs() >= minutes * 60)
        };
        for node in self.unfinished.clone() {
            if due(self, node) {
                let state = if good(node) { CheckState::Success } else { CheckState::Failure };
                self.finish(node, &state, now);
            }
        }
    }

    /// Cancels what still runs on a commit that its branch left.
    pub fn cancel(&mut self, node: Node, now: Timestamp) {
        self.finish(node, &CheckState::Infrastructure("superseded".to_owned()), now);
    }

    fn finish(&mut self, node: Node, state: &CheckState, now: Timestamp) {
        self.unfinished.retain(|running| *running != node);
        let Some(Some(runs)) = self.runs.get_mut(node.index()) else { return };
        for run in Arc::make_mut(runs).iter_mut().filter(|run| !run.state.is_finished()) {
            run.state = state.clone();
            run.at = Some(now);
            self.results += 1;
        }
    }

    /// Reports a further attempt of every check, with a state that may follow from the last one.
    fn again(&mut self, node: Node, now: Timestamp, next: impl Fn(&CheckState) -> CheckState) {
        for index in 0..self.names.len() {
            let ours = |run: &&CheckRun| {
                run.name == self.names[index]
                    && run.series.is_empty()
                    && run.source.as_deref() == Some(TRUSTED)
            };
            let last = self.runs(node).iter().filter(ours).max_by_key(|run| run.attempt);
            let (attempt, state) =
                last.map_or((1, next(&CheckState::Queued)), |run| (run.attempt + 1, next(&run.state)));
            let run = self.run(index, attempt, state, now);
            self.push(node, run);
        }
    }

    fn run(&self, index: usize, attempt: u64, state: CheckState, now: Timestamp) -> CheckRun {
        let name = self.names.get(index).map_or("ci", String::as_str);
        let mut run = CheckRun::new(name, attempt, state);
        run.source = Some(TRUSTED.to_owned());
        run.at = Some(now);
        run
    }

    fn push(&mut self, node: Node, run: CheckRun) {
        if self.runs.len() <= node.index() {
            self.runs.resize(node.index() + 1, None);
        }
        self.results += 1;
        let before = self.runs(node);
        self.runs[node.index()] = Some(before.iter().cloned().chain([run]).collect());
    }
}
