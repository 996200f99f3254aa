//! A repository whose targets follow stable, and what becomes of their words.

use std::path::Path;

use cfgupdater_tests::{
    API_TOKEN, Cluster, DeployApi, Follower, Options, Remote, Service, Waves, Word, eventually, git,
};

use crate::deploy_hooks::{introduce, notify, post};
use crate::deploy_pull::{let_it_look, promotion};

const WAVES: Waves = &[
    ("staging", &["argo-1", "argo-2"]),
    ("internal", &["flux-1", "helm-1"]),
    ("production", &["argo-3", "flux-2", "helm-2"]),
];

/// What becomes of a target's word.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    Sent,
    Doubled,
    Lost,
    /// Success is told too early, then the target fails and nobody says so. Once it is mended, nobody says so either.
    Early,
}

fn follower(target: &str) -> Follower {
    match target.split_once('-') {
        Some(("argo", _)) => Follower::Application,
        Some(("flux", _)) => Follower::Kustomization,
        _ => Follower::HelmRelease,
    }
}

fn options(directory: &Path, argo_cd: &DeployApi, kubernetes: &DeployApi) -> Options {
    let (token, secret) = (directory.join("token"), directory.join("secret"));
    std::fs::write(&token, API_TOKEN).unwrap();
    std::fs::write(&secret, "current\n").unwrap();
    let rules = |of_argo_cd: bool| -> String {
        let all = WAVES.iter().flat_map(|(wave, targets)| targets.iter().map(move |target| (wave, target)));
        let ours = all.filter(|(_, target)| (follower(target) == Follower::Application) == of_argo_cd);
        let rule = |(wave, target): (&&str, &&str)| {
            let (kind, namespace) = match follower(target) {
                Follower::Application => ("application", "argocd"),
                Follower::Kustomization => ("kustomization", "flux-system"),
                Follower::HelmRelease => ("helm_release", "flux-system"),
            };
            format!(
                "[[repo.deploy.map]]\n{kind} = \"cfg-app-{wave}-{target}\"\nnamespace = \"{namespace}\"\n\
                 wave = \"{wave}\"\ntarget = \"{target}\"\n"
            )
        };
        ours.map(rule).collect()
    };
    let pull = |api: &str, server: &DeployApi| {
        format!(
            "[repo.deploy.pull]\napi = \"{api}\"\nurl = \"{}\"\ntoken_file = \"{}\"\ninterval = \"500ms\"\nper_minute = 600\n",
            server.base(),
            token.display()
        )
    };
    let source = "source_url = \"https://git.example.com/acme/cfg-app\"\n";
    let deploy = format!(
        "[[repo.deploy]]\nname = \"argocd\"\nkind = \"argocd\"\n{source}{}{}\
         [[repo.deploy]]\nname = \"flux\"\nkind = \"flux\"\n{source}secret_file = \"{}\"\n{}{}",
        rules(true),
        pull("argocd", argo_cd),
        secret.display(),
        rules(false),
        pull("kubernetes", kubernetes)
    );
    Options { deploy, waves: WAVES, image_set: "release_file = \"release\"", ..Options::default() }
}

pub(super) struct Site<'a> {
    remote: &'a Remote,
    pub(super) service: Service,
    argo_cd: Cluster<'a>,
    flux: Cluster<'a>,
    /// All that was sent, and what got lost.
    pub(super) words: Vec<Word>,
}

impl<'a> Site<'a> {
    pub(super) fn start(remote: &'a Remote, directory: &Path, wave: &'static str) -> Self {
        let apis = [DeployApi::start(), DeployApi::start()];
        let options = Options { wave, ..options(directory, &apis[0], &apis[1]) };
        let service = Service::with(remote, &options);
        let [mut argo_cd, mut flux] = [Cluster::new(remote, &apis[0]), Cluster::new(remote, &apis[1])];
        for (wave, targets) in WAVES {
            for target in *targets {
                let of = if follower(target) == Follower::Application { &mut argo_cd } else { &mut flux };
                of.follow(wave, target, follower(target));
            }
        }
        Self { remote, service, argo_cd, flux, words: Vec::new() }
    }

