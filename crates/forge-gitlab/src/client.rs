//! [`Client`]: reading the API with the project's token, whole lists or nothing.

use cfgupdater_core::{Error, ErrorKind};
use cfgupdater_forge_http::{
    Answer, Budget, HttpClient, HttpSettings, Pages, Secret, SecretSource, Trouble, next_link,
    next_page_number, now, unreadable,
};
use gitlab::api::endpoint_prelude::{Endpoint, Pageable};
use http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use reqwest::Url;
use serde::de::DeserializeOwned;

use crate::settings::GitlabSettings;

/// The header that carries the token.
const TOKEN: HeaderName = HeaderName::from_static("private-token");

/// The largest page that GitLab makes.
const PAGE: &str = "per_page=100";

/// How many items are on such a page.
const FULL: usize = 100;

/// Reads one GitLab as whoever holds the token.
#[derive(Debug)]
pub(crate) struct Client {
    http: HttpClient,
    token: SecretSource,
    base: Url,
    /// What GitLab still takes of all who ask here.
    pub(crate) budget: Budget,
}

impl Client {
    pub(crate) fn new(settings: &GitlabSettings) -> Result<Self, Error> {
        let wrong = || {
            let message = format!(
                "api_url `{}` is no address; write https://HOST/api/v4, with the subpath where there is one",
                settings.api_url
            );
            Error::new(ErrorKind::Invalid, message)
        };
        let address = settings.api_url.trim_end_matches('/');
        let base: Url = format!("{address}/").parse().map_err(|_| wrong())?;
        let mut http = HttpSettings::default();
        http.ca_file.clone_from(&settings.ca_file);
        http.proxy.clone_from(&settings.proxy);
        let http = HttpClient::new(&address.parse().map_err(|_| wrong())?, &http)?;
        Ok(Self { http, token: settings.token.clone(), base, budget: Budget::default() })
    }

    /// Returns the token, read anew so that it can be exchanged while the service runs.
    pub(crate) fn token(&self) -> Result<Secret, Error> {
        self.token.current()
    }

    /// Reads one thing.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        what: &str,
        endpoint: &(impl Endpoint + Sync),
    ) -> Result<T, Trouble> {
        let (answer, sent) = self.ask(self.url(endpoint, "")?).await?;
        if answer.status != 200 {
            return Err(Trouble::of(what, &answer, &sent));
        }
        serde_json::from_slice(&answer.body).map_err(|cause| unreadable(what).with_source(cause).into())
    }

    /// Reads a whole list, in the order of the items' keys. GitLab turns some lists page by page by the last item's key,
    /// which no change meanwhile disturbs, and the others by numbers.
    pub(crate) async fn list<K: Ord, T: DeserializeOwned>(
        &self,
        what: &str,
        endpoint: &(impl Endpoint + Pageable + Sync),
        key: fn(&T) -> K,
    ) -> Result<Vec<T>, Trouble> {
        let mut pages = Pages::new(what);
        let mut query = format!("{PAGE}&pagination=keyset");
        loop {
            let (answer, sent) = self.ask(self.url(endpoint, &query)?).await?;
            if answer.status == 405 && query.ends_with("pagination=keyset") {
                PAGE.clone_into(&mut query);
                continue;
            }
            if answer.status != 200 {
                return Err(Trouble::of(what, &answer, &sent));
            }
            let items: Vec<T> =
                serde_json::from_slice(&answer.body).map_err(|cause| unreadable(what).with_source(cause))?;
            let keyset = query.contains("pagination=keyset");
            let next = next_query(&answer.headers, keyset, items.len() >= FULL)?;
            let items = items.into_iter().map(|item| (key(&item), item));
            match pages.take(items, total(&answer.headers), next)? {
                Some(next) => query = next,
                None => return Ok(pages.finish()?),
            }
        }
    }

    /// Puts an address together; what is told of the page stands after what the endpoint asks for.
    fn url(&self, endpoint: &impl Endpoint, page: &str) -> Result<Url, Error> {
        let invalid =
            |cause| Error::new(ErrorKind::Invalid, "a request could not be made").with_source(cause);
        let mut url = self.base.join(&endpoint.endpoint()).map_err(invalid)?;
        endpoint.parameters().add_to_url(&mut url);
        let known: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        let page = page.split('&').filter(|part| {
            let name = part.split('=').next().unwrap_or_default();
            !part.is_empty() && !known.iter().any(|known| known == name)
        });
        let query: Vec<&str> =
            url.query().filter(|query| !query.is_empty()).into_iter().chain(page).collect();
        let query = query.join("&");
        url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        Ok(url)
    }

    /// Asks once; not at all while GitLab wants no requests.
    async fn ask(&self, url: Url) -> Result<(Answer, Secret), Error> {
        let token = self.token()?;
        self.budget.admit(now())?;
        let unfit = |cause: http::Error| {
            Error::new(ErrorKind::Invalid, "a request could not be made").with_source(cause.to_string())
        };
        let mut value = HeaderValue::from_str(token.expose()).map_err(|_| {
            let message = "the access token has characters that no token has; copy it again";
            Error::new(ErrorKind::Unauthenticated, message)
        })?;
        value.set_sensitive(true);
        let request = Request::get(url.as_str())
            .header(TOKEN, value)
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, concat!("cfgupdater/", env!("CARGO_PKG_VERSION")))
            .body(Vec::new())
            .map_err(unfit)?;
        let answer = self.http.send(request).await?;
        self.budget.record(answer.status, &answer.headers, "", now());
        Ok((answer, token))
    }
}

