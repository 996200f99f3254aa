//! CI: what it says of each commit, attempt by attempt.

use std::sync::Arc;

use cfgupdater_core::{CheckRun, CheckState, RequiredChecks, Timestamp};

use super::node::{Node, mix};

/// The source whose word counts where one is configured.
pub const TRUSTED: &str = "bot";

/// What CI or somebody who meddles with it does to a commit's checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CiMove {
    /// Gets a machine: what waits begins to run.
    Begin,
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
    /// Reports under a required name from a source that isn't the trusted one.
    Impostor {
        /// Whether it passes.
        passes: bool,
    },
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
    /// Whether checks are created late and one by one.
    slow: bool,
    runs: Vec<Option<Arc<[CheckRun]>>>,
    /// What was said before the last thing that was: what a forge says that trails its webhooks.
    before: Vec<Option<Arc<[CheckRun]>>>,
    /// Commits whose checks are still created, with how many there are.
    arriving: Vec<(Node, usize)>,
    /// How often anything was said, by anybody.
    pub results: u32,
    unfinished: Vec<Node>,
}

impl Ci {
    /// Builds a CI that runs the required checks.
    pub fn new(seed: u64, required: &RequiredChecks, stuck: u64, slow: bool) -> Self {
        let (runs, before) = (Vec::new(), Vec::new());
        let (arriving, unfinished) = (Vec::new(), Vec::new());
        let mut ci =
            Self { seed, names: Vec::new(), stuck, slow, runs, before, arriving, results: 0, unfinished };
        ci.require(required);
        ci
    }

    /// Runs these checks from now on.
    pub fn require(&mut self, required: &RequiredChecks) {
        self.names = required.checks.iter().map(|check| check.name.clone()).collect();
    }

    /// Tells whether nothing runs and nothing is about to.
    pub fn is_idle(&self) -> bool {
        let over = |node: &Node| self.runs(*node).iter().all(|run| run.state.is_finished());
        self.arriving.is_empty() && self.unfinished.iter().all(over)
    }

    /// Returns all attempts on a commit.
    pub fn runs(&self, node: Node) -> &[CheckRun] {
        self.reported(node).map_or(&[], |runs| runs)
    }

    /// Returns all attempts on a commit as they are shared with readers, `None` where there is none.
    pub(super) fn reported(&self, node: Node) -> Option<&Arc<[CheckRun]>> {
        self.runs.get(node.index())?.as_ref()
    }

    /// Returns what [`reported`](Self::reported) returned before the last thing was said of a commit.
    pub(super) fn reported_before(&self, node: Node) -> Option<&Arc<[CheckRun]>> {
        self.before.get(node.index())?.as_ref()
    }

    /// Lists the commits on which something runs.
    pub fn unfinished(&self) -> &[Node] {
        &self.unfinished
    }

    /// Takes notice of a pushed tip: its checks start, unless this is one of those where they never do.
    pub fn start(&mut self, node: Node, now: Timestamp) {
        let stuck = self.stuck != 0 && mix(self.seed ^ node.index() as u64).is_multiple_of(self.stuck);
        let known = !self.runs(node).is_empty() || self.arriving.iter().any(|(known, _)| *known == node);
        if known || stuck || self.names.is_empty() {
            return;
        }
        if self.slow {
            self.arriving.push((node, 0));
        } else {
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
            CiMove::Begin => self.begin(node, now),
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
            CiMove::Impostor { passes } => {
                let state = if passes { CheckState::Success } else { CheckState::Failure };
                let mut run = self.run(0, 9, state, now);
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
        self.arrive(now);
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

    /// Creates the next check of each commit that still lacks some.
    fn arrive(&mut self, now: Timestamp) {
        for (node, created) in std::mem::take(&mut self.arriving) {
            if created >= self.names.len() {
                continue;
            }
            let run = self.run(created, 1, CheckState::Queued, now);
            self.push(node, run);
            self.unfinished.push(node);
            self.arriving.push((node, created + 1));
        }
    }

    fn begin(&mut self, node: Node, now: Timestamp) {
        self.change(node, now, |state| (*state == CheckState::Queued).then_some(CheckState::Running));
    }

    fn finish(&mut self, node: Node, state: &CheckState, now: Timestamp) {
        self.unfinished.retain(|running| *running != node);
        self.change(node, now, |before| (!before.is_finished()).then(|| state.clone()));
    }

    fn change(&mut self, node: Node, now: Timestamp, next: impl Fn(&CheckState) -> Option<CheckState>) {
        let Some(Some(runs)) = self.runs.get_mut(node.index()) else { return };
        if runs.iter().all(|run| next(&run.state).is_none()) {
            return;
        }
        self.before[node.index()] = Some(Arc::clone(runs));
        for run in Arc::make_mut(runs) {
            if let Some(state) = next(&run.state) {
                run.state = state;
                run.at = Some(now);
                self.results += 1;
            }
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
            self.before.resize(node.index() + 1, None);
        }
        self.results += 1;
        let more = self.runs(node).iter().cloned().chain([run]).collect();
        self.before[node.index()] = self.runs[node.index()].replace(more);
    }
}
