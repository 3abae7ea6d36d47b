//! Where a request comes from: for our host, and from one of our own pages.
//!
//! Server functions have no defence of their own against a form on another site. A browser says truthfully from where it
//! sends; what it says has to be exactly our origin.

use std::borrow::Cow;

use app::base::climbs;
use http::{HeaderMap, HeaderValue, header};

use crate::config::PublicUrl;

/// What a browser says about the page from which it sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provenance {
    /// One of ours.
    Ours,
    /// Nothing: not a browser, or an old one.
    Unstated,
    /// Another site, or one that must not be named.
    Foreign,
}

/// Judges the headers of a request for `host`.
pub fn provenance(headers: &HeaderMap, host: &str, public: Option<&PublicUrl>) -> Provenance {
    let fetched = only(headers, "sec-fetch-site");
    let origin = only(headers, header::ORIGIN.as_str());
    match (fetched, origin) {
        (Said::Mixed, _) | (_, Said::Mixed) => Provenance::Foreign,
        (Said::Text(site), _) if !matches!(site, "same-origin" | "none") => Provenance::Foreign,
        (_, Said::Text(origin)) if is_ours(origin, host, public) => Provenance::Ours,
        (_, Said::Text(_)) => Provenance::Foreign,
        (_, Said::Nothing) => Provenance::Unstated,
    }
}

fn is_ours(origin: &str, host: &str, public: Option<&PublicUrl>) -> bool {
    match public {
        Some(public) => origin == public.origin(),
        // Without a public address nobody but a plain connection reaches this process.
        None => origin.strip_prefix("http://").is_some_and(|sender| sender.eq_ignore_ascii_case(host)),
    }
}

/// Whether the portal answers for this host.
pub fn is_our_host(host: &str, public: Option<&PublicUrl>) -> bool {
    let Some(public) = public else { return true };
    let usual = if public.is_https() { ":443" } else { ":80" };
    let host = host.to_ascii_lowercase();
    host == public.host() || host.strip_suffix(usual) == Some(public.host())
}

/// Where a redirect may lead: the path inside the portal, with its query, of an address of ours; the start page for any other.
pub fn inside(location: &HeaderValue, host: &str, public: Option<&PublicUrl>) -> String {
    let path = location.to_str().ok().and_then(|location| path_of_ours(location, host, public));
    let base = public.map(|public| public.base().clone()).unwrap_or_default();
    let inside = path.and_then(|path| base.inside(path)).filter(|path| !path.starts_with("//") && !climbs(path));
    inside.map_or_else(|| "/".to_owned(), Cow::into_owned)
}

fn path_of_ours<'a>(location: &'a str, host: &str, public: Option<&PublicUrl>) -> Option<&'a str> {
    let path = if location.starts_with('/') {
        location
    } else {
        let start = location.find("://")? + 3;
        let end = location[start..].find(['/', '?', '#']).map_or(location.len(), |found| start + found);
        if !is_ours(&location[..end], host, public) {
            return None;
        }
        if end == location.len() { "/" } else { &location[end..] }
    };
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    (plain && path.starts_with('/') && !path.starts_with("//")).then_some(path)
}