/// Returns the query of the next page. Of a link only the query is taken: GitLab writes its own name for itself into
/// links, which is not always the one it is reached by, and the token goes nowhere else.
///
/// Keys need no more than a link, so the last page tells nothing. A full one that tells nothing may be the last, or have lost
/// its headers on the way, or be one of many that GitLab never turns by keys: numbers, from the first page on, tell.
fn next_query(headers: &HeaderMap, keyset: bool, full: bool) -> Result<Option<String>, Error> {
    if headers.contains_key("x-next-page") {
        let number = next_page_number(headers)?;
        return Ok(number.map(|number| format!("{PAGE}&page={number}")));
    }
    match next_link(headers)? {
        Some(link) => {
            let query = link.split_once('?').map(|(_, query)| query.to_owned());
            let lost = || {
                let message = "the link to the next page says nothing of it; the list is read again";
                Error::new(ErrorKind::Unavailable, message)
            };
            query.filter(|query| !query.is_empty()).ok_or_else(lost).map(Some)
        }
        None if keyset => Ok(full.then(|| PAGE.to_owned())),
        None => next_page_number(headers).map(|_| None),
    }
}

/// Returns how many items there are, where GitLab tells.
fn total(headers: &HeaderMap) -> Option<usize> {
    headers.get("x-total")?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitlab::api::projects::pipelines::{PipelineJobs, Pipelines};

    fn client(api_url: &str) -> Client {
        let mut settings =
            GitlabSettings::new("acme/deep/cfg".parse().unwrap(), SecretSource::variable("TOKEN"));
        api_url.clone_into(&mut settings.api_url);
        Client::new(&settings).unwrap()
    }

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_subpath_and_groups_are_kept() {
        let jobs = PipelineJobs::builder().project("acme/deep/cfg").pipeline(7).build().unwrap();
        for api_url in ["https://gl.example/git/api/v4", "https://gl.example/git/api/v4/"] {
            let url = client(api_url).url(&jobs, "").unwrap();
            assert_eq!(
                url.as_str(),
                "https://gl.example/git/api/v4/projects/acme%2Fdeep%2Fcfg/pipelines/7/jobs"
            );
        }
    }

    #[test]
    fn a_page_is_asked_for_besides_what_the_endpoint_asks() {
        let pipelines = Pipelines::builder().project("acme/cfg").sha("abc").build().unwrap();
        let url =
            client("https://gl.example/api/v4").url(&pipelines, "per_page=100&sha=other&page=2").unwrap();
        assert_eq!(url.query(), Some("sha=abc&per_page=100&page=2"));
    }

    #[test]
    fn the_next_page_is_a_number_or_a_key() {
        let next =
            |fields: &[(&'static str, &str)], keyset| next_query(&headers(fields), keyset, false).unwrap();
        assert_eq!(next(&[("x-next-page", "3")], true).as_deref(), Some("per_page=100&page=3"));
        assert_eq!(next(&[("x-next-page", "")], true), None);
        let link = "<http://elsewhere.example/api/v4/x?cursor=abc&per_page=100>; rel=\"next\"";
        assert_eq!(next(&[("link", link)], true).as_deref(), Some("cursor=abc&per_page=100"));
        assert_eq!(next(&[], true), None);
    }

    #[test]
    fn a_list_by_numbers_that_does_not_tell_the_next_is_no_last_page() {
        for full in [false, true] {
            next_query(&headers(&[]), false, full).unwrap_err();
            next_query(&headers(&[("x-next-page", "two")]), true, full).unwrap_err();
            next_query(&headers(&[("link", "<http://a/b>; rel=\"next\"")]), true, full).unwrap_err();
        }
    }

    #[test]
    fn a_full_page_without_a_link_is_read_again_by_numbers() {
        assert_eq!(next_query(&headers(&[]), true, true).unwrap().as_deref(), Some(PAGE));
        let last = [("x-next-page", "")];
        assert_eq!(next_query(&headers(&last), true, true).unwrap(), None);
    }
}
