//! Webhooks: authentic or refused, and a look at most.

use cfgupdater_core::{Error, ErrorKind, Forge, WebhookDelivery, WebhookMeaning, explain};

use super::case::{CaseResult, Unmet, broken, ensure};
use super::harness::{ForgeHarness, Webhook, WebhookEvent};
use super::scene::Scene;

const EVENTS: [WebhookEvent; 3] =
    [WebhookEvent::CheckChanged, WebhookEvent::StableMoved, WebhookEvent::RequirementsChanged];

/// What other forges put on their webhooks. Some forges send the headers of others along.
const STRANGE_HEADERS: [(&str, &str); 10] = [
    ("x-github-event", "push"),
    ("x-gitlab-event", "Push Hook"),
    ("x-gitea-event", "push"),
    ("x-forgejo-event", "push"),
    ("x-gogs-event", "push"),
    ("x-event-key", "repo:push"),
    ("x-hub-signature", "sha1=0000000000000000000000000000000000000000"),
    ("x-hub-signature-256", "sha256=0000000000000000000000000000000000000000000000000000000000000000"),
    ("x-gitlab-token", "guessed"),
    ("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
];

/// The beginning of something compressed.
const GZIP: [u8; 16] = [0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3, 0x2b, 0xce, 0xcf, 0x4d, 0x05, 0];

/// Bodies up to here are never too large.
const MODERATE: usize = 1 << 20;

pub(super) async fn a_forge_without_webhooks_takes_none(harness: &dyn ForgeHarness) -> CaseResult {
    if harness.signing().is_ok() {
        return Err(Unmet::Undeclared("lack webhooks".to_owned()));
    }
    let forge = harness.forge().await;
    let headers: Vec<_> = STRANGE_HEADERS.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    let answer = forge.decode_webhook(&WebhookDelivery::new(&headers, b"{}"));
    ensure!(answer.is_err(), "there are no webhooks, and one is {answer:?}");
    Ok(())
}

pub(super) async fn an_authentic_webhook_causes_a_look(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let mut sent = 0;
    for event in EVENTS {
        let Ok(webhook) = harness.webhook(event) else { continue };
        let meaning = stage.accepted(&stage.sign(webhook))?;
        ensure!(meaning == WebhookMeaning::Look, "{event:?} is {meaning:?}");
        sent += 1;
    }
    ensure!(sent > 0, "a harness that signs webhooks must make some");
    Ok(())
}

pub(super) async fn every_secret_in_force_is_accepted(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    for secret in &harness.signing()?.secrets {
        stage.accepted(&stage.sign_with(stage.webhook.clone(), secret))?;
    }
    Ok(())
}

pub(super) async fn a_webhook_signed_with_another_secret_is_refused(
    harness: &dyn ForgeHarness,
) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let secret = &stage.secret;
    let others = [
        "not the secret".to_owned(),
        secret.to_uppercase(),
        format!("{secret}{secret}"),
        secret[..secret.len() - 1].to_owned(),
    ];
    for other in others.iter().filter(|other| *other != secret) {
        stage.refused(&stage.sign_with(stage.webhook.clone(), other), "signed with another secret")?;
    }
    Ok(())
}

pub(super) async fn a_webhook_signed_with_nothing_is_refused(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    stage.refused(&stage.sign_with(stage.webhook.clone(), ""), "signed with an empty secret")
}

pub(super) async fn an_unsigned_webhook_is_refused(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    stage.refused(&stage.webhook, "without a signature")?;
    for empty in ["", " ", "null", "0"] {
        stage.refused(&stage.with_signature(empty.to_owned()), "with an empty signature")?;
    }
    Ok(())
}

pub(super) async fn a_shortened_signature_is_refused(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let signature = stage.signature();
    for end in 0..signature.len() {
        stage.refused(&stage.with_signature(signature[..end].to_owned()), "with a part of the signature")?;
        stage.refused(&stage.with_signature(signature[end + 1..].to_owned()), "with the signature's end")?;
    }
    Ok(())
}

