//! The part of the configuration about people for whom others vouch: `[identity]`.
//!
//! What lets the proxy, or the portal at its provider, be believed are secrets: the file only names them. They are read when the
//! portal starts, so that one that is missing is found then.

use std::fmt;

use domain::identity::{IdentityMap, Issuer, MapLine, Whom};
use domain::policy::{GroupName, Groups, Role};
use http::HeaderName;
use portal::SecretSources;
use serde::Deserialize;

use super::telling::secret_name;
use super::{Networks, PublicUrl};

/// The keys of `[identity]`.
pub(super) const KEYS: &[&str] = &["map", "proxy", "oidc"];

/// The keys of `[[identity.map]]`.
pub(super) const MAP_KEYS: &[&str] = &["group", "user", "everybody", "role", "groups"];

/// The keys of `[identity.proxy]`.
pub(super) const PROXY_KEYS: &[&str] =
    &["user_header", "groups_header", "secret_header", "shared_secret", "sign_out_url"];

/// The keys of `[identity.oidc]`.
pub(super) const OIDC_KEYS: &[&str] =
    &["issuer", "client_id", "client_secret", "label", "scopes", "login_claim", "groups_claim"];

/// A shorter secret between the proxy and the portal could be guessed.
const SHORTEST: usize = 32;

/// Headers that are something else already, and would be taken for a person.
const NOT_FOR_PEOPLE: [&str; 17] = [
    "host",
    "cookie",
    "origin",
    "referer",
    "authorization",
    "content-type",
    "content-length",
    "connection",
    "accept",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-real-ip",
    "forwarded",
    "via",
    "sec-fetch-site",
];

/// Who vouches for people, and what they may do then. Nobody does unless it is configured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentitySettings {
    /// What people may do.
    pub map: IdentityMap,
    /// How the proxy names people.
    pub proxy: Option<ProxyIdentity>,
    /// The identity provider.
    pub oidc: Option<OidcSettings>,
}

impl IdentitySettings {
    /// Whether the issuer with this key vouches for people.
    pub fn vouches(&self, key: &str) -> bool {
        match Issuer::of_key(key) {
            Issuer::Proxy => self.proxy.is_some(),
            Issuer::Provider(address) => self.oidc.as_ref().is_some_and(|oidc| oidc.issuer == address),
        }
    }
}

/// How the proxy names whoever asks.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyIdentity {
    /// The header with the sign-in name.
    pub user: HeaderName,
    /// The header with the groups, with commas between them.
    pub groups: Option<HeaderName>,
    /// The header with the shared secret.
    pub secret: HeaderName,
    /// The shared secret.
    pub shared: String,
    /// Where one signs out at the proxy.
    pub sign_out: Option<String>,
}

impl fmt::Debug for ProxyIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyIdentity").field("user", &self.user).finish_non_exhaustive()
    }
}

/// An identity provider that speaks `OpenID` Connect.
#[derive(Clone, PartialEq, Eq)]
pub struct OidcSettings {
    /// Its address, exactly as it calls itself.
    pub issuer: String,
    /// The name of the portal there.
    pub client_id: String,
    /// By what the portal proves itself there.
    pub client_secret: String,
    /// What the button says.
    pub label: String,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The claim with the sign-in name.
    pub login_claim: String,
    /// The claim with the groups.
    pub groups_claim: String,
    /// Where the provider sends people back to.
    pub back: String,
}

impl fmt::Debug for OidcSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OidcSettings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// `[identity]`, as the file says it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct IdentityTable {
    #[serde(default)]
    map: Vec<LineTable>,
    proxy: Option<ProxyTable>,
    oidc: Option<OidcTable>,
}

/// One `[[identity.map]]`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawLine")]
struct LineTable(MapLine);

#[derive(Deserialize)]
struct RawLine {
    group: Option<String>,
    user: Option<String>,
    #[serde(default)]
    everybody: bool,
    role: Option<Role>,
    #[serde(default)]
    groups: Vec<String>,
}

impl TryFrom<RawLine> for LineTable {
    type Error = String;

