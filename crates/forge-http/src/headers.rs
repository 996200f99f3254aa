//! [`Headers`]: header fields, whoever holds them.

use cfgupdater_core::WebhookDelivery;

/// Header fields of a request or an answer.
pub trait Headers {
    /// Returns the first value of a field by its lower-case name, where it is text.
    fn field(&self, name: &str) -> Option<&str>;
}

impl Headers for http::HeaderMap {
    fn field(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }
}

impl Headers for WebhookDelivery<'_> {
    fn field(&self, name: &str) -> Option<&str> {
        self.header(name)
    }
}

impl Headers for [(&str, &str)] {
    fn field(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }
}

impl<const N: usize> Headers for [(&str, &str); N] {
    fn field(&self, name: &str) -> Option<&str> {
        self.as_slice().field(name)
    }
}
