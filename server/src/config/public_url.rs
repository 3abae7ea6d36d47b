//! The address that people use.

use std::fmt;
use std::str::FromStr;

use app::base::Base;

use crate::http::routes;

/// Scheme and host (and port) under which people reach the portal, and the path of that host below which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    host: String,
    https: bool,
    base: Base,
}

impl PublicUrl {
    /// As a browser writes it in `Origin`: without a path, which tells no page of a host from another.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// As a browser writes it in `Host`.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the connection of the browser is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The path below which the portal is.
    pub fn base(&self) -> &Base {
        &self.base
    }
}

/// The whole, without a slash at its end.
impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.base.as_str())
    }
}

impl FromStr for PublicUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("\"{text}\" is not an address; write scheme and host, such as \"https://portal.example.com\"");
        let uri: http::Uri = text.parse().map_err(|_| wrong())?;
        let (scheme, host) = (uri.scheme_str().ok_or_else(wrong)?, uri.host().ok_or_else(wrong)?);
        let authority = uri.authority().ok_or_else(wrong)?;
        let plain = uri.query().is_none() && !text.contains('#') && !authority.as_str().contains('@');
        if !plain || !matches!(scheme, "http" | "https") {
            return Err(wrong());
        }
        let usual = if scheme == "https" { 443 } else { 80 };
        let host = host.to_ascii_lowercase();
        let host = match authority.port_u16() {
            Some(port) if port != usual => format!("{host}:{port}"),
            _ => host,
        };
        let base = base(uri.path()).map_err(|why| format!("\"{text}\" cannot be the portal's address: {why}"))?;
        Ok(Self { origin: format!("{scheme}://{host}"), https: scheme == "https", host, base })
    }
}

/// The path below which the portal is, as it stands in an address; or why it cannot be there.
fn base(path: &str) -> Result<Base, String> {
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(names) = path.strip_prefix('/') else { return Ok(Base::default()) };
    if !names.split('/').all(is_plain) {
        return Err("its path has names of letters, digits and \"-._~\" only, with one \"/\" between them, such as \
                    \"https://ops.example.com/runbooks\""
            .to_owned());
    }
    let first = names.split('/').next().unwrap_or_default();
    if routes::begin_with(first) {
        return Err(format!("paths of the portal itself begin with /{first}; choose another path"));
    }
    Ok(Base::new(path))
}

/// Whether a name means itself in every spelling, to browsers and to proxies: the unreserved characters of RFC 3986.
fn is_plain(name: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !matches!(name, "" | "." | "..") && name.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_a_browser_writes_it() {
        let cases = [
            ("https://Portal.Example.com/", "https://portal.example.com"),
            ("https://portal.example.com:443", "https://portal.example.com"),
            ("http://10.0.0.5:3000", "http://10.0.0.5:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ];

        for (text, origin) in cases {
            let url: PublicUrl = text.parse().unwrap();

            assert_eq!((url.origin(), url.to_string().as_str(), url.base().is_root()), (origin, origin, true));
        }
    }

    #[test]
    fn a_path_belongs_to_the_address_and_not_to_its_origin() {
        let cases = [
            ("https://Ops.example.com/runbooks", "/runbooks"),
            ("https://ops.example.com/runbooks/", "/runbooks"),
            ("https://ops.example.com:443/a/b", "/a/b"),
            ("https://ops.example.com/Team_1~x/v1.2-3", "/Team_1~x/v1.2-3"),
        ];

        for (text, base) in cases {
            let url: PublicUrl = text.parse().unwrap();

            assert_eq!((url.origin(), url.base().as_str()), ("https://ops.example.com", base));
            assert_eq!(url.to_string(), format!("https://ops.example.com{base}"));
        }
    }

    #[test]
    fn what_is_no_address_of_a_host_is_refused() {
        for text in ["", "portal.example.com", "ftp://x", "https://u@x", "https://x?y", "https://", "https://x/y#z"] {
            assert!(text.parse::<PublicUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_refused() {
        for path in ["/a//b", "//", "/..", "/a/../b", "/./a", "/a%2fb", "/%61", "/a;b", "/a:b", "/ä"] {
            assert!(format!("https://x{path}").parse::<PublicUrl>().is_err(), "{path}");
        }
    }

    #[test]
    fn a_path_that_begins_like_one_of_the_portals_own_is_refused_with_the_reason() {
        let refused = "https://ops.example.com/runs/portal".parse::<PublicUrl>().unwrap_err();

        assert!(refused.contains("begin with /runs; choose another path"), "{refused}");
        assert!("https://ops.example.com/portal/runs".parse::<PublicUrl>().is_ok());
    }
}
