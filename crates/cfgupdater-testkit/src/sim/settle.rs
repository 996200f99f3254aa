//! Coming to rest: all trouble stops, time passes, and everything must end or say why it doesn't.

use std::time::Duration;

use cfgupdater_core::{Answer, Claim, DeploymentReport, DeploymentStatus, RefusalKind, Request, Sighting};

use super::{Simulation, Violation};
use crate::oracle::is_faulty;
use crate::world::replica::Fault;
use crate::world::trace::Event;

/// How many hours everything may take to come to rest.
const ROUNDS: usize = 150;

/// How many things a replica may do in a row before it must be idle.
const BUSY: usize = 200;

/// Longer than a replica waits before it looks by itself, and than every limit of the policy, also by a clock that was
/// ahead.
const ROUND: Duration = Duration::from_secs(7300);

impl Simulation<'_> {
    /// Lets time pass without trouble and without a single nudge until nobody writes any more.
    pub(super) fn settle(&mut self) -> Result<(), Box<Violation>> {
        for replica in 0..self.world.replicas.len() {
            self.world.skew(replica, 0);
        }
        self.world.tidy_up();
        let mut reported = None;
        let mut quiet = 0;
        let mut before = self.world.trace.len();
        for _ in 0..ROUNDS {
            self.work()?;
            if self.world.setup.pulled || reported != Some(self.world.remote.refs.stable) {
                reported = Some(self.world.remote.refs.stable);
                self.deployers_speak();
                self.work()?;
            }
            let events = &self.world.trace[before..];
            // A report that couldn't be taken is made again, as deploy tools are read again; so is one that an earlier call
            // at another replica overtook: words without a time are ordered by their arrival.
            if events.iter().any(is_unavailable) && !is_faulty(&self.world)
                || events.iter().any(is_overtaking)
            {
                reported = None;
            }
            let looked =
                (0..self.world.replicas.len()).all(|n| events.iter().any(|event| observed(event, n)));
            let calm = looked
                && reported.is_some()
                && self.world.ci.is_idle()
                && !events.iter().any(Event::is_write);
            quiet = if calm { quiet + 1 } else { 0 };
            if quiet == 2 {
                return self.at_rest();
            }
            // What arrives late while time passes belongs to the next round.
            before = self.world.trace.len();
            self.world.pass(ROUND);
        }
        let detail = format!("something is still written after {ROUNDS} quiet hours");
        Err(self.violation("L4", detail))
    }

    fn writes(&self) -> usize {
        self.world.trace.iter().filter(|event| event.is_write()).count()
    }

    /// Lets every replica do what it has to do.
    fn work(&mut self) -> Result<(), Box<Violation>> {
        for replica in 0..self.world.replicas.len() {
            let mut busy = 0;
            while self.turn(replica, Fault::Nothing) {
                self.judge()?;
                busy += 1;
                if busy > BUSY {
                    return Err(self.violation("L5", format!("a replica did {BUSY} things in a row")));
                }
            }
        }
        Ok(())
    }

    /// Every target that isn't mute says that it runs what stable holds: by itself, or once it is asked.
    fn deployers_speak(&mut self) {
        let (revision, asked_at) = (self.world.remote.refs.stable, self.world.now());
        let speak = self.world.targets_that_speak();
        let says = |(wave, target)| DeploymentReport {
            wave,
            target,
            status: DeploymentStatus::Succeeded,
            claim: Claim::Revision(revision.id()),
            set: None,
            observed_at: None,
        };
        let requests: Vec<Request> = if self.world.setup.pulled {
            let awaited = self.world.awaited(0);
            let asked = speak.into_iter().filter(|place| awaited.contains(place));
            asked.map(|place| Request::Sight(Sighting { report: says(place), asked_at })).collect()
        } else {
            speak.into_iter().map(says).map(Request::Report).collect()
        };
        for request in requests {
            self.world.call(0, "deployer", request);
        }
    }

    fn at_rest(&mut self) -> Result<(), Box<Violation>> {
        self.oracle.at_rest(&self.world).map_err(|(invariant, detail)| self.violation(invariant, detail))?;
        self.nudge_all("L4")?;
        for replica in 0..self.world.replicas.len() {
            self.world.crash(replica);
        }
        self.nudge_all("S13")?;
        self.replay()
    }

    /// A nudge without a reason causes a reading at most.
    fn nudge_all(&mut self, invariant: &'static str) -> Result<(), Box<Violation>> {
        let before = self.writes();
        for replica in 0..self.world.replicas.len() {
            self.world.look(replica);
        }
        self.work()?;
        if self.writes() == before {
            return Ok(());
        }
        Err(self.violation(invariant, "a look at what is at rest led to a write".to_owned()))
    }

    /// Everything that was announced is announced again, backwards, and every target repeats its last word.
    fn replay(&mut self) -> Result<(), Box<Violation>> {
        let announced = |event: &Event| match event {
            Event::Called { request: request @ Request::Announce(_), .. } => Some(request.clone()),
            _ => None,
        };
        let known = |request: &Request| match request {
            Request::Announce(announced) => self.oracle.accepted(announced.intent_id()),
            _ => false,
        };
        let again: Vec<Request> = self.world.trace.iter().rev().filter_map(announced).filter(known).collect();
        let before = self.writes();
        for request in again {
            self.world.call(0, "app-ci", request);
        }
        self.deployers_speak();
        self.work()?;
        if self.writes() == before {
            return Ok(());
        }
        Err(self.violation("S11", "repeating known calls led to a write".to_owned()))
    }
}

fn observed(event: &Event, by: usize) -> bool {
    matches!(event, Event::Observed { replica, .. } if *replica == by)
}

fn is_unavailable(event: &Event) -> bool {
    matches!(event, Event::Answered { answer: Err(refusal), .. } if refusal.kind == RefusalKind::Unavailable)
}

/// Finds a report that was recorded by another replica than the one that deployers speak to while all comes to rest.
fn is_overtaking(event: &Event) -> bool {
    matches!(event, Event::Answered { replica: 1.., answer: Ok(Answer::Reported(told)), .. } if told.recorded)
}
