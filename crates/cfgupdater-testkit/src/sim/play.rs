//! Playing one step of a schedule.

use std::time::Duration;

use cfgupdater_core::{
    Announcement, Claim, DeploymentReport, DeploymentStatus, IntentId, ObjectId, Operation, OperationKey,
    Request, Sighting, Timestamp,
};

use super::{Simulation, Violation};
use crate::schedule::{Operating, Said, Step};
use crate::world::node::Node;
use crate::world::releases;
use crate::world::replica::Fault;
use crate::world::trace::Event;

/// An idle replica that is woken within this time is waited for.
const SOON: Duration = Duration::from_secs(2);

impl Simulation<'_> {
    pub(super) fn play(&mut self, step: Step) -> Result<(), Box<Violation>> {
        match step {
            Step::Announce { replica, set, release, sequence, attempt } => {
                let request = self.announcement(set, release, sequence, attempt);
                self.world.call(self.replica(replica), "app-ci", request);
            }
            Step::Sight { replica, wave, target, back, works, delay } => {
                let delay = i64::from(delay) * 60_000;
                let asked_at = Timestamp::from_millis(self.world.now().as_millis() - delay);
                if let Some(report) = self.report(wave, target, Said::Revision(back), works, None) {
                    let request = Request::Sight(Sighting { report, asked_at });
                    self.world.call(self.replica(replica), "asked", request);
                }
            }
            Step::Report { replica, wave, target, claim, works, seen } => {
                if let Some(report) = self.report(wave, target, claim, works, seen) {
                    self.world.call(self.replica(replica), "deployer", Request::Report(report));
                }
            }
            Step::Resend { replica, nth } => {
                if let Some(report) = self.reported(nth) {
                    self.world.call(self.replica(replica), "deployer", report);
                }
            }
            Step::Storm { replica, set, first, count, sequences } => {
                for release in first..first + count {
                    let request = self.announcement(set, release, sequences.then_some(release), 1);
                    self.world.call(self.replica(replica), "app-ci", request);
                }
            }
            Step::Preview { replica, set, release } => {
                if let Request::Announce(asked) = self.announcement(set, release, None, 1) {
                    self.world.call(self.replica(replica), "app-ci", Request::Preview(asked));
                }
            }
            Step::Operate { replica, wave, what, key } => {
                if let Some(operation) = self.operation(wave, what) {
                    let key = key.map(|key| OperationKey::new("ops", &key.to_string()));
                    self.keyed.extend(key.map(|key| (key, operation.clone())));
                    self.operate(replica, operation, key);
                }
            }
            Step::Repeat { replica, nth } => {
                if let Some((key, operation)) = self.keyed.iter().rev().nth(usize::from(nth)).cloned() {
                    self.operate(replica, operation, Some(key));
                }
            }
            Step::RollOut { replica, back } => self.world.roll_out(self.replica(replica), back),
            Step::Look { replica } => self.world.look(self.replica(replica)),
            Step::Turn { replica, fault } => {
                self.turn(self.replica(replica), fault);
            }
            Step::Run { replica, turns } => {
                for _ in 0..turns {
                    self.turn(self.replica(replica), Fault::Nothing);
                    self.judge()?;
                }
            }
            Step::Pass { seconds } => self.world.pass(Duration::from_secs(seconds.into())),
            Step::Ci { pick, what } => {
                if let Some(node) = self.pick(pick) {
                    let (good, now) = (self.world.is_good(node), self.world.now());
                    self.world.ci.act(node, what, good, now);
                }
            }
            Step::Person(what) => self.world.person(what),
            Step::Skew { replica, seconds } => {
                self.world.skew(self.replica(replica), i64::from(seconds) * 1000);
            }
        }
        if self.world.setup.hooks && self.noticed != self.changes() {
            self.noticed = self.changes();
            (0..self.world.replicas.len()).for_each(|replica| self.world.look(replica));
        }
        self.judge()
    }

    fn operate(&mut self, replica: u8, operation: Operation, key: Option<OperationKey>) {
        let replica = self.replica(replica);
        self.world.call_with_key(replica, "ops", Request::Operate(operation), key);
    }

    /// Counts what webhooks tell of: results, and branches that moved.
    fn changes(&self) -> (u32, usize) {
        (self.world.ci.results, self.world.remote.movements())
    }

    fn replica(&self, number: u8) -> usize {
        usize::from(number) % self.world.replicas.len()
    }

    /// Lets a replica do the next thing, and waits for it if it is about to.
    pub(super) fn turn(&mut self, replica: usize, fault: Fault) -> bool {
        self.turns += 1;
        if self.world.turn(replica, fault) {
            return true;
        }
        let now = self.world.now();
        let Some(wait) = self.world.next_wake(replica).map(|at| at.since(now)).filter(|wait| *wait <= SOON)
        else {
            return false;
        };
        self.world.pass(wait);
        self.world.turn(replica, fault)
    }

    fn announcement(&self, set: u8, release: u8, sequence: Option<u8>, attempt: u8) -> Request {
        let sets = &self.world.policy.sets;
        Request::Announce(Announcement {
            set: sets[usize::from(set) % sets.len()].name.clone(),
            app_sha: releases::app_sha(release),
            sequence: sequence.map(u64::from),
            attempt: attempt.into(),
            images: releases::images(release),
        })
    }

    fn report(
        &self,
        wave: u8,
        target: u8,
        said: Said,
        works: bool,
        seen: Option<u8>,
    ) -> Option<DeploymentReport> {
        let waves = &self.world.policy.waves;
        let place = usize::from(wave) % waves.len();
        let wave = &waves[place];
        let target = &wave.targets[usize::from(target) % wave.targets.len()];
        let refs = self.world.remote.refs;
        let revision = |node: Node| Claim::Revision(node.id());
        let claim = match said {
            Said::Revision(back) => {
                revision(self.world.dag.first_parents(refs.stable).nth(usize::from(back))?)
            }
            Said::Release(back) => Claim::Release(self.introduced(place * 2, back)?),
            Said::Auto => revision(refs.auto?),
            Said::Nonsense => Claim::Revision(nonsense()),
        };
        let now = self.world.now().as_millis();
        Some(DeploymentReport {
            wave: wave.name.clone(),
            target: target.name.clone(),
            status: if works { DeploymentStatus::Succeeded } else { DeploymentStatus::Failed },
            claim,
            set: None,
            observed_at: seen.map(|minutes| Timestamp::from_millis(now - i64::from(minutes) * 60_000)),
        })
    }

    /// Finds a report that was sent, by how many were sent after it.
    fn reported(&self, nth: u8) -> Option<Request> {
        let mut sent = self.world.trace.iter().rev().filter_map(|event| match event {
            Event::Called { request: request @ Request::Report(_), .. } => Some(request),
            _ => None,
        });
        sent.nth(nth.into()).cloned()
    }

    fn introduced(&self, slot: usize, back: u8) -> Option<cfgupdater_core::Release> {
        let dag = &self.world.dag;
        let changed = |node: &Node| dag.changed(*node).any(|changed| changed == slot);
        let node = dag.first_parents(self.world.remote.refs.stable).filter(changed).nth(usize::from(back))?;
        releases::release(dag.commit(node).tree.slots[slot])
    }

    fn operation(&self, wave: u8, what: Operating) -> Option<Operation> {
        let waves = &self.world.policy.waves;
        let chosen = &waves[usize::from(wave) % waves.len()];
        let (wave, reason) = (chosen.name.clone(), "a schedule says so".to_owned());
        let mut commits = self.world.dag.first_parents(self.world.remote.refs.stable);
        Some(match what {
            Operating::Hold => Operation::Hold { wave, reason },
            Operating::Release => Operation::Release { wave, reason },
            Operating::Approve => Operation::Approve { wave, release: None, reason },
            Operating::RollBack(back) => {
                Operation::RollBack { wave, to: commits.nth(usize::from(back))?.id(), reason }
            }
            Operating::Pause => Operation::Pause { reason },
            Operating::Resume => Operation::Resume { reason },
            Operating::Waive => {
                let until = Some(self.world.now().after(Duration::from_mins(30)));
                Operation::Waive { wave, target: chosen.targets.last()?.name.clone(), until, reason }
            }
            Operating::Withdraw(nth) => Operation::Withdraw { intent: self.intent(nth, false)?, reason },
            Operating::Retry(nth) => Operation::Retry { intent: self.intent(nth, true)?, reason },
            Operating::Accept => Operation::Accept { reason },
        })
    }

    /// Finds an intent that has ended or not, by how many were accepted after it.
    fn intent(&self, nth: u8, ended: bool) -> Option<IntentId> {
        let state = &self.world.states.commit(self.world.remote.refs.state?).state;
        let mut found: Vec<_> = state.intents.values().filter(|known| known.end.is_some() == ended).collect();
        found.sort_by_key(|known| std::cmp::Reverse(known.position));
        found.get(usize::from(nth)).map(|known| known.intent.id)
    }

    fn pick(&self, pick: u8) -> Option<Node> {
        let (refs, dag) = (self.world.remote.refs, &self.world.dag);
        let Some(above) = pick.checked_sub(1) else { return Some(refs.stable) };
        let chain = refs.auto.map(|auto| dag.chain(auto, refs.stable)).unwrap_or_default();
        chain
            .iter()
            .rev()
            .nth(usize::from(above))
            .copied()
            .or_else(|| (dag.len() > usize::from(pick)).then(|| Node::at(dag.len() - usize::from(pick))))
    }
}

fn nonsense() -> cfgupdater_core::CommitId {
    cfgupdater_core::CommitId::new(ObjectId::from_bytes(&[0xee; 20]).expect("twenty bytes make an id"))
}
