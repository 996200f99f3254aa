//! What is refused of a webhook before anybody looks at its signature.

use cfgupdater_core::{Error, ErrorKind, WebhookDelivery};

/// Largest body that is hashed, in bytes: no forge sends larger ones. A service that reads bodies may well stop earlier.
///
/// Source: <https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap>.
pub const WEBHOOK_CAP: usize = 25 * 1024 * 1024;

/// Makes sure that a delivery is small and not compressed: who isn't known yet shall cost little, and a signature is
/// made over the bytes as they were sent.
///
/// # Errors
/// Fails with [`ErrorKind::Invalid`].
pub fn check_delivery(delivery: &WebhookDelivery<'_>) -> Result<(), Error> {
    if delivery.body.len() > WEBHOOK_CAP {
        let message = format!("the webhook's body is larger than {WEBHOOK_CAP} bytes; nothing is lost by it");
        return Err(Error::new(ErrorKind::Invalid, message));
    }
    match delivery.header("content-encoding").map(str::trim) {
        None | Some("" | "identity") => Ok(()),
        Some(_) => {
            let message = "the webhook's body is compressed; send it as it was signed";
            Err(Error::new(ErrorKind::Invalid, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_compressed_bodies_are_refused() {
        check_delivery(&WebhookDelivery::new(&[], &vec![b' '; WEBHOOK_CAP])).unwrap();
        check_delivery(&WebhookDelivery::new(&[], &vec![b' '; WEBHOOK_CAP + 1])).unwrap_err();
        let encoded = |encoding: &str| [("content-encoding".to_owned(), encoding.to_owned())];
        check_delivery(&WebhookDelivery::new(&encoded("gzip"), b"{}")).unwrap_err();
        check_delivery(&WebhookDelivery::new(&encoded("identity"), b"{}")).unwrap();
    }
}
