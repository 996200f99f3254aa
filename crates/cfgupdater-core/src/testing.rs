//! Values for the unit tests of this crate.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::check::{CheckRun, CheckState, RequiredChecks};
use crate::forge::{Capabilities, Checks};
use crate::history::{History, HistoryCommit, Slot};
use crate::image::{Image, ImageMap};
use crate::intent::{Action, Announcement, Intent, IntentId, promotion_id};
use crate::object_id::{AppSha, CommitId, ObjectId};
use crate::plan::{Plan, plan};
use crate::policy::{Policy, SetPolicy, TargetPolicy, WavePolicy};
use crate::record::{Built, DeploymentStatus, Record, Report};
use crate::release::Release;
use crate::snapshot::{Branches, ChainCommit, Fault, Relation, Revision, Snapshot};
use crate::state::State;
use crate::timestamp::Timestamp;

/// Makes a commit id that ends in `n`.
pub(crate) fn commit(n: u8) -> CommitId {
    let mut raw = [0xc0; 20];
    raw[19] = n;
    CommitId::new(ObjectId::from_bytes(&raw).unwrap())
}

pub(crate) fn app_sha(n: u8) -> AppSha {
    AppSha::new(ObjectId::from_bytes(&[n; 20]).unwrap())
}

/// Makes images whose content is told by a number.
pub(crate) fn images(services: &[(&str, u8)]) -> ImageMap {
    let image = |name: &str, n: u8| Image {
        digest: format!("r.example.com/{name}@sha256:{}", crate::hex::encode(&[n; 32])),
        tag: format!("r.example.com/{name}:v{n}"),
    };
    ImageMap::new(
        services.iter().map(|(name, n)| (name.parse().unwrap(), image(name, *n))).collect::<BTreeMap<_, _>>(),
    )
}

pub(crate) fn announcement(set: &str, n: u8) -> Announcement {
    Announcement {
        set: set.parse().unwrap(),
        app_sha: app_sha(n),
        sequence: None,
        attempt: 1,
        images: images(&[("web", n)]),
    }
}

pub(crate) fn introduce(set: &str, wave: &str, n: u8) -> Intent {
    let announced = announcement(set, n);
    Intent {
        id: announced.intent_id(),
        set: announced.set,
        wave: wave.parse().unwrap(),
        release: announced.images.release(),
        images: announced.images,
        action: Action::Introduce { app_sha: announced.app_sha, sequence: None, attempt: 1 },
        accepted_at: at(100),
        accepted_on: commit(0),
        actor: "app-ci".to_owned(),
    }
}

pub(crate) fn promote(set: &str, from: &str, to: &str, n: u8) -> Intent {
    let images = images(&[("web", n)]);
    let (set, from, wave) = (set.parse().unwrap(), from.parse().unwrap(), to.parse().unwrap());
    Intent {
        id: promotion_id(&set, &from, &wave, images.release(), 1),
        release: images.release(),
        images,
        action: Action::Promote { from, config_sha: commit(n), app_sha: Some(app_sha(n)), attempt: 1 },
        accepted_at: at(200),
        accepted_on: commit(0),
        actor: "cfgupdater".to_owned(),
        set,
        wave,
    }
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

/// A small world for tests of plans: history, chain and state are told, the snapshot follows.
pub(crate) struct Scene {
    pub(crate) policy: Policy,
    pub(crate) state: State,
    pub(crate) history: History,
    pub(crate) chain: Vec<ChainCommit>,
    pub(crate) checks: Checks,
    pub(crate) landed: BTreeMap<IntentId, CommitId>,
    pub(crate) relation: Option<Relation>,
    pub(crate) images: BTreeMap<Release, ImageMap>,
    pub(crate) revisions: BTreeMap<CommitId, Option<Revision>>,
    pub(crate) cited: Vec<CommitId>,
    pub(crate) restorable: Vec<Intent>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) capabilities: Capabilities,
    pub(crate) probe: Option<CommitId>,
    pub(crate) now: Timestamp,
}

