//! Every way in which a small world can go: the states and actions that a model checker explores.
//!
//! All decisions come from the product's own reconciler, as in the simulator, and the same oracle judges each step. What
//! is bounded is the trouble: a [`Scope`] says how often each kind may happen. Time stands still but for [`Action::Wait`];
//! wherever everybody is idle, the world is also let come to rest, and what must come about is judged.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use cfgupdater_core::{
    Announcement, Claim, DeploymentReport, DeploymentStatus, End, Landing, Policy, Request,
};

use crate::mutations::Tamper;
use crate::oracle::Oracle;
use crate::setup::Setup;
use crate::sim::{come_to_rest, describe};
use crate::world::World;
use crate::world::ci::CiMove;
use crate::world::node::Node;
use crate::world::people::PersonMove;
use crate::world::releases;
use crate::world::replica::Fault;
use crate::world::trace::{Actor, Event};

/// How long a wait takes: longer than a replica waits before it looks by itself.
const WAIT: Duration = Duration::from_mins(61);

/// What may happen, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Scope {
    /// What it is called.
    pub name: &'static str,
    /// Whether it is explored within a minute.
    pub quick: bool,
    /// How many replicas run.
    pub replicas: usize,
    /// How many releases are announced, each once at any replica; the first of them fails its checks.
    pub announced: u8,
    /// How many announcements are made a second time, at any replica.
    pub doubled: u8,
    /// How often a person pushes something else to stable.
    pub pushes: u8,
    /// How often a person cherry-picks the lowest commit of the chain.
    pub picks: u8,
    /// How often a replica is killed, before or right after it does something.
    pub crashes: u8,
    /// How many pushes stay without an answer, done or not.
    pub lost: u8,
    /// How many messages say *look*.
    pub looks: u8,
    /// How many reports of what stable holds come from the first wave's target.
    pub reports: u8,
    /// How often a check passes on a commit where it failed before, or the other way round.
    pub flips: u8,
    /// How often an hour passes.
    pub waits: u8,
    /// What must be green for a commit to land.
    pub landing: Landing,
    /// Whether a push of several branches moves all or none of them.
    pub atomic: bool,
    /// Whether nothing happens between the reading of branches and that of their checks.
    pub whole_reads: bool,
}

/// Nothing but two replicas and two intents, the first of which fails its checks.
const NOTHING: Scope = Scope {
    name: "nothing",
    quick: true,
    replicas: 2,
    announced: 2,
    doubled: 0,
    pushes: 0,
    picks: 0,
    crashes: 0,
    lost: 0,
    looks: 0,
    reports: 0,
    flips: 0,
    waits: 0,
    landing: Landing::Tip,
    atomic: true,
    whole_reads: true,
};

/// The scopes that are explored, each about something else that two replicas must cope with.
pub const SCOPES: [Scope; 9] = [
    NOTHING,
    Scope { name: "crash", crashes: 1, ..NOTHING },
    Scope { name: "push", quick: false, pushes: 1, ..NOTHING },
    Scope { name: "lost", lost: 1, ..NOTHING },
    Scope { name: "doubled", quick: false, doubled: 1, ..NOTHING },
    Scope { name: "every", landing: Landing::EveryCommit, ..NOTHING },
    Scope { name: "reads", quick: false, whole_reads: false, crashes: 1, ..NOTHING },
    Scope { name: "looks", quick: false, pushes: 1, looks: 1, ..NOTHING },
    Scope { name: "together", quick: false, doubled: 1, pushes: 1, crashes: 1, lost: 1, looks: 1, ..NOTHING },
];

impl Scope {
    /// Sets how often one kind of trouble may happen, by the name of its field; `None` where there is no such field.
    #[must_use]
    pub fn with(mut self, field: &str, times: u8) -> Option<Self> {
        let field = match field {
            "announced" => &mut self.announced,
            "doubled" => &mut self.doubled,
            "pushes" => &mut self.pushes,
            "picks" => &mut self.picks,
            "crashes" => &mut self.crashes,
            "lost" => &mut self.lost,
            "looks" => &mut self.looks,
            "reports" => &mut self.reports,
            "flips" => &mut self.flips,
            "waits" => &mut self.waits,
            _ => return None,
        };
        *field = times;
        Some(self)
    }

    fn setup(&self) -> Setup {
        let bad = 1 << 1;
        let Self { replicas, landing, atomic, .. } = *self;
        Setup { replicas, landing, atomic, bad, ci_on_stable: true, ..Setup::plain() }
    }
}

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// An application's CI announces the next release.
    Announce {
        /// The replica that is called.
        replica: usize,
    },
    /// A release is announced again.
    Repeat {
        /// The replica that is called.
        replica: usize,
        /// The release.
        release: u8,
    },
    /// The first wave's target reports what stable holds.
    Report {
        /// The replica that is called.
        replica: usize,
    },
    /// A message says *look*.
    Look {
        /// The replica.
        replica: usize,
    },
    /// A replica does the next thing.
    Turn {
        /// The replica.
        replica: usize,
    },
    /// A replica is killed.
    Crash {
        /// The replica.
        replica: usize,
        /// Whether it does the next thing before.
        after: bool,
    },
    /// A push stays without an answer.
    Lose {
        /// The replica that pushes.
        replica: usize,
        /// Whether the push is done all the same.
        done: bool,
    },
    /// CI ends its checks of a commit, truthfully.
    Finish(Node),
    /// CI reports another attempt that contradicts the last one.
    Flip(Node),
    /// A person pushes to stable.
    Push,
    /// A person cherry-picks the lowest commit of the chain.
    Pick,
    /// An hour passes.
    Wait,
}

