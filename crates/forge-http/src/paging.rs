//! Reading a list page by page, all of it or not at all.

use std::collections::{BTreeMap, BTreeSet};

use cfgupdater_core::{Error, ErrorKind};

use crate::headers::Headers;

/// Most pages that are read of one list.
const MOST_PAGES: usize = 100;

/// Gathers the pages of a list. What it returns in the end is complete, or an error.
///
/// Items are known by a key, since a list that grows while it is read shows some of them twice and others never.
#[derive(Debug)]
pub struct Pages<K, T> {
    what: String,
    items: BTreeMap<K, T>,
    /// How many items there are, as the latest page told.
    total: Option<usize>,
    /// What was asked for already.
    asked: BTreeSet<String>,
}

impl<K: Ord, T> Pages<K, T> {
    /// Builds an empty list; `what` names it in errors.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), items: BTreeMap::new(), total: None, asked: BTreeSet::new() }
    }

    /// Takes a page, the total it tells, and where the next one is. Returns where to go on, `None` at the end.
    ///
    /// # Errors
    /// Fails where the pages go round in a circle or never end.
    pub fn take(
        &mut self,
        items: impl IntoIterator<Item = (K, T)>,
        total: Option<usize>,
        next: Option<String>,
    ) -> Result<Option<String>, Error> {
        self.items.extend(items);
        self.total = total.or(self.total);
        let Some(next) = next else { return Ok(None) };
        if self.asked.len() + 1 >= MOST_PAGES {
            return Err(self.partial(&format!("there are more than {MOST_PAGES} pages")));
        }
        if !self.asked.insert(next.clone()) {
            return Err(self.partial("its pages go round in a circle"));
        }
        Ok(Some(next))
    }

    /// Returns all items, in the order of their keys.
    ///
    /// # Errors
    /// Fails with [`ErrorKind::Unavailable`] where fewer came than were told: the list changed meanwhile, or an answer
    /// was cut short.
    pub fn finish(self) -> Result<Vec<T>, Error> {
        match self.total {
            Some(total) if self.items.len() < total => {
                Err(self.partial(&format!("{} of {total} items came", self.items.len())))
            }
            _ => Ok(self.items.into_values().collect()),
        }
    }

    fn partial(&self, why: &str) -> Error {
        let message = format!("{} could not be read whole: {why}; it is read again", self.what);
        Error::new(ErrorKind::Unavailable, message)
    }
}

/// Returns the address of the next page from a `link` header, `None` on the last page.
///
/// # Errors
/// Fails where the header can't be read: taking it for the last page would drop the rest.
pub fn next_link(headers: &(impl Headers + ?Sized)) -> Result<Option<String>, Error> {
    let Some(header) = headers.field("link") else { return Ok(None) };
    let mut rest = header.trim();
    while !rest.is_empty() {
        let (link, parameters) =
            rest.strip_prefix('<').and_then(|rest| rest.split_once('>')).ok_or_else(unreadable)?;
        let (parameters, more) = split_at_comma(parameters);
        if parameters.split(';').any(is_next) {
            return Ok(Some(link.to_owned()));
        }
        rest = more.trim_start();
    }
    Ok(None)
}

/// Splits the parameters of one link from the links that follow, passing over quoted commas.
fn split_at_comma(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

/// Returns the number of the next page from `x-next-page`, which GitLab sends empty with the last page.
///
/// # Errors
/// Fails where the header is missing or no number: taking it for the last page would drop the rest.
pub fn next_page_number(headers: &(impl Headers + ?Sized)) -> Result<Option<u64>, Error> {
    match headers.field("x-next-page").map(str::trim) {
        Some("") => Ok(None),
        Some(number) => number.parse().map(Some).map_err(|_| unreadable()),
        None => Err(unreadable()),
    }
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Unavailable, "the forge doesn't say where the next page is; the list is read again")
}