    fn try_from(raw: RawLine) -> Result<Self, String> {
        let whom = match (raw.group, raw.user, raw.everybody) {
            (Some(group), None, false) => Whom::Group(group),
            (None, Some(user), false) => Whom::Login(user.trim().to_ascii_lowercase()),
            (None, None, true) => Whom::Everybody,
            _ => {
                return Err(
                    "a line of [[identity.map]] is about exactly one of \"group\", \"user\" and \"everybody = true\""
                        .to_owned(),
                );
            }
        };
        if matches!(&whom, Whom::Group(name) | Whom::Login(name) if name.is_empty()) {
            return Err("a line of [[identity.map]] is about somebody: the name is empty".to_owned());
        }
        let named = |name: &String| {
            GroupName::parse(name).ok_or_else(|| format!("\"{name}\" is no group of the portal; a group has 1 to {} lower-case letters, digits, hyphens and underscores", GroupName::LONGEST))
        };
        let groups: Groups = raw.groups.iter().map(named).collect::<Result<_, _>>()?;
        if raw.role.is_none() && groups.is_empty() {
            return Err("a line of [[identity.map]] gives a \"role\", \"groups\", or both".to_owned());
        }
        Ok(Self(MapLine { whom, role: raw.role, groups }))
    }
}

/// `[identity.proxy]`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawProxy")]
struct ProxyTable {
    headers: (HeaderName, Option<HeaderName>, HeaderName),
    shared_secret: String,
    sign_out: Option<String>,
}

#[derive(Deserialize)]
struct RawProxy {
    user_header: String,
    groups_header: Option<String>,
    secret_header: String,
    shared_secret: String,
    sign_out_url: Option<String>,
}

impl TryFrom<RawProxy> for ProxyTable {
    type Error = String;

    fn try_from(raw: RawProxy) -> Result<Self, String> {
        let user = header("user_header", &raw.user_header)?;
        let groups = raw.groups_header.map(|name| header("groups_header", &name)).transpose()?;
        let secret = header("secret_header", &raw.secret_header)?;
        if user == secret || groups.as_ref().is_some_and(|groups| *groups == user || *groups == secret) {
            return Err("\"user_header\", \"groups_header\" and \"secret_header\" are different headers".to_owned());
        }
        let sign_out = raw.sign_out_url.map(|url| address("sign_out_url", &url)).transpose()?;
        Ok(Self { headers: (user, groups, secret), shared_secret: secret_name(raw.shared_secret)?, sign_out })
    }
}

/// The name of a header that means one thing only, to this portal and to whatever stands before it.
fn header(key: &str, name: &str) -> Result<HeaderName, String> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let parsed = HeaderName::try_from(name).ok().filter(|_| plain && !name.is_empty());
    let parsed = parsed.filter(|parsed| !NOT_FOR_PEOPLE.contains(&parsed.as_str()));
    parsed.ok_or_else(|| {
        format!(
            "\"{key}\" is the name of a header of its own, of letters, digits and hyphens, such as \"X-Forwarded-User\"; a hyphen and an \
             underscore are taken for the same by some proxies"
        )
    })
}

/// `[identity.oidc]`.
#[derive(Debug, Deserialize)]
#[serde(try_from = "RawOidc")]
struct OidcTable {
    issuer: String,
    client_id: String,
    client_secret: String,
    label: String,
    scopes: Vec<String>,
    login_claim: String,
    groups_claim: String,
}

#[derive(Deserialize)]
struct RawOidc {
    issuer: String,
    client_id: String,
    client_secret: String,
    label: String,
    scopes: Option<Vec<String>>,
    login_claim: Option<String>,
    groups_claim: Option<String>,
}

impl TryFrom<RawOidc> for OidcTable {
    type Error = String;

    fn try_from(raw: RawOidc) -> Result<Self, String> {
        let label = raw.label.trim().to_owned();
        if label.is_empty() || label.chars().count() > 40 || label.chars().any(char::is_control) {
            return Err("\"label\" is what the button says behind \"Sign in with\": 1 to 40 characters".to_owned());
        }
        if raw.client_id.trim().is_empty() {
            return Err("\"client_id\" is the name of the portal at the provider".to_owned());
        }
        let mut scopes = raw.scopes.unwrap_or_else(|| vec!["openid".to_owned(), "profile".to_owned()]);
        if !scopes.iter().all(|scope| !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic())) {
            return Err("\"scopes\" are words without blanks".to_owned());
        }
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".to_owned());
        }
        Ok(Self {
            issuer: address("issuer", &raw.issuer)?,
            client_id: raw.client_id,
            client_secret: secret_name(raw.client_secret)?,
            label,
            scopes,
            login_claim: raw.login_claim.unwrap_or_else(|| "preferred_username".to_owned()),
            groups_claim: raw.groups_claim.unwrap_or_else(|| "groups".to_owned()),
        })
    }
}

