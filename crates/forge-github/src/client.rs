//! [`Client`]: reading the API as the repository's installation, whole lists or nothing.

use cfgupdater_core::{Error, ErrorKind};
use cfgupdater_forge_http::{Answer, Pages, Secret, Trouble, next_link, now, same_origin, unreadable};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::auth::Auth;
use crate::page_cache::{Kept, PageCache};
use crate::settings::GithubSettings;
use crate::transport::{Ask, Transport};

/// Reads one repository's part of the API.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) transport: Transport,
    pub(crate) auth: Auth,
    pub(crate) cache: PageCache,
    api_url: String,
}

/// What a page says.
#[derive(Debug)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) total: Option<usize>,
    next: Option<String>,
}

/// Reads the items of a page, and how many there are in all where it tells.
pub(crate) type Parse<T> = fn(&[u8]) -> serde_json::Result<(Vec<T>, Option<usize>)>;

/// Reads a page that is one thing.
pub(crate) fn one<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<(Vec<T>, Option<usize>)> {
    Ok((vec![serde_json::from_slice(body)?], None))
}

/// Reads a page that is an array.
pub(crate) fn array<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<(Vec<T>, Option<usize>)> {
    Ok((serde_json::from_slice(body)?, None))
}

impl Client {
    pub(crate) fn new(settings: &GithubSettings) -> Result<Self, Error> {
        Ok(Self {
            transport: Transport::new(settings)?,
            auth: Auth::new(settings.login.clone(), settings.repository.clone()),
            cache: PageCache::default(),
            api_url: settings.api_url.trim_end_matches('/').to_owned(),
        })
    }

    /// Returns a token for this repository.
    pub(crate) async fn token(&self) -> Result<Secret, Error> {
        self.auth.token(&self.transport).await
    }

    /// Reads one thing.
    pub(crate) async fn read<T: Serialize + DeserializeOwned>(
        &self,
        what: &str,
        target: &str,
    ) -> Result<T, Trouble> {
        let mut page = self.page(what, target, one).await?;
        page.items.pop().ok_or_else(|| unreadable(what).into())
    }

    /// Reads a whole list, in the order of the items' keys.
    pub(crate) async fn list<K: Ord, T: Serialize + DeserializeOwned>(
        &self,
        what: &str,
        target: &str,
        parse: Parse<T>,
        key: fn(&T) -> K,
    ) -> Result<Vec<T>, Trouble> {
        let mut pages = Pages::new(what);
        let mut target = target.to_owned();
        loop {
            let page = self.page(what, &target, parse).await?;
            let items = page.items.into_iter().map(|item| (key(&item), item));
            match pages.take(items, page.total, page.next)? {
                Some(next) => target = next,
                None => return Ok(pages.finish()?),
            }
        }
    }

    /// Reads a page, or has GitHub confirm the one that is known.
    async fn page<T: Serialize + DeserializeOwned>(
        &self,
        what: &str,
        target: &str,
        parse: Parse<T>,
    ) -> Result<Page<T>, Trouble> {
        let kept = self.cache.get(target);
        let ask = Ask { known: kept.as_ref().map(|kept| kept.mark.as_str()), ..Ask::get(target) };
        let (answer, sent) = self.ask(ask).await?;
        if let (304, Some(kept)) = (answer.status, &kept) {
            let items = serde_json::from_slice(&kept.items).map_err(|_| unreadable(what))?;
            return Ok(Page { items, total: kept.total, next: kept.next.clone() });
        }
        if answer.status != 200 {
            return Err(Trouble::of(what, &answer, &sent));
        }
        let (items, total) = parse(&answer.body).map_err(|cause| unreadable(what).with_source(cause))?;
        let next = next_link(&answer.headers)?.map(|next| self.below_api(&next)).transpose()?;
        let mark = answer.headers.get(http::header::ETAG).and_then(|mark| mark.to_str().ok());
        if let (Some(mark), Ok(encoded)) = (mark, serde_json::to_vec(&items)) {
            self.cache.put(target, Kept { mark: mark.to_owned(), items: encoded, total, next: next.clone() });
        }
        Ok(Page { items, total, next })
    }

    /// Asks as the installation. A token that no longer holds is replaced once, and one that was made without a right in
    /// the hope that it was granted meanwhile.
    async fn ask(&self, ask: Ask<'_>) -> Result<(Answer, Secret), Error> {
        let token = self.token().await?;
        let answer = self.transport.send(ask, &token).await?;
        let replaced = match answer.status {
            401 if self.auth.renews() => {
                self.auth.forget(&token).await;
                true
            }
            // A limit is told by the same number, and is no matter of rights.
            403 if self.transport.budget.admit(now()).is_ok() => self.auth.hope(&token).await,
            _ => false,
        };
        if !replaced {
            return Ok((answer, token));
        }
        let token = self.token().await?;
        let answer = self.transport.send(ask, &token).await?;
        Ok((answer, token))
    }

    /// Asks as the App itself; `None` where there is no App.
    pub(crate) async fn as_app<T: DeserializeOwned>(
        &self,
        what: &str,
        target: &str,
    ) -> Result<Option<T>, Trouble> {
        let Some(word) = self.auth.app_word()? else { return Ok(None) };
        let answer = self.transport.send_as_app(Ask::get(target), &word).await?;
        if answer.status != 200 {
            return Err(self.auth.trouble(what, &answer, &word));
        }
        serde_json::from_slice(&answer.body)
            .map(Some)
            .map_err(|cause| unreadable(what).with_source(cause).into())
    }

    /// Asks for something to be done, as the App itself.
    pub(crate) async fn post_as_app(&self, what: &str, target: &str) -> Result<(), Trouble> {
        let Some(word) = self.auth.app_word()? else { return Ok(()) };
        let answer = self.transport.send_as_app(Ask::post(target, None), &word).await?;
        let done = (200..300).contains(&answer.status);
        if done { Ok(()) } else { Err(self.auth.trouble(what, &answer, &word)) }
    }

    /// Returns the part of a link that stands below the API's address: the token goes nowhere else.
    fn below_api(&self, link: &str) -> Result<String, Error> {
        let below = link.strip_prefix(&self.api_url).filter(|rest| rest.starts_with('/'));
        below.filter(|_| same_origin(link, &self.api_url)).map(str::to_owned).ok_or_else(|| {
            let message =
                format!("the next page is said to be elsewhere than below {}; check api_url", self.api_url);
            Error::new(ErrorKind::Unavailable, message)
        })
    }
}
