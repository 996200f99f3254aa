//! What wrong adapters make of webhooks.

use cfgupdater_core::{Error, ErrorKind, Forge, WebhookDelivery, WebhookMeaning};
use cfgupdater_testkit::conformance::forge::ForgeHarness;

use super::{WrongForge, right_signature};
use crate::Wrong;

/// Where the in-memory forge puts its signature.
const HEADER: &str = "x-memory-signature";

impl WrongForge {
    pub(super) fn decode(&self, delivery: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error> {
        if self.wrong == Wrong::TakesWebhooksThatItDoesNotHave {
            return Ok(WebhookMeaning::Look);
        }
        if self.is_taken_for_authentic(delivery) {
            return self.meaning(delivery);
        }
        if self.wrong == Wrong::ReadsBeforeItAuthenticates {
            self.meaning(delivery)?;
        }
        match self.inner.decode_webhook(delivery) {
            Ok(read) => self.authentic(delivery, read),
            Err(error) => Err(self.refusal(error)),
        }
    }

    /// Does what is wrong with a webhook that is signed as it should be.
    fn authentic(
        &self,
        delivery: &WebhookDelivery<'_>,
        read: WebhookMeaning,
    ) -> Result<WebhookMeaning, Error> {
        let refuse = |kind| Err(Error::new(kind, "this webhook is not wanted"));
        let header = |name| delivery.header(name).is_some();
        let ignored = read == WebhookMeaning::Ignore;
        match self.wrong {
            Wrong::ChoosesByHeader if header("x-github-event") => Ok(WebhookMeaning::Ignore),
            Wrong::RefusesUnknownEvents if ignored => refuse(ErrorKind::Invalid),
            Wrong::LooksForOtherRepositories => Ok(WebhookMeaning::Look),
            Wrong::IgnoresEveryWebhook => Ok(WebhookMeaning::Ignore),
            Wrong::KnowsOneSecret if !self.is_signed(delivery, 0) => refuse(ErrorKind::Unauthenticated),
            Wrong::RefusesReplays if self.is_replay(delivery.body) => refuse(ErrorKind::Invalid),
            _ => Ok(read),
        }
    }

    /// Says what is wrong with a webhook, as this adapter does.
    fn refusal(&self, error: Error) -> Error {
        match (self.wrong, error.kind()) {
            (Wrong::CallsOddBodiesForbidden, ErrorKind::Invalid) => {
                Error::new(ErrorKind::Forbidden, "this webhook is not wanted")
            }
            (Wrong::TellsSecretsToStrangers, kind) => {
                Error::new(kind, format!("not signed with {}", self.secrets()[0]))
            }
            _ => error,
        }
    }

    /// Reads a webhook as if it were signed.
    fn meaning(&self, delivery: &WebhookDelivery<'_>) -> Result<WebhookMeaning, Error> {
        let signature = right_signature(&self.server, delivery, &self.secrets()[0]);
        let headers = [(HEADER.to_owned(), signature)];
        self.inner.decode_webhook(&WebhookDelivery::new(&headers, delivery.body))
    }

    /// Takes what isn't authentic for authentic, as this adapter does.
    fn is_taken_for_authentic(&self, delivery: &WebhookDelivery<'_>) -> bool {
        let right = right_signature(&self.server, delivery, &self.secrets()[0]);
        let Some(given) = delivery.header(HEADER) else {
            let elsewhere = delivery.headers.iter().any(|(_, value)| *value == right);
            return match self.wrong {
                Wrong::TakesUnsignedWebhooks | Wrong::TakesEveryWebhook => true,
                Wrong::TakesOtherForgesSignatures => elsewhere,
                _ => false,
            };
        };
        match self.wrong {
            Wrong::TakesEveryWebhook => true,
            Wrong::ComparesSignaturesByPrefix => given.bytes().zip(right.bytes()).all(|(a, b)| a == b),
            Wrong::IgnoresTheEndOfSignatures => given.starts_with(&right),
            Wrong::SkipsCharactersOfSignatures => given.len() == right.len() && given[1..] == right[1..],
            Wrong::TakesWebhooksSignedWithNothing => given == right_signature(&self.server, delivery, ""),
            // It keeps the signatures it has seen, whatever they were made over.
            Wrong::TakesAnySignatureOnce => given.len() == right.len() && !self.is_replay(given.as_bytes()),
            _ => false,
        }
    }

    fn is_signed(&self, delivery: &WebhookDelivery<'_>, secret: usize) -> bool {
        let right = right_signature(&self.server, delivery, &self.secrets()[secret]);
        delivery.header(HEADER) == Some(right.as_str())
    }

    fn is_replay(&self, what: &[u8]) -> bool {
        let mut seen = self.seen.lock().unwrap();
        let known = seen.iter().any(|one| one == what);
        seen.push(what.to_vec());
        known
    }

    fn secrets(&self) -> Vec<String> {
        self.server.signing().unwrap().secrets
    }
}