/// An address whose answers can be believed: over https, or on this machine.
fn address(key: &str, text: &str) -> Result<String, String> {
    let text = text.trim();
    if is_safe(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "\"{key}\" is an address of the form https://host/path; without encryption only of this machine itself"
    ))
}

/// Whether an address is one of the web over https, or of this machine.
pub(crate) fn is_safe(text: &str) -> bool {
    let Ok(uri) = text.parse::<http::Uri>() else { return false };
    let Some(authority) = uri.authority() else { return false };
    let plain = !authority.as_str().contains('@') && !text.contains('#');
    match uri.scheme_str() {
        Some("https") => plain,
        Some("http") => plain && app::ssr::is_this_machine(authority.as_str()),
        _ => false,
    }
}

impl IdentityTable {
    /// The names of the secrets, which no step gets.
    pub(super) fn secret_names(&self) -> impl Iterator<Item = String> {
        let proxy = self.proxy.as_ref().map(|proxy| proxy.shared_secret.clone());
        proxy.into_iter().chain(self.oidc.as_ref().map(|oidc| oidc.client_secret.clone()))
    }

    /// What is configured, with the secrets.
    ///
    /// # Errors
    ///
    /// Why it could not be believed, as a part of a sentence.
    pub(super) fn settings(
        self,
        secrets: &SecretSources,
        proxies: &Networks,
        public: Option<&PublicUrl>,
    ) -> Result<IdentitySettings, String> {
        let Self { map, proxy, oidc } = self;
        let map = IdentityMap { lines: map.into_iter().map(|line| line.0).collect() };
        if (proxy.is_some() || oidc.is_some()) && !map.lines.iter().any(|line| line.role.is_some()) {
            return Err(
                "somebody vouches for people, and no line of [[identity.map]] gives a role, so nobody would be let in"
                    .to_owned(),
            );
        }
        let proxy = proxy.map(|proxy| proxy.settings(secrets, proxies)).transpose()?;
        let oidc = oidc.map(|oidc| oidc.settings(secrets, public)).transpose()?;
        Ok(IdentitySettings { map, proxy, oidc })
    }
}

impl ProxyTable {
    fn settings(self, secrets: &SecretSources, proxies: &Networks) -> Result<ProxyIdentity, String> {
        if proxies.is_empty() {
            return Err(
                "[identity.proxy] lets a proxy say who somebody is, and [proxy] trusted lists none that would be believed".to_owned()
            );
        }
        let shared = value(secrets, &self.shared_secret)?;
        if shared.len() < SHORTEST || !shared.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(format!(
                "the secret {} has to have at least {SHORTEST} characters, none of them a blank: whoever guesses it is everybody",
                self.shared_secret
            ));
        }
        let (user, groups, secret) = self.headers;
        Ok(ProxyIdentity { user, groups, secret, shared, sign_out: self.sign_out })
    }
}

impl OidcTable {
    fn settings(self, secrets: &SecretSources, public: Option<&PublicUrl>) -> Result<OidcSettings, String> {
        let public = public.ok_or(
            "[identity.oidc] takes public_url: the provider sends people back to that address, and to no other",
        )?;
        Ok(OidcSettings {
            client_secret: value(secrets, &self.client_secret)?,
            issuer: self.issuer,
            client_id: self.client_id,
            label: self.label,
            scopes: self.scopes,
            login_claim: self.login_claim,
            groups_claim: self.groups_claim,
            back: format!("{public}{}", crate::http::routes::SIGN_IN_BACK),
        })
    }
}

fn value(secrets: &SecretSources, name: &str) -> Result<String, String> {
    secrets.read(name).map_err(|why| format!("the secret {name} cannot be used: {why}"))
}

#[cfg(test)]
mod tests;