enum Said<'a> {
    Nothing,
    Text(&'a str),
    /// More than once, or not text.
    Mixed,
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Said<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Said::Nothing,
        (Some(value), None) => value.to_str().map_or(Said::Mixed, Said::Text),
        (Some(_), Some(_)) => Said::Mixed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(said: &[(&'static str, &'static str)], public: Option<&str>) -> Provenance {
        let public = public.map(|public| public.parse::<PublicUrl>().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in said {
            headers.append(*name, HeaderValue::from_static(value));
        }
        provenance(&headers, "portal.lan:3000", public.as_ref())
    }

    #[test]
    fn only_our_own_origin_is_ours() {
        let table: [(&[(&str, &str)], Provenance); 11] = [
            (&[("origin", "http://portal.lan:3000")], Provenance::Ours),
            (&[("origin", "http://portal.lan:3000"), ("sec-fetch-site", "same-origin")], Provenance::Ours),
            (&[("origin", "https://portal.lan:3000")], Provenance::Foreign),
            (&[("origin", "http://portal.lan")], Provenance::Foreign),
            (&[("origin", "http://evil.example")], Provenance::Foreign),
            (&[("origin", "http://sibling.portal.lan:3000")], Provenance::Foreign),
            (&[("origin", "null")], Provenance::Foreign),
            (&[("origin", "http://portal.lan:3000"), ("origin", "http://evil.example")], Provenance::Foreign),
            (&[("origin", "http://portal.lan:3000"), ("sec-fetch-site", "same-site")], Provenance::Foreign),
            (&[("sec-fetch-site", "cross-site")], Provenance::Foreign),
            (&[], Provenance::Unstated),
        ];

        for (said, expected) in table {
            assert_eq!(judged(said, None), expected, "{said:?}");
        }
    }

    #[test]
    fn behind_a_proxy_the_public_address_is_the_origin() {
        let public = Some("https://portal.example.com");

        assert_eq!(judged(&[("origin", "https://portal.example.com")], public), Provenance::Ours);
        assert_eq!(judged(&[("origin", "http://portal.example.com")], public), Provenance::Foreign);
        assert_eq!(judged(&[("origin", "http://portal.lan:3000")], public), Provenance::Foreign);
    }

    #[test]
    fn below_a_path_the_origin_is_that_of_the_whole_host() {
        let public = Some("https://portal.example.com/runbooks");

        assert_eq!(judged(&[("origin", "https://portal.example.com")], public), Provenance::Ours);
        assert_eq!(judged(&[("origin", "https://portal.example.com/runbooks")], public), Provenance::Foreign);
    }

    #[test]
    fn a_host_is_known_when_it_is_the_public_one() {
        let public: PublicUrl = "https://portal.example.com".parse().unwrap();

        assert!(is_our_host("Portal.example.com", Some(&public)));
        assert!(is_our_host("portal.example.com:443", Some(&public)));
        assert!(!is_our_host("portal.example.com:80", Some(&public)));
        assert!(!is_our_host("127.0.0.1:3000", Some(&public)));
        assert!(is_our_host("anything", None));
    }

    #[test]
    fn a_redirect_never_leaves_the_portal() {
        let cases = [
            ("http://portal.lan:3000/people?__err=abc", "/people?__err=abc"),
            ("http://portal.lan:3000", "/"),
            ("/runs/7", "/runs/7"),
            ("http://evil.example/x", "/"),
            ("http://portal.lan:3000.evil.example/x", "/"),
            ("http://portal.lan:3000@evil.example/x", "/"),
            ("//evil.example", "/"),
            ("/\\evil.example", "/"),
            ("javascript:alert(1)", "/"),
            ("http://portal.lan:3000//evil.example", "/"),
            ("", "/"),
        ];

        for (location, expected) in cases {
            let inside = inside(&HeaderValue::from_static(location), "portal.lan:3000", None);

            assert_eq!(inside, expected, "{location}");
        }
    }

    #[test]
    fn a_redirect_never_leads_to_another_application_of_the_same_host() {
        let public: PublicUrl = "https://ops.example.com/runbooks".parse().unwrap();
        let cases = [
            ("https://ops.example.com/runbooks/people?__err=abc", "/people?__err=abc"),
            ("https://ops.example.com/runbooks", "/"),
            ("https://ops.example.com/runbooks?x=1", "/?x=1"),
            ("/runbooks/runs/7", "/runs/7"),
            ("https://ops.example.com/wiki", "/"),
            ("https://ops.example.com/runbooks2/x", "/"),
            ("https://ops.example.com", "/"),
            ("/runs/7", "/"),
            ("/runbooks/../wiki", "/"),
            ("/runbooks/%2e%2E/wiki", "/"),
            ("/runbooks//evil.example", "/"),
        ];

        for (location, expected) in cases {
            let inside = inside(&HeaderValue::from_static(location), "ops.example.com", Some(&public));

            assert_eq!(inside, expected, "{location}");
        }
    }
}
