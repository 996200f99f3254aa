//! [`Double`]: a registry in memory that keeps to the rules, except where a test has it break one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use cfgupdater_core::ImageDigest;
use cfgupdater_image_builder::Repository;

use crate::http_server::{Answer, Reaction, Request, Service, serve};

/// A repository's path, and a digest or a tag.
type Key = (String, String);
/// Form and bytes of each manifest.
type Manifests = BTreeMap<Key, (String, Vec<u8>)>;
type Fault = Box<dyn Fn(&Request) -> Reaction + Send + Sync>;

/// The content of a registry, what was asked of it, and what it does wrong.
pub(crate) struct Double {
    pub(crate) address: String,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    blobs: Mutex<BTreeMap<Key, Vec<u8>>>,
    manifests: Mutex<Manifests>,
    sessions: Mutex<BTreeMap<String, Vec<u8>>>,
    seen: Mutex<Vec<Request>>,
    fault: Mutex<Option<Fault>>,
}

impl Double {
    pub(crate) fn start() -> Self {
        let inner = Arc::new(Inner::default());
        let address = serve(Arc::clone(&inner) as Arc<dyn Service>);
        Self { address, inner }
    }

    /// Has the registry look at every request with `fault` first.
    pub(crate) fn with_fault(self, fault: impl Fn(&Request) -> Reaction + Send + Sync + 'static) -> Self {
        *self.inner.fault.lock().unwrap() = Some(Box::new(fault));
        self
    }

    /// Has the registry answer every question about manifests so, until there is no such answer.
    pub(crate) fn answer_manifests(&self, answer: Option<Answer>) {
        let fault = answer.map(|answer| -> Fault {
            Box::new(move |request| {
                let is_asked = request.path.contains("/manifests/");
                if is_asked { Reaction::Answer(answer.clone()) } else { Reaction::Serve }
            })
        });
        *self.inner.fault.lock().unwrap() = fault;
    }

    pub(crate) fn repository(&self, path: &str) -> Repository {
        format!("{}/{path}", self.address).parse().unwrap()
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// Returns the methods and paths of what was asked, `PUT /v2/a/manifests/v1`.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.seen().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    pub(crate) fn blob(&self, path: &str, digest: &ImageDigest) -> Option<Vec<u8>> {
        self.inner.blobs.lock().unwrap().get(&(path.to_owned(), digest.to_string())).cloned()
    }

    /// Has the registry lose everything it has of a repository but its tags.
    pub(crate) fn lose_content(&self, path: &str) {
        self.inner.blobs.lock().unwrap().retain(|(of, _), _| of != path);
    }

    /// Has the registry lose a manifest, which tags may lead to all the same.
    pub(crate) fn lose_manifest(&self, path: &str, digest: &ImageDigest) {
        self.inner.manifests.lock().unwrap().remove(&(path.to_owned(), digest.to_string()));
    }

    pub(crate) fn put_blob(&self, path: &str, bytes: &[u8]) -> ImageDigest {
        let digest = ImageDigest::of(bytes);
        self.inner.blobs.lock().unwrap().insert((path.to_owned(), digest.to_string()), bytes.to_vec());
        digest
    }
}

impl Service for Inner {
    fn react(&self, request: &Request) -> Reaction {
        self.seen.lock().unwrap().push(request.clone());
        self.fault.lock().unwrap().as_ref().map_or(Reaction::Serve, |fault| fault(request))
    }

    fn answer(&self, request: &Request, body: Vec<u8>) -> Answer {
        let path = request.path.strip_prefix("/v2/").unwrap_or_default();
        for (kind, serve) in [
            ("/blobs/uploads/", Self::upload as fn(&Self, &Request, &str, &str, Vec<u8>) -> Answer),
            ("/blobs/", Self::read_blob),
            ("/manifests/", Self::manifest),
        ] {
            if let Some((name, rest)) = path.rsplit_once(kind) {
                return serve(self, request, name, rest, body);
            }
        }
        Answer::status(if path.is_empty() { 200 } else { 404 })
    }
}