    pub(super) fn of(&mut self, target: &str) -> &mut Cluster<'a> {
        if follower(target) == Follower::Application { &mut self.argo_cd } else { &mut self.flux }
    }

    pub(super) fn send(&mut self, word: Word) {
        match word.from {
            Follower::Application => notify(&self.service, &word.body).ok(),
            _ => post(&self.service, &word.body, "current").ok(),
        };
        self.words.push(word);
        self.nothing_came_early();
    }

    /// Every promotion there is was made once all targets of the wave that it came from had run those images.
    fn nothing_came_early(&self) {
        for commit in git(self.remote.path(), &["rev-list", "master", "auto"]).lines() {
            if self.remote.trailer(commit, "Autocommit-Kind") != "promote" {
                continue;
            }
            let [from, to] =
                ["From", "Target"].map(|key| self.remote.trailer(commit, &format!("Autocommit-{key}")));
            let images = self.argo_cd.images(commit, &to).expect("it promotes images");
            for cluster in [&self.argo_cd, &self.flux] {
                let never = cluster.never_ran(&from, &images);
                assert!(never.is_empty(), "{commit} left {from} before {never:?} ran it");
            }
        }
    }

    pub(super) fn begin(&mut self, target: &str) {
        self.of(target).begin(target);
        self.nothing_came_early();
        self.of(target).go_on(target);
    }

    pub(super) fn meet(&mut self, wave: &str, target: &str, fate: Fate) {
        self.of(target).begin(target);
        if matches!(fate, Fate::Early) {
            let early = self.of(target).early(target);
            self.send(early);
        }
        self.of(target).go_on(target);
        let word = self.of(target).finish(target, !matches!(fate, Fate::Early));
        match fate {
            Fate::Sent => self.send(word),
            Fate::Doubled => {
                self.send(word.clone());
                self.send(word);
            }
            Fate::Lost | Fate::Early => self.words.push(word),
        }
        self.of(target).show(target);
        if matches!(fate, Fate::Early) {
            self.heard(wave, target, "failed");
        }
        self.nothing_came_early();
    }

    /// Waits until the service knows how a target is.
    pub(super) fn heard(&self, wave: &str, target: &str, status: &str) {
        eventually("the target's word", || {
            let known = self.service.repo();
            let named = |list: &serde_json::Value, name: &str| {
                list.as_array()?.iter().find(|one| one["name"] == name).cloned()
            };
            let found = named(&named(&known["waves"], wave)?["targets"], target)?;
            (found["reports"][0]["status"] == status).then_some(())
        });
    }

    /// Lets all targets of a wave follow stable. Those that failed are mended last.
    pub(super) fn roll_out(&mut self, wave: &str, fates: &[(&str, Fate)]) {
        for (target, fate) in fates {
            self.meet(wave, target, *fate);
        }
        let failed = fates.iter().filter(|(_, fate)| matches!(fate, Fate::Early));
        for (target, _) in failed {
            let_it_look(&self.service);
            self.nothing_came_early();
            self.begin(target);
            let word = self.of(target).finish(target, true);
            self.words.push(word);
            self.of(target).show(target);
        }
    }

    /// Carries build `n` to production.
    pub(super) fn carry(&mut self, n: u32, fates: [&[(&str, Fate)]; 3]) {
        introduce(self.remote, &self.service, n);
        self.roll_out("staging", fates[0]);
        promotion(self.remote, &self.service, "internal");
        self.nothing_came_early();
        self.roll_out("internal", fates[1]);
        promotion(self.remote, &self.service, "production");
        self.nothing_came_early();
        for (target, fate) in fates[2] {
            self.meet("production", target, *fate);
        }
        let images = self.remote.file("master", "images/staging/tags.json");
        assert!(images.as_ref().is_some_and(|images| images.contains(&cfgupdater_tests::app_sha(n))));
        for (target, _) in fates[2] {
            assert_eq!(self.of(target).runs(target), images.as_deref(), "{target}");
        }
    }
}
