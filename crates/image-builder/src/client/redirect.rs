//! Where a redirection leads, and whether it is followed.

use reqwest::{Method, StatusCode, Url};

/// What to do with a redirection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Redirect {
    /// The answer is none.
    No,
    /// Ask there instead.
    To(Url),
    /// It can't be followed, and why.
    Refused(&'static str),
}

/// Decides on an answer's redirection.
pub(super) fn redirect(method: &Method, from: &Url, status: StatusCode, location: Option<&str>) -> Redirect {
    let repeatable = *method == Method::GET || *method == Method::HEAD;
    match status.as_u16() {
        301..=303 if !repeatable => return Redirect::Refused("would lose what is sent"),
        301..=303 | 307 | 308 => {}
        _ => return Redirect::No,
    }
    let Some(location) = location else { return Redirect::Refused("doesn't say where it leads") };
    let Ok(to) = from.join(location) else { return Redirect::Refused("leads to no address") };
    if from.scheme() == "https" && to.scheme() != "https" {
        return Redirect::Refused("leads away from TLS");
    }
    Redirect::To(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(method: &Method, status: u16, location: Option<&str>) -> Redirect {
        let from = Url::parse("https://r.example.com/v2/a/blobs/x").unwrap();
        redirect(method, &from, StatusCode::from_u16(status).unwrap(), location)
    }

    #[test]
    fn reads_are_followed_and_writes_keep_their_method() {
        let to = |url: &str| Redirect::To(Url::parse(url).unwrap());
        assert_eq!(decide(&Method::GET, 302, Some("https://s.example.com/x")), to("https://s.example.com/x"));
        assert_eq!(decide(&Method::HEAD, 307, Some("/y")), to("https://r.example.com/y"));
        assert_eq!(decide(&Method::PUT, 307, Some("/y")), to("https://r.example.com/y"));
        assert_eq!(decide(&Method::GET, 200, Some("/y")), Redirect::No);
    }

    #[test]
    fn what_would_be_unsafe_is_refused() {
        for (method, status, location) in [
            (Method::PUT, 302, Some("/y")),
            (Method::GET, 307, None),
            (Method::GET, 307, Some("http://s.example.com/x")),
            (Method::GET, 307, Some("file:///etc/passwd")),
        ] {
            assert!(matches!(decide(&method, status, location), Redirect::Refused(_)), "{location:?}");
        }
    }
}