impl Inner {
    fn upload(&self, request: &Request, name: &str, session: &str, body: Vec<u8>) -> Answer {
        let mut blobs = self.blobs.lock().unwrap();
        if request.method == "POST" {
            if let (Some(digest), Some(from)) = (request.parameter("mount"), request.parameter("from"))
                && let Some(bytes) = blobs.get(&(from, digest.clone())).cloned()
            {
                blobs.insert((name.to_owned(), digest), bytes);
                return Answer::status(201);
            }
            let session = self.seen.lock().unwrap().len();
            let location = format!("/v2/{name}/blobs/uploads/{session}?_state=x");
            return Answer::status(202).with("location", location);
        }
        let mut sessions = self.sessions.lock().unwrap();
        let sent = sessions.entry(session.to_owned()).or_default();
        if request.method == "PATCH" {
            let range = request.header("content-range").unwrap();
            if range != format!("{}-{}", sent.len(), sent.len() + body.len() - 1) {
                return Answer::status(416);
            }
            sent.extend(body);
            return Answer::status(202).with("location", request.path.clone());
        }
        let body = [std::mem::take(sent), body].concat();
        let digest = request.parameter("digest").unwrap_or_default();
        if request.method != "PUT" || ImageDigest::of(&body).as_str() != digest {
            return Answer::status(400).body(r#"{"errors":[{"code":"DIGEST_INVALID","message":"x"}]}"#);
        }
        blobs.insert((name.to_owned(), digest), body);
        Answer::status(201)
    }

    fn read_blob(&self, _request: &Request, name: &str, digest: &str, _body: Vec<u8>) -> Answer {
        match self.blobs.lock().unwrap().get(&(name.to_owned(), digest.to_owned())) {
            Some(bytes) => Answer::status(200).body(bytes.clone()),
            None => Answer::status(404),
        }
    }

    fn manifest(&self, request: &Request, name: &str, reference: &str, body: Vec<u8>) -> Answer {
        let key = |reference: &str| (name.to_owned(), reference.to_owned());
        let mut manifests = self.manifests.lock().unwrap();
        if request.method == "PUT" {
            if let Some(code) = self.lacks(name, &body, &manifests) {
                let said = format!(r#"{{"errors":[{{"code":"{code}","message":"x"}}]}}"#);
                return Answer::status(400).body(said);
            }
            let media_type = request.header("content-type").unwrap().to_owned();
            let digest = ImageDigest::of(&body).to_string();
            manifests.insert(key(&digest), (media_type.clone(), body.clone()));
            manifests.insert(key(reference), (media_type, body));
            return Answer::status(201).with("docker-content-digest", digest);
        }
        if request.method == "DELETE" {
            let before = manifests.len();
            manifests
                .retain(|(path, _), (_, body)| path != name || ImageDigest::of(body).as_str() != reference);
            return Answer::status(if manifests.len() < before { 202 } else { 404 });
        }
        match manifests.get(&key(reference)) {
            None => Answer::status(404),
            Some((media_type, body)) => Answer::status(200)
                .with("docker-content-digest", ImageDigest::of(body).to_string())
                .with("content-type", media_type.clone())
                .body(body.clone()),
        }
    }

    /// Says what is wrong where something that a manifest names isn't there.
    fn lacks(&self, name: &str, manifest: &[u8], manifests: &Manifests) -> Option<&'static str> {
        let manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
        let listed = |list: &str| manifest[list].as_array().cloned().unwrap_or_default();
        let key = |part: &serde_json::Value| Some((name.to_owned(), part["digest"].as_str()?.to_owned()));
        let blobs = self.blobs.lock().unwrap();
        let parts = listed("layers").into_iter().chain([manifest["config"].clone()]);
        if !parts.filter_map(|part| key(&part)).all(|key| blobs.contains_key(&key)) {
            return Some("MANIFEST_BLOB_UNKNOWN");
        }
        let images = listed("manifests");
        let has_all = images.iter().filter_map(key).all(|key| manifests.contains_key(&key));
        (!has_all).then_some("MANIFEST_UNKNOWN")
    }
}