pub(super) async fn a_lengthened_signature_is_refused(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let signature = stage.signature();
    for longer in [format!("{signature}0"), format!("{signature}{signature}"), format!("0{signature}")] {
        stage.refused(&stage.with_signature(longer), "with more than the signature")?;
    }
    Ok(())
}

pub(super) async fn an_altered_signature_is_refused(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let signature = stage.signature();
    for at in 0..signature.len() {
        let other = if &signature[at..=at] == "b" { "c" } else { "b" };
        let altered = format!("{}{other}{}", &signature[..at], &signature[at + 1..]);
        if stage.is_another_spelling(&altered) {
            continue;
        }
        stage.refused(&stage.with_signature(altered), "with an altered signature")?;
    }
    Ok(())
}

pub(super) async fn an_altered_body_is_refused(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    if !harness.signing()?.covers_body {
        return Err(Unmet::Undeclared("sign the body".to_owned()));
    }
    let signed = stage.sign(stage.webhook.clone());
    let mut bodies = vec![Vec::new(), signed.body[1..].to_vec(), [&signed.body[..], b" "].concat()];
    let mut flipped = signed.body.clone();
    flipped[signed.body.len() / 2] ^= 1;
    bodies.push(flipped);
    for body in bodies {
        stage.refused(&Webhook { headers: signed.headers.clone(), body }, "with an altered body")?;
    }
    Ok(())
}

pub(super) async fn a_replayed_webhook_means_the_same(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let signed = stage.sign(stage.webhook.clone());
    let first = stage.accepted(&signed)?;
    for _ in 0..3 {
        let again = stage.accepted(&signed)?;
        ensure!(again == first, "the same webhook is {first:?} and then {again:?}");
    }
    Ok(())
}

pub(super) async fn a_webhook_of_another_repository_causes_no_look(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let other = stage.sign(harness.webhook(WebhookEvent::OtherRepository)?);
    let answer = stage.decode(&other);
    ensure!(!matches!(answer, Ok(WebhookMeaning::Look)), "what happened elsewhere causes a look here");
    Ok(())
}

pub(super) async fn an_unknown_event_is_no_error(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    // Forges switch off a webhook that is refused too often.
    stage.accepted(&stage.sign(harness.webhook(WebhookEvent::Unknown)?)).map(drop)
}

pub(super) async fn headers_of_other_forges_change_nothing(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let mut signed = stage.sign(stage.webhook.clone());
    let expected = stage.accepted(&signed)?;
    for (name, value) in STRANGE_HEADERS {
        if !signed.headers.iter().any(|(known, _)| known == name) && !stage.is_signature(name) {
            signed.headers.insert(0, (name.to_owned(), value.to_owned()));
        }
    }
    let meaning = stage.accepted(&signed)?;
    ensure!(meaning == expected, "with the headers of other forges, {expected:?} becomes {meaning:?}");
    Ok(())
}

pub(super) async fn headers_of_other_forges_prove_nothing(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    let mut unsigned = stage.webhook.clone();
    unsigned.headers.extend(STRANGE_HEADERS.map(|(name, value)| (name.to_owned(), value.to_owned())));
    stage.refused(&unsigned, "with the headers of other forges alone")?;
    // The right value under another forge's name is no signature either.
    let signature = stage.signature();
    for (name, _) in STRANGE_HEADERS.iter().filter(|(name, _)| !stage.is_signature(name)) {
        let mut moved = stage.webhook.clone();
        moved.headers.retain(|(known, _)| known != name);
        moved.headers.push(((*name).to_owned(), signature.clone()));
        stage.refused(&moved, "with its signature under another forge's name")?;
    }
    Ok(())
}

pub(super) async fn odd_bodies_are_ignored_or_invalid(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    for body in odd_bodies(&stage.webhook.body) {
        let mut odd = Webhook { body, ..stage.webhook.clone() };
        if odd.body.starts_with(&GZIP[..2]) {
            odd.headers.push(("content-encoding".to_owned(), "gzip".to_owned()));
        }
        if let Err(error) = stage.decode(&stage.sign(odd.clone())) {
            let (kind, start) = (error.kind(), String::from_utf8_lossy(&odd.body[..odd.body.len().min(20)]));
            ensure!(kind == ErrorKind::Invalid, "an authentic body `{start}…` is refused as {kind:?}");
        }
    }
    Ok(())
}

