//! What the adapters of forges share, and what a custom one would otherwise write again.
//!
//! No HTTP client's type is named: headers are anything that implements [`Headers`], and [`HttpClient`] keeps its own
//! to itself. Which requests are made stays with the adapter.
//!
//! | question | answer |
//! |---|---|
//! | was this webhook sent by who knows the secret? | [`verify_hmac`], [`verify_standard`], [`verify_shared`] |
//! | is it worth reading at all? | [`check_delivery`] |
//! | which secrets are valid now? | [`SecretSource`] |
//! | have all pages been read? | [`Pages`], [`next_link`], [`next_page_number`] |
//! | why did a request fail, and when may it be tried again? | [`failure`] |
//! | how much may still be asked? | [`Budget`] |
//! | who answers? | [`HttpClient`] |

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod budget;
mod clock;
mod delivery;
mod failure;
mod headers;
mod http_client;
mod paging;
mod rate_limit;
mod secret;
mod secret_source;
mod signature;
mod standard_webhooks;
mod text;
mod trouble;

pub use budget::{Budget, Spending};
pub use clock::now;
pub use delivery::{WEBHOOK_CAP, check_delivery};
pub use failure::{Refused, failure, kind_of};
pub use headers::Headers;
pub use http_client::{Answer, HttpClient, HttpSettings, is_loopback};
pub use paging::{Pages, next_link, next_page_number, same_origin};
pub use rate_limit::{RateLimit, wait};
pub use secret::{Secret, redact};
pub use secret_source::SecretSource;
pub use signature::{Form, sign_hmac, verify_hmac, verify_shared};
pub use standard_webhooks::{StandardHeaders, verify_standard};
pub use text::{summary, time, word};
pub use trouble::{Trouble, unreadable};
