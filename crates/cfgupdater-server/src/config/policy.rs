//! From the configuration file to the policy that the rules work by.

use cfgupdater::core::{
    BranchName, Identity, Landing, Mode, Policy, RequiredCheck, RequiredChecks, SetPolicy, TargetPolicy,
    WavePolicy,
};
use toml::Spanned;

use super::file::{self, Repo, Required, Target, Wave};
use super::render::RenderKind;

impl Repo {
    /// Builds the policy; `stable` is the remote's own default branch, for where none is configured.
    pub(crate) fn policy(&self, stable: BranchName) -> Policy {
        let sets = self.image_set.iter().map(set).collect();
        let waves = self.wave.iter().map(wave).collect();
        let mut policy = Policy::new(self.stable.clone().unwrap_or(stable), sets, waves);
        for (given, branch) in [
            (&self.auto, &mut policy.auto),
            (&self.state, &mut policy.state),
            (&self.probe, &mut policy.probe),
        ] {
            if let Some(given) = given {
                branch.clone_from(given);
            }
        }
        for (given, span) in [
            (self.resync, &mut policy.resync),
            (self.batch_window, &mut policy.batch_window),
            (self.checks.not_started_timeout, &mut policy.not_started_timeout),
            (self.checks.running_timeout, &mut policy.running_timeout),
        ] {
            if let Some(given) = given {
                *span = given.0;
            }
        }
        policy.landing = match self.landing {
            file::Landing::Tip => Landing::Tip,
            file::Landing::EveryCommit => Landing::EveryCommit,
        };
        policy.mode = match self.mode {
            file::Mode::Act => Mode::Act,
            file::Mode::Observe => Mode::Observe,
        };
        policy.generation = self.generation;
        if let Some(render) = self.render.as_ref().filter(|render| *render.kind.get_ref() != RenderKind::None)
        {
            policy.generated = render.generated();
            policy.verify_generated = render.verify;
        }
        policy.required = self.required();
        policy.allow_empty_required = self.checks.allow_empty_required;
        let Identity { name, email } = Identity::default();
        policy.identity = Identity {
            name: self.commit.name.clone().map_or(name, Spanned::into_inner),
            email: self.commit.email.clone().map_or(email, Spanned::into_inner),
        };
        policy
    }

    pub(crate) fn required(&self) -> Option<RequiredChecks> {
        let checks = self.checks.required.as_ref()?.iter().map(|required| match required {
            Required::Name(name) => RequiredCheck::named(name),
            Required::Bound(bound) => {
                RequiredCheck { name: bound.name.clone(), source: Some(bound.source.clone()) }
            }
        });
        Some(RequiredChecks { checks: checks.collect(), allow_empty: self.checks.allow_empty_required })
    }
}

fn set(set: &file::ImageSet) -> SetPolicy {
    let mut policy = SetPolicy::new(set.name.get_ref().clone());
    // It was checked with the file.
    policy.layout = set.layout().unwrap_or_default();
    policy.identity = set.release_identity;
    policy.verify_images = set.verify_images.as_ref().map(|verify| *verify.get_ref()).unwrap_or_default();
    // The file was checked: what can't name one was refused.
    policy.release_file = set.release_file.as_ref().and_then(|name| name.get_ref().parse().ok());
    policy.waves = set.waves.iter().map(|wave| wave.get_ref().clone()).collect();
    policy
}

fn wave(wave: &Wave) -> WavePolicy {
    let targets = wave.targets.get_ref().iter().map(target).collect();
    let mut policy = WavePolicy::new(wave.name.get_ref().clone(), targets);
    policy.soak = wave.soak.map(|soak| soak.0).unwrap_or_default();
    policy.approval = wave.approval;
    policy.freeze.clone_from(&wave.freeze);
    policy
}

fn target(target: &Target) -> TargetPolicy {
    let mut policy = TargetPolicy::new(target.name().clone());
    policy.sets = target.sets().to_vec();
    policy
}
