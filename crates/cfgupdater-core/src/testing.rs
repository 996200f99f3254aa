//! Values for the unit tests of this crate.

use std::collections::BTreeMap;

use crate::image::{Image, ImageMap};
use crate::intent::{Action, Announcement, Intent, promotion_id};
use crate::object_id::{AppSha, CommitId, ObjectId};
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
    ImageMap::new(services.iter().map(|(name, n)| (name.parse().unwrap(), image(name, *n))).collect::<BTreeMap<_, _>>())
}

pub(crate) fn announcement(set: &str, n: u8) -> Announcement {
    Announcement { set: set.parse().unwrap(), app_sha: app_sha(n), sequence: None, attempt: 1, images: images(&[("web", n)]) }
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
