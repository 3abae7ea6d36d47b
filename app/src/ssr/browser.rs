//! The browser that asks: from which address, over which connection, and with which device.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use http::request::Parts;
use http::{HeaderMap, header};
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use portal::Knock;

use super::parts;
use crate::base::portal_path;

/// A browser keeps the token of its device for so long: 180 days.
const DEVICE_SECONDS: u32 = 180 * 24 * 60 * 60;

/// In which cookie a browser keeps the token of its device; the server says so, as it does for the session.
#[derive(Clone, Copy, Debug)]
pub struct DeviceCookie {
    /// Its name.
    pub name: &'static str,
    /// Whether it goes over https only.
    pub secure: bool,
}

/// From which address a request comes: the other end of the connection, or what a proxy says that the configuration lists.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The address as far as nobody can choose it: whoever has one of IPv6 has all of its network.
    pub fn network(self) -> String {
        match self.0.to_canonical() {
            IpAddr::V4(four) => four.to_string(),
            IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).to_string(),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.to_canonical().fmt(f)
    }
}

fn peer() -> Option<Peer> {
    parts()?.extensions.get::<Peer>().copied()
}

pub(super) fn address() -> String {
    peer().map(|peer| peer.to_string()).unwrap_or_default()
}

pub(super) fn agent() -> String {
    let agent = parts().and_then(|parts| text(&parts.headers, header::USER_AGENT.as_str()).map(str::to_owned));
    agent.unwrap_or_default()
}

/// Where a request that wants to sign in comes from.
pub fn knock() -> Knock {
    Knock { peer: peer().map(Peer::network).unwrap_or_default(), device: device_token() }
}

fn device_token() -> Option<String> {
    let parts = parts()?;
    let DeviceCookie { name, .. } = parts.extensions.get::<DeviceCookie>()?;
    let cookies = parts.headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split("; ")).filter_map(|pair| pair.split_once('='));
    pairs.find(|(found, _)| found == name).map(|(_, token)| token.to_owned())
}

/// Gives the browser the token by which this device is known to the account from now on.
pub fn remember_device(token: &str) {
    let cookie = parts().and_then(|parts| parts.extensions.get::<DeviceCookie>().copied());
    let (Some(DeviceCookie { name, secure }), Some(response)) = (cookie, use_context::<ResponseOptions>()) else {
        return;
    };
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={token}; Path=/; Max-Age={DEVICE_SECONDS}; HttpOnly; SameSite=Lax{secure}");
    if let Ok(value) = text.parse() {
        response.append_header(header::SET_COOKIE, value);
    }
}

/// Why the browser will not keep the session's cookie over this connection, and what to do, when that is so.
pub fn cookie_problem() -> Option<String> {
    let parts = parts()?;
    let host = host(&parts)?;
    let base = portal_path("");
    (!is_encrypted(&parts) && !is_this_machine(&host)).then(|| {
        format!(
            "This page came over plain HTTP, and a browser keeps the portal's cookie only over HTTPS or on localhost. \
             Signing in will not hold; open the portal over https://{host}{base}, or on the machine itself."
        )
    })
}

/// The name under which the browser has opened the page, without the port.
pub fn host_name() -> String {
    parts().and_then(|parts| host(&parts)).map(|host| name_of(&host).to_owned()).unwrap_or_default()
}

fn host(parts: &Parts) -> Option<String> {
    let host = text(&parts.headers, header::HOST.as_str())?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    host.bytes().all(plain).then(|| host.to_owned())
}

/// Only for a hint to the person: nothing is decided by it, so that a proxy's header can be believed.
fn is_encrypted(parts: &Parts) -> bool {
    parts.uri.scheme_str() == Some("https") || text(&parts.headers, "x-forwarded-proto") == Some("https")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether a browser keeps a cookie of this host although the connection is plain: it is the same machine.
pub fn is_this_machine(host: &str) -> bool {
    let name = name_of(host);
    // A name may begin with 127. as well: only an address is one of this machine.
    let is_loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    is_loopback || name == "localhost" || name.ends_with(".localhost")
}

/// A host without its port.
fn name_of(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_a_network_of_ipv6_are_one() {
        let of = |address: &str| Peer(address.parse().unwrap()).network();

        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::9"));
        assert_ne!(of("2001:db8:1:2::9"), of("2001:db8:1:3::9"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }

    #[test]
    fn plain_http_is_a_problem_only_from_another_machine() {
        let here = ["localhost:3000", "127.0.0.1:3000", "[::1]:3000", "portal.localhost"];
        let there = ["portal.example", "10.0.0.7:3000", "localhost.example", "[2001:db8::1]:3000", "127.evil.example"];

        assert!(here.iter().all(|host| is_this_machine(host)));
        assert!(!there.iter().any(|host| is_this_machine(host)));
    }
}
