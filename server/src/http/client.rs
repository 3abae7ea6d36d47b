//! From which address a request comes: the other end of its connection, or what a proxy says that is listed.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;

use crate::config::Networks;

/// By which a proxy says for whom it asks. Others (RFC 7239 and what single proxies made up) are read nowhere.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The headers by which a request shows that a proxy has brought it.
const TRACES: [&str; 5] = ["forwarded", FORWARDED_FOR, "x-forwarded-host", "x-real-ip", "via"];

/// The address of whoever asks. A listed proxy is believed about the one that it saw itself, which is the last that it names: what
/// stands before it was written by whoever sent the request.
pub fn address(connection: IpAddr, headers: &HeaderMap, proxies: &Networks) -> IpAddr {
    let told = if proxies.contains(connection) { last_hop(headers) } else { None };
    told.unwrap_or(connection).to_canonical()
}

/// Whether a request was brought by a proxy, as far as it shows.
pub fn was_forwarded(headers: &HeaderMap) -> bool {
    TRACES.iter().any(|trace| headers.contains_key(*trace))
}

fn last_hop(headers: &HeaderMap) -> Option<IpAddr> {
    let last = headers.get_all(FORWARDED_FOR).iter().next_back()?.to_str().ok()?;
    let text = last.rsplit(',').next()?.trim();
    // Some proxies write the port as well.
    text.parse().ok().or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn asked(headers: &[(&'static str, &'static str)]) -> IpAddr {
        let proxies = "10.0.0.0/8".parse().unwrap();
        address([10, 0, 0, 2].into(), &map(headers), &proxies)
    }

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        headers.iter().map(pair).collect()
    }

    #[test]
    fn a_listed_proxy_is_believed_about_the_last_address_that_it_names() {
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[("x-forwarded-for", "203.0.113.9")], "203.0.113.9"),
            (&[("x-forwarded-for", "198.51.100.1, 203.0.113.9")], "203.0.113.9"),
            (&[("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "203.0.113.9")], "203.0.113.9"),
            (&[("x-forwarded-for", "203.0.113.9:50123")], "203.0.113.9"),
            (&[("x-forwarded-for", "[2001:db8::7]:443")], "2001:db8::7"),
            (&[("x-forwarded-for", "::ffff:203.0.113.9")], "203.0.113.9"),
            (&[("x-forwarded-for", "203.0.113.9, unknown")], "10.0.0.2"),
        ];

        for (headers, expected) in cases {
            assert_eq!(asked(headers).to_string(), expected, "{headers:?}");
        }
    }

    #[test]
    fn other_headers_are_not_believed_from_anybody() {
        for header in ["forwarded", "x-real-ip", "x-client-ip", "cf-connecting-ip", "true-client-ip"] {
            assert_eq!(asked(&[(header, "203.0.113.9")]).to_string(), "10.0.0.2", "{header}");
        }
    }

    #[test]
    fn who_is_not_listed_is_not_believed() {
        let headers = map(&[("x-forwarded-for", "203.0.113.9")]);

        assert_eq!(address([192, 0, 2, 5].into(), &headers, &"10.0.0.0/8".parse().unwrap()).to_string(), "192.0.2.5");
        assert_eq!(address([192, 0, 2, 5].into(), &headers, &Networks::default()).to_string(), "192.0.2.5");
    }

    #[test]
    fn what_a_proxy_has_brought_is_seen() {
        assert!(was_forwarded(&map(&[("x-forwarded-host", "portal.example.com")])));
        assert!(was_forwarded(&map(&[("via", "1.1 proxy")])));
        assert!(!was_forwarded(&map(&[("host", "127.0.0.1")])));
    }
}
