//! [`RegistryClient`]: reads and pushes images at any registry.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "builder")]
use super::address;
use super::exchange::Exchange;
use super::settings::RegistrySettings;
use super::traffic::Traffic;

/// Reads and pushes images at any OCI distribution registry. Clones share connections, tokens and counters.
///
/// What fails in passing is repeated; what a registry sends is checked against its digest and its size before it is
/// returned. Logins are shown to the registry they are for and to the token server it names, and to nobody else.
#[derive(Debug, Clone)]
pub struct RegistryClient {
    exchange: Arc<Exchange>,
}

impl RegistryClient {
    /// Makes a client. Nothing is read or sent until something is asked.
    pub fn new(settings: RegistrySettings) -> Self {
        Self { exchange: Arc::new(Exchange::new(settings)) }
    }

    /// Returns what was sent and received so far.
    pub fn traffic(&self) -> Traffic {
        self.exchange.counters.total()
    }

    /// Tells whether a host is talked to without TLS.
    #[cfg(feature = "builder")]
    pub(crate) fn is_plain(&self, host: &str) -> bool {
        address::base(host, &self.exchange.settings).is_ok_and(|url| url.scheme() == "http")
    }

    pub(super) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    pub(super) fn patience(&self) -> Duration {
        self.exchange.settings.retry_for
    }
}
