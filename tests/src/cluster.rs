//! [`Cluster`]: deploy tools that follow stable by themselves, whatever is heard of them.

mod objects;

use std::collections::BTreeMap;

use cfgupdater_tests_forge_server::{now, time};
use serde_json::Value;

use crate::deploy_api::DeployApi;
use crate::repository::Remote;

/// Whose object tells what a target runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follower {
    /// An application of Argo CD, told by its operation.
    Application,
    /// A kustomization of Flux, told by the revision that it applied.
    Kustomization,
    /// A Helm release of Flux, told by the release that its specification names: each change is a new generation.
    HelmRelease,
}

/// What a tool sends when a deployment is over.
#[derive(Debug, Clone)]
pub struct Word {
    /// Who sends it.
    pub from: Follower,
    /// The body.
    pub body: Value,
}

/// Targets that bring what is on stable to run when they are told to, and the APIs that tell how far they are. Beside what
/// the APIs say, it knows what is true.
#[derive(Debug)]
pub struct Cluster<'a> {
    remote: &'a Remote,
    api: DeployApi,
    targets: BTreeMap<String, Target>,
}

#[derive(Debug)]
struct Target {
    wave: String,
    name: String,
    follower: Follower,
    /// How often its specification was changed.
    generation: u64,
    /// What it is being brought to, or was last.
    revision: String,
    /// What it ran before, for kustomizations.
    applied: String,
    /// What the API will say, once it does.
    hidden: Option<Value>,
    /// The images it runs.
    runs: Option<String>,
    /// All that it ever ran.
    ran: Vec<String>,
}

/// How far a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Its specification was changed, and its controller has not looked yet.
    Unseen,
    UnderWay,
    Healthy,
    Failed,
}

impl<'a> Cluster<'a> {
    /// Makes a cluster that follows a repository and tells by an API.
    pub fn new(remote: &'a Remote, api: &DeployApi) -> Self {
        Self { remote, api: api.clone(), targets: BTreeMap::new() }
    }

    /// Adds a target, as the object `cfg-app-{wave}-{target}`.
    pub fn follow(&mut self, wave: &str, target: &str, follower: Follower) {
        let known = Target {
            wave: wave.to_owned(),
            name: format!("cfg-app-{wave}-{target}"),
            follower,
            generation: 1,
            revision: String::new(),
            applied: String::new(),
            hidden: None,
            runs: None,
            ran: Vec::new(),
        };
        self.targets.insert(target.to_owned(), known);
    }

    /// Begins to bring a target to stable's tip: what it ran before is going.
    pub fn begin(&mut self, target: &str) {
        let revision = self.remote.master();
        let known = self.known(target);
        (known.revision, known.runs) = (revision, None);
        known.generation += 1;
        self.say(target, Stage::Unseen);
    }

    /// Goes on: the target's controller has seen the change.
    pub fn go_on(&self, target: &str) {
        self.say(target, Stage::UnderWay);
    }

    /// Returns what a tool sends that tells of success too early.
    pub fn early(&self, target: &str) -> Word {
        self.word(target, Stage::Healthy)
    }

    /// Ends what was begun, and returns what the tool sends. The API says so once [`Cluster::show`] is called: tools send
    /// before everybody can read what they say.
    pub fn finish(&mut self, target: &str, is_healthy: bool) -> Word {
        let stage = if is_healthy { Stage::Healthy } else { Stage::Failed };
        let object = self.object(target, stage);
        let (wave, revision) = (self.target(target).wave.clone(), self.target(target).revision.clone());
        let images = is_healthy.then(|| self.images(&revision, &wave).expect("the wave has images"));
        let known = self.known(target);
        known.hidden = Some(object);
        known.runs.clone_from(&images);
        known.ran.extend(images);
        if is_healthy {
            known.applied = revision;
        }
        self.word(target, stage)
    }

    /// Lets the API tell how it ended.
    pub fn show(&mut self, target: &str) {
        let known = self.known(target);
        let (path, object) = (objects::path(known.follower, &known.name), known.hidden.take());
        self.api.put(&path, object.expect("it ended"));
    }

    /// Returns the path of a target's object.
    pub fn path(&self, target: &str) -> String {
        objects::path(self.target(target).follower, &self.target(target).name)
    }

    /// Returns the images that a target runs.
    pub fn runs(&self, target: &str) -> Option<&str> {
        self.target(target).runs.as_deref()
    }

    /// Lists the targets of a wave that never ran some images.
    pub fn never_ran(&self, wave: &str, images: &str) -> Vec<&str> {
        let of = self.targets.iter().filter(|(_, known)| known.wave == wave);
        let never = of.filter(|(_, known)| known.ran.iter().all(|ran| ran != images));
        never.map(|(target, _)| target.as_str()).collect()
    }

    /// Returns the images of a wave at a revision.
    pub fn images(&self, revision: &str, wave: &str) -> Option<String> {
        self.remote.file(revision, &format!("images/{wave}/tags.json"))
    }

    fn target(&self, target: &str) -> &Target {
        &self.targets[target]
    }

    fn known(&mut self, target: &str) -> &mut Target {
        self.targets.get_mut(target).expect("the cluster has the target")
    }

    fn say(&self, target: &str, stage: Stage) {
        self.api.put(&self.path(target), self.object(target, stage));
    }

    /// Reads the release that the target's manifests name.
    fn release(&self, target: &Target) -> String {
        let file = format!("images/{}/release", target.wave);
        self.remote.file(&target.revision, &file).expect("the release is beside the images").trim().to_owned()
    }

    fn object(&self, target: &str, stage: Stage) -> Value {
        let (target, at) = (self.target(target), time(now()));
        match target.follower {
            Follower::Application => objects::application(target, stage, &at),
            Follower::Kustomization => objects::kustomization(target, stage, &at),
            Follower::HelmRelease => objects::helm_release(target, stage, &at, &self.release(target)),
        }
    }

    fn word(&self, target: &str, stage: Stage) -> Word {
        let (known, at) = (self.target(target), time(now()));
        let body = match known.follower {
            // Argo CD's template is sent the whole application.
            Follower::Application => objects::application(known, stage, &at),
            Follower::Kustomization => objects::kustomization_event(known, stage, &at),
            Follower::HelmRelease => objects::helm_release_event(known, stage, &at, &self.release(known)),
        };
        Word { from: known.follower, body }
    }
}