pub(super) async fn what_is_not_authentic_is_not_read(harness: &dyn ForgeHarness) -> CaseResult {
    let stage = Stage::set(harness).await?;
    // One that is too large may be refused for that alone.
    for body in odd_bodies(&stage.webhook.body).into_iter().filter(|body| body.len() < MODERATE) {
        let odd = Webhook { body, ..stage.webhook.clone() };
        stage.refused(&stage.sign_with(odd, "not the secret"), "with an odd body")?;
    }
    Ok(())
}

/// Bodies that are nothing, too much, not text, not JSON, or compressed.
fn odd_bodies(sound: &[u8]) -> Vec<Vec<u8>> {
    vec![
        Vec::new(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        b"payload=%7B%7D".to_vec(),
        sound[..sound.len() / 2].to_vec(),
        vec![0xff; 64],
        vec![0; 64],
        GZIP.to_vec(),
        b"[".repeat(200_000),
        vec![b'a'; 8 << 20],
        br#"{"repository":7,"repository":{"full_name":[]},"ref":{},"sha":null}"#.to_vec(),
    ]
}

/// An adapter, and a webhook that it takes once it is signed.
pub(super) struct Stage<'a> {
    harness: &'a dyn ForgeHarness,
    forge: std::sync::Arc<dyn Forge>,
    pub(super) webhook: Webhook,
    secret: String,
}

impl<'a> Stage<'a> {
    pub(super) async fn set(harness: &'a dyn ForgeHarness) -> Result<Self, Unmet> {
        let secret = harness.signing()?.secrets.into_iter().next();
        let Some(secret) = secret.filter(|secret| !secret.is_empty() && secret.is_ascii()) else {
            return broken("the harness must have a secret for webhooks, in ASCII");
        };
        let webhook = harness.webhook(EVENTS[0]).or_else(|_| harness.webhook(EVENTS[1]))?;
        let scene = Scene::set(harness).await;
        Ok(Self { harness, forge: scene.forge, webhook, secret })
    }

    pub(super) fn sign(&self, webhook: Webhook) -> Webhook {
        self.sign_with(webhook, &self.secret)
    }

    pub(super) fn sign_with(&self, mut webhook: Webhook, secret: &str) -> Webhook {
        let signature = self.harness.signature(&webhook, secret);
        webhook.headers.push(signature);
        webhook
    }

    fn signature(&self) -> String {
        self.harness.signature(&self.webhook, &self.secret).1
    }

    fn with_signature(&self, signature: String) -> Webhook {
        let (name, _) = self.harness.signature(&self.webhook, &self.secret);
        let mut webhook = self.webhook.clone();
        webhook.headers.push((name, signature));
        webhook
    }

    fn is_signature(&self, header: &str) -> bool {
        self.harness.signature(&self.webhook, &self.secret).0 == header
    }

    /// Tells whether an altered signature is the same bytes: the last digit of Base64 holds bits that don't count.
    fn is_another_spelling(&self, altered: &str) -> bool {
        let signature = self.signature();
        let differs = signature.bytes().zip(altered.bytes()).position(|(one, other)| one != other);
        signature.ends_with('=') && differs.is_none_or(|at| at + 3 >= signature.len())
    }

    pub(super) fn decode(&self, webhook: &Webhook) -> Result<WebhookMeaning, Error> {
        self.forge.decode_webhook(&WebhookDelivery::new(&webhook.headers, &webhook.body))
    }

    fn accepted(&self, webhook: &Webhook) -> Result<WebhookMeaning, Unmet> {
        self.decode(webhook).or_else(|error| broken(format!("an authentic webhook: {}", explain(&error))))
    }

    fn refused(&self, webhook: &Webhook, how: &str) -> CaseResult {
        match self.decode(webhook) {
            Ok(meaning) => broken(format!("a webhook {how} is taken: {meaning:?}")),
            Err(error) if error.kind() == ErrorKind::Unauthenticated => Ok(()),
            Err(error) => broken(format!("a webhook {how} is refused as {:?}", error.kind())),
        }
    }
}