/// A world at one moment, with what may still happen in it.
#[derive(Debug)]
pub struct Moment {
    world: World,
    oracle: Oracle,
    left: Left,
    broken: Option<(&'static str, String)>,
    fingerprint: u64,
}

/// What may still happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Left {
    announced: u8,
    doubled: u8,
    pushes: u8,
    picks: u8,
    crashes: u8,
    lost: u8,
    looks: u8,
    reports: u8,
    flips: u8,
    waits: u8,
}

/// A scope, with a seeded bug or none.
#[derive(Debug, Clone, Copy)]
pub struct Space {
    /// What may happen, and how often.
    pub scope: Scope,
    /// Builds the seeded bug; one that remembers nothing, since it is built anew for each step.
    pub tamper: fn() -> Box<dyn Tamper>,
}

impl Space {
    /// Returns where everything begins.
    pub fn begin(&self) -> Moment {
        let prompt = Box::new(Prompt((self.tamper)()));
        let scope = self.scope;
        let left = Left {
            announced: 0,
            doubled: scope.doubled,
            pushes: scope.pushes,
            picks: scope.picks,
            crashes: scope.crashes,
            lost: scope.lost,
            looks: scope.looks,
            reports: scope.reports,
            flips: scope.flips,
            waits: scope.waits,
        };
        let world = World::new(scope.setup(), prompt).fork((self.tamper)());
        let mut begin = Moment { world, oracle: Oracle::default(), left, broken: None, fingerprint: 0 };
        begin.close();
        begin
    }

    /// Lists what may happen at a moment.
    pub fn actions(&self, at: &Moment, actions: &mut Vec<Action>) {
        if at.broken.is_some() {
            return;
        }
        let (left, refs) = (at.left, at.world.remote.refs);
        for replica in 0..self.scope.replicas {
            let mut may = |allowed: bool, action| actions.extend(allowed.then_some(action));
            let (busy, pushes) = (at.world.is_busy(replica), at.world.is_about_to_push(replica));
            may(busy, Action::Turn { replica });
            may(left.announced < self.scope.announced, Action::Announce { replica });
            may(left.looks > 0, Action::Look { replica });
            may(left.reports > 0 && left.announced > 0, Action::Report { replica });
            may(left.crashes > 0 && busy, Action::Crash { replica, after: false });
            may(left.crashes > 0 && busy, Action::Crash { replica, after: true });
            may(left.lost > 0 && pushes, Action::Lose { replica, done: false });
            may(left.lost > 0 && pushes, Action::Lose { replica, done: true });
            for release in 1..=left.announced {
                may(left.doubled > 0, Action::Repeat { replica, release });
            }
        }
        actions.extend(at.world.ci.unfinished().iter().map(|node| Action::Finish(*node)));
        if left.flips > 0 {
            let tested = (0..at.world.dag.len()).map(Node::at);
            let ended = tested.filter(|node| {
                let runs = at.world.ci.runs(*node);
                !runs.is_empty() && runs.iter().all(|run| run.state.is_finished())
            });
            actions.extend(ended.map(Action::Flip));
        }
        let chain = refs.auto.is_some_and(|auto| !at.world.dag.chain(auto, refs.stable).is_empty());
        actions.extend((left.pushes > 0).then_some(Action::Push));
        actions.extend((left.picks > 0 && chain).then_some(Action::Pick));
        actions.extend((left.waits > 0).then_some(Action::Wait));
    }

    /// Returns the moment after something happened.
    pub fn after(&self, at: &Moment, action: Action) -> Moment {
        let mut next = Moment {
            world: at.world.fork((self.tamper)()),
            oracle: at.oracle.clone(),
            left: at.left,
            broken: None,
            fingerprint: 0,
        };
        next.play(action);
        if let (Action::Turn { replica }, true) = (action, self.scope.whole_reads)
            && next.world.is_reading(replica)
        {
            next.world.turn(replica, Fault::Nothing);
        }
        next.broken = next.oracle.judge(&next.world).err();
        if next.broken.is_none() && next.is_quiet(&self.scope) {
            next.broken = come_to_rest(next.world.fork((self.tamper)()), next.oracle.clone()).err();
        }
        next.close();
        next
    }
}

impl Moment {
    /// Returns the promise that was broken on the way here, `S1` to `L6`, and what happened.
    pub fn broken(&self) -> Option<(&'static str, &str)> {
        self.broken.as_ref().map(|(invariant, detail)| (*invariant, detail.as_str()))
    }

