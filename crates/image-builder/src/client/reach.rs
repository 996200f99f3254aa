//! Whether a registry is there and lets us in.

use cfgupdater_core::Error;
use reqwest::Method;

use super::address::base;
use super::registry_client::RegistryClient;
use super::request::Request;
use super::retry::retrying;
use super::scope::Scope;

impl RegistryClient {
    /// Asks a registry, named as in references, whether it is one and takes the login that is kept for it. What that
    /// login may see there is another question.
    ///
    /// # Errors
    /// Fails where the registry can't be reached, turns us away or is none.
    pub async fn reach(&self, host: &str) -> Result<(), Error> {
        let action = format!("reach registry {host}");
        let scope = Scope::entry(host);
        let request = Request::new(&action, Method::GET, base(host, &self.exchange().settings)?, &scope);
        retrying(self.patience(), || async {
            let answer = self.exchange().send(&request).await?;
            if answer.status().is_success() { Ok(()) } else { Err(answer.into_error().await) }
        })
        .await
    }
}