impl Scene {
    /// Three waves, two targets in the first; stable is at `commit(0)`, which a person made and CI found green.
    pub(crate) fn new() -> Self {
        let target = |name: &str| TargetPolicy::new(name.parse().unwrap());
        let wave = |name: &str, targets: &[&str]| {
            WavePolicy::new(name.parse().unwrap(), targets.iter().map(|t| target(t)).collect())
        };
        let waves = vec![
            wave("staging", &["staging-1", "staging-2"]),
            wave("internal", &["internal-1"]),
            wave("production", &["prod-1"]),
        ];
        let mut policy =
            Policy::new("master".parse().unwrap(), vec![SetPolicy::new("app".parse().unwrap())], waves);
        policy.required = Some(RequiredChecks::named(["ci"]));
        let mut scene = Self {
            policy,
            state: State::default(),
            history: History::default(),
            chain: Vec::new(),
            checks: Checks::new(),
            landed: BTreeMap::new(),
            relation: None,
            images: BTreeMap::new(),
            revisions: BTreeMap::new(),
            cited: Vec::new(),
            restorable: Vec::new(),
            faults: Vec::new(),
            capabilities: Capabilities::default(),
            probe: None,
            now: at(1000),
        };
        scene.person_pushes(0, &[]);
        scene.check(0, CheckState::Success);
        scene.state.stable_seen = Some(commit(0));
        scene
    }

    pub(crate) fn slot(wave: &str) -> Slot {
        (wave.parse().unwrap(), "app".parse().unwrap())
    }

    /// A person pushes `commit(n)` to stable, with these waves set to these releases.
    pub(crate) fn person_pushes(&mut self, n: u8, edits: &[(&str, u8)]) {
        self.push(n, None, None, edits);
    }

    /// The service lands `commit(n)` for an intent.
    pub(crate) fn land(&mut self, n: u8, intent: &Intent, release: u8) {
        let slot = (intent.wave.clone(), intent.set.clone());
        self.push(n, Some(intent.id), Some(slot), &[(intent.wave.as_str(), release)]);
    }

    fn push(&mut self, n: u8, intent: Option<IntentId>, writes: Option<Slot>, edits: &[(&str, u8)]) {
        let changed = edits.iter().map(|(wave, r)| {
            let images = images(&[("web", *r)]);
            self.images.insert(images.release(), images.clone());
            (Self::slot(wave), Some(images.release()))
        });
        let changed = changed.collect();
        self.history.push(HistoryCommit { id: commit(n), intent, writes, app_sha: None, changed });
    }

    /// Accepts an intent, and puts it on auto as `commit(n)`.
    pub(crate) fn on_auto(&mut self, n: u8, intent: Intent) {
        let built = Built { commit: commit(n), intent: intent.id, at: self.now };
        self.chain.push(ChainCommit { id: commit(n), subject: "chore".to_owned(), intent: Some(intent.id) });
        self.state.built.push(built);
        self.accept(intent);
    }

    pub(crate) fn accept(&mut self, intent: Intent) {
        self.state.apply(&Record::Accepted { intent }, self.now);
    }

    pub(crate) fn check(&mut self, n: u8, state: CheckState) {
        let runs = self.checks.entry(commit(n)).or_default();
        let attempt = runs.len() as u64 + 1;
        runs.push(CheckRun::new("ci", attempt, state));
    }

    /// A target reports the introduction `commit(n)` of a release.
    pub(crate) fn report(&mut self, wave: &str, target: &str, n: u8, release: u8, status: DeploymentStatus) {
        let report = Report {
            wave: wave.parse().unwrap(),
            target: target.parse().unwrap(),
            set: "app".parse().unwrap(),
            release: images(&[("web", release)]).release(),
            introduction: commit(n),
            revision: Some(commit(n)),
            status,
            observed_at: None,
            at: self.now,
            actor: "argocd".to_owned(),
            asked_at: None,
            revoked: Vec::new(),
        };
        self.state.apply(&Record::Reported { report }, self.now);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let stable = self.history.tip().unwrap();
        let relation =
            self.relation.unwrap_or(if self.chain.is_empty() { Relation::Same } else { Relation::Ahead });
        let auto = (relation != Relation::Absent).then(|| self.chain.last().map_or(stable, |tip| tip.id));
        Snapshot {
            now: self.now,
            branches: Branches { stable, auto, state: Some(commit(200)), probe: self.probe },
            state: Arc::new(self.state.clone()),
            faults: self.faults.clone(),
            history: Arc::new(self.history.clone()),
            relation,
            chain: self.chain.clone(),
            landed: self.landed.clone(),
            checks: self.checks.iter().map(|(id, runs)| (*id, runs.as_slice().into())).collect(),
            required: Arc::new(self.policy.required.clone().unwrap_or_default()),
            capabilities: self.capabilities,
            images: self.images.clone(),
            revisions: self.revisions.clone(),
            cited: self.cited.clone(),
            restorable: self.restorable.clone(),
            findings: Vec::new(),
        }
    }

    pub(crate) fn plan(&self) -> Plan {
        plan(&self.snapshot(), &self.policy)
    }
}