    /// Tells what happened on the way here.
    pub fn story(&self) -> Vec<String> {
        self.world.trace.iter().map(|event| describe(&self.world, event)).collect()
    }

    /// Counts how often a replica moved stable.
    pub fn landings(&self) -> usize {
        let landed = |event: &&Event| matches!(event, Event::Stable { by: Actor::Replica(_), .. });
        self.world.trace.iter().filter(landed).count()
    }

    /// Counts the intents that were evicted.
    pub fn evictions(&self) -> usize {
        let Some(state) = self.world.remote.refs.state else { return 0 };
        let intents = self.world.states.commit(state).state.intents.values();
        intents.filter(|accepted| matches!(accepted.end, Some(End::Evicted { .. }))).count()
    }

    /// Tells whether everything was announced, nobody has anything to do, and CI is done.
    pub fn is_quiet(&self, scope: &Scope) -> bool {
        let idle = (0..scope.replicas).all(|replica| !self.world.is_busy(replica));
        idle && self.left.announced == scope.announced && self.world.ci.unfinished().is_empty()
    }

    fn close(&mut self) {
        let mut hasher = std::hash::DefaultHasher::new();
        (self.world.fingerprint(), self.left, self.broken.is_some()).hash(&mut hasher);
        self.fingerprint = hasher.finish();
    }

    fn play(&mut self, action: Action) {
        let Self { world, left, .. } = self;
        match action {
            Action::Announce { replica } => {
                left.announced += 1;
                world.call(replica, "app-ci", announcement(&world.policy, left.announced));
            }
            Action::Repeat { replica, release } => {
                left.doubled -= 1;
                world.call(replica, "app-ci", announcement(&world.policy, release));
            }
            Action::Report { replica } => {
                left.reports -= 1;
                world.call(replica, "deployer", report(world));
            }
            Action::Look { replica } => {
                left.looks -= 1;
                world.look(replica);
            }
            Action::Turn { replica } => {
                world.turn(replica, Fault::Nothing);
            }
            Action::Crash { replica, after } => {
                left.crashes -= 1;
                world.turn(replica, if after { Fault::CrashAfter } else { Fault::CrashBefore });
            }
            Action::Lose { replica, done } => {
                left.lost -= 1;
                world.turn(replica, if done { Fault::Unanswered } else { Fault::Lost });
            }
            Action::Finish(node) => {
                let (good, now) = (world.is_good(node), world.now());
                world.ci.act(node, CiMove::Finish, good, now);
            }
            Action::Flip(node) => {
                left.flips -= 1;
                let (good, now) = (world.is_good(node), world.now());
                world.ci.act(node, CiMove::Flip, good, now);
            }
            Action::Push => {
                left.pushes -= 1;
                world.person(PersonMove::Push { broken: false });
            }
            Action::Pick => {
                left.picks -= 1;
                world.person(PersonMove::CherryPick { nth: 0, release: 0 });
            }
            Action::Wait => {
                left.waits -= 1;
                world.pass(WAIT);
            }
        }
    }
}

/// Two moments are the same where the same can happen from here on.
impl Hash for Moment {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.fingerprint.hash(hasher);
    }
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl Eq for Moment {}

fn announcement(policy: &Policy, release: u8) -> Request {
    let (images, app_sha) = (releases::images(release).clone(), releases::app_sha(release));
    Request::Announce(Announcement {
        set: policy.sets[0].name.clone(),
        app_sha,
        sequence: None,
        attempt: 1,
        images,
    })
}

fn report(world: &World) -> Request {
    let wave = &world.policy.waves[0];
    Request::Report(DeploymentReport {
        wave: wave.name.clone(),
        target: wave.targets[0].name.clone(),
        status: DeploymentStatus::Succeeded,
        claim: Claim::Revision(world.remote.refs.stable.id()),
        set: None,
        observed_at: None,
    })
}

/// Makes replicas decide each call at once: gathering calls would only make time pass.
#[derive(Debug)]
struct Prompt(Box<dyn Tamper>);

impl Tamper for Prompt {
    fn policy(&mut self, policy: &mut Policy) {
        self.0.policy(policy);
        policy.batch_window = Duration::ZERO;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutations::Honest;

    fn space() -> Space {
        let scope = Scope { pushes: 1, ..NOTHING };
        Space { scope, tamper: || Box::new(Honest) }
    }

    #[test]
    fn a_step_changes_a_copy_and_the_same_step_leads_to_the_same_moment() {
        let space = space();
        let begin = space.begin();
        let mut actions = Vec::new();
        space.actions(&begin, &mut actions);
        assert!(actions.contains(&Action::Announce { replica: 1 }) && actions.contains(&Action::Push));
        for action in actions {
            let (once, twice) = (space.after(&begin, action), space.after(&begin, action));
            assert_eq!(once, twice);
            assert_ne!(once, begin);
            assert_eq!(begin, space.begin());
        }
    }

    #[test]
    fn replicas_are_interchangeable() {
        let space = space();
        let begin = space.begin();
        let announced = |replica| space.after(&begin, Action::Announce { replica });
        assert_eq!(announced(0), announced(1));
    }
}