/// Tells whether two absolute addresses have the same scheme, host and port: a token must not follow a link elsewhere.
pub fn same_origin(one: &str, other: &str) -> bool {
    let origin = |address: &str| {
        let uri: http::Uri = address.parse().ok()?;
        let scheme = uri.scheme_str()?.to_owned();
        let port = uri.port_u16().or(if scheme == "https" { Some(443) } else { Some(80) });
        // What stands before an `@` is no part of the host.
        Some((scheme, uri.host()?.to_ascii_lowercase(), port))
    };
    origin(one).is_some_and(|origin_of_one| Some(origin_of_one) == origin(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(header: &str) -> Result<Option<String>, Error> {
        next_link(&[("link", header)])
    }

    #[test]
    fn the_next_page_is_found_among_links() {
        let two = r#"<https://a/x?page=1>; rel="prev", <https://a/x?a=1,2&page=3>; rel="next""#;
        assert_eq!(link(two).unwrap().as_deref(), Some("https://a/x?a=1,2&page=3"));
        assert_eq!(link("<https://a/2>; title=\"a, b\"; REL=next").unwrap().as_deref(), Some("https://a/2"));
        assert_eq!(link("<https://a/2>; rel=\"last next\"").unwrap().as_deref(), Some("https://a/2"));
        assert_eq!(link("<https://a/2>; rel=\"last\"").unwrap(), None);
        assert_eq!(link("").unwrap(), None);
        assert_eq!(next_link(&[("other", "x")]).unwrap(), None);
    }

    #[test]
    fn a_header_that_cant_be_read_is_no_last_page() {
        link("https://a/2; rel=next").unwrap_err();
        link("<https://a/2; rel=next").unwrap_err();
        next_page_number(&[("x-next-page", "two")]).unwrap_err();
        next_page_number(&[("x-page", "2")]).unwrap_err();
        assert_eq!(next_page_number(&[("X-Next-Page", "")]).unwrap(), None);
        assert_eq!(next_page_number(&[("X-Next-Page", "2")]).unwrap(), Some(2));
    }

    #[test]
    fn fewer_items_than_told_are_an_error() {
        let mut pages = Pages::new("the list");
        assert_eq!(
            pages.take([(1, 'a'), (2, 'b')], Some(3), Some("2".into())).unwrap().as_deref(),
            Some("2")
        );
        assert_eq!(pages.take([(3, 'c')], Some(3), None).unwrap(), None);
        assert_eq!(pages.finish().unwrap(), ['a', 'b', 'c']);

        let mut cut = Pages::new("the list");
        cut.take([(1, 'a')], Some(2), None).unwrap();
        let error = cut.finish().unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (ErrorKind::Unavailable, "the list could not be read whole: 1 of 2 items came; it is read again")
        );
    }

    #[test]
    fn an_item_that_moved_to_the_next_page_hides_no_other() {
        let mut pages = Pages::new("the list");
        pages.take([(9, 'i'), (8, 'h')], Some(3), Some("2".into())).unwrap();
        // Meanwhile 10 came first: 8 is shown again, and 10 never.
        pages.take([(8, 'h'), (7, 'g')], Some(4), None).unwrap();
        pages.finish().unwrap_err();
    }

    #[test]
    fn pages_end() {
        let mut circle = Pages::new("the list");
        circle.take([(1, 'a')], None, Some("2".into())).unwrap();
        circle.take([(2, 'b')], None, Some("2".into())).unwrap_err();
        let mut endless = Pages::new("the list");
        let failed =
            (0..1000).find(|page| endless.take([(*page, ' ')], None, Some(page.to_string())).is_err());
        assert_eq!(failed, Some(MOST_PAGES - 1));
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        assert!(same_origin("https://api.example/a", "https://API.example:443/b?c"));
        for other in [
            "http://api.example/a",
            "https://api.example:444/",
            "https://api.example@evil/",
            "/relative",
            "no url",
        ] {
            assert!(!same_origin("https://api.example/a", other), "{other}");
        }
    }
}
