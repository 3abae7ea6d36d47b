//! Whom the proxy names: the header that says who somebody is, from a listed proxy that knows the shared secret.
//!
//! From everybody else these headers mean nothing, and from nobody do they get further than here. A session that was begun by the word of
//! the proxy is worth nothing without it: it ends as soon as a request comes in which the proxy names another person, other groups,
//! or nobody.

use std::sync::Once;

use app::ssr::{Begun, NAMED, PERSON};
use axum::extract::Request;
use domain::Digest;
use domain::identity::{Identity, Unwelcome};
use http::{HeaderMap, HeaderName, HeaderValue};
use subtle::ConstantTimeEq as _;
use tower_sessions::Session;

use super::Site;
use super::gate::GateError;
use super::sessions::Cookie;
use crate::config::{ProxyIdentity, PublicUrl};
use crate::connections::Connection;

/// Somebody whom the proxy names.
#[derive(Clone, Debug)]
pub struct Named {
    /// Who it is, when it can be somebody here.
    pub identity: Result<Identity, Unwelcome>,
    /// The digest of the words of the proxy and of the map. A session holds as long as they stay the same.
    pub words: String,
    /// Whether their browser keeps the cookie of a session.
    kept: bool,
}

impl Named {
    /// The sign-in name, for the page.
    pub fn login(&self) -> Option<&str> {
        self.identity.as_ref().ok().map(|identity| &*identity.login)
    }
}

/// Takes the headers out of a request, and says whom they name if they are to be believed.
pub fn take(site: &Site, request: &mut Request) -> Option<Named> {
    let settings = site.around().identity.proxy.as_ref()?;
    let connection = request.extensions().get::<Connection>().copied();
    let cookie = request.extensions().get::<Cookie>().copied().unwrap_or(Cookie::Secure);
    let kept = is_kept(cookie, site.public_url(), request.headers());
    let headers = request.headers_mut();
    let named = connection
        .filter(|Connection(peer)| site.around().proxies.contains(*peer))
        .and_then(|_| read(settings, headers))
        .map(|named| Named { words: digest(&[named.words.as_str(), site.map().as_str()]), kept, ..named });
    for name in [Some(&settings.user), Some(&settings.secret), settings.groups.as_ref()].into_iter().flatten() {
        headers.remove(name);
    }
    named
}

fn read(settings: &ProxyIdentity, headers: &HeaderMap) -> Option<Named> {
    let secret = only(headers, &settings.secret).ok()??;
    if !bool::from(secret.as_bytes().ct_eq(settings.shared.as_bytes())) {
        tracing::warn!("a listed proxy has sent another secret than the shared one; whom it names is not believed");
        return None;
    }
    let user = text(only(headers, &settings.user).ok()??)?.trim();
    let groups = match &settings.groups {
        Some(name) => only(headers, name).ok()?.map_or(Some(""), text)?,
        None => "",
    };
    if user.is_empty() {
        return None;
    }
    let groups = listed(groups);
    let words = digest(&[user, &*groups.join(",")]);
    Some(Named { identity: Identity::of_proxy(user, groups), words, kept: true })
}

/// What stands for texts of which none has a line break, however long they are: each session keeps it.
fn digest(texts: &[&str]) -> String {
    Digest::of(texts.join("\n").as_bytes()).as_str().to_owned()
}

/// Groups between commas, sorted: the order in which they come says nothing, and no session ends by it.
fn listed(groups: &str) -> Vec<String> {
    let names = groups.split(',').map(str::trim).filter(|name| !name.is_empty());
    let mut names: Vec<String> = names.map(str::to_owned).collect();
    names.sort_unstable();
    names
}

/// The text of a header. Letters beyond ASCII are in UTF-8, as proxies write what a provider has said: a group may be called so.
fn text(value: &HeaderValue) -> Option<&str> {
    let text = std::str::from_utf8(value.as_bytes()).ok();
    if text.is_none() {
        tracing::warn!("a listed proxy has named somebody in bytes that are no UTF-8; nobody is believed to be meant");
    }
    text
}

/// The value of a header that comes once or not at all. What comes twice was perhaps written by two, and is nobody's word.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h HeaderValue>, Twice> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (one, None) => Ok(one),
        _ => Err(Twice),
    }
}

/// A header comes twice.
struct Twice;

/// The person whose session it is, after the proxy had its say: one that hangs on its word ends with it, and one begins where there is
/// none and it names somebody. `begun` is from where; `None` where nothing may begin.
pub(super) async fn settle(
    site: &Site,
    session: &Session,
    named: Option<&Named>,
    begun: Option<Begun>,
) -> Result<Option<String>, GateError> {
    let (person, words): (Option<String>, Option<String>) = (session.get(PERSON).await?, session.get(NAMED).await?);
    if person.is_some() && words.as_deref().is_none_or(|words| named.is_some_and(|named| named.words == words)) {
        return Ok(person);
    }
    if person.is_some() {
        session.flush().await?;
    }
    let (Some(named), Some(begun)) = (named, begun) else { return Ok(None) };
    let identity = named.identity.as_ref().map_err(|why| GateError::Account((*why).into()))?;
    let actor = site.portal().sign_in_from_outside(identity, Some(named.words.as_str())).await?;
    let begun = Begun { named: Some(named.words.clone()), ..begun };
    app::ssr::begin(session, &actor, begun).await?;
    if !named.kept {
        WARNED.call_once(|| {
            tracing::warn!(
                "a session began whose cookie browsers keep over https only, and this was plain http: each request may begin another one; serve \
                 the portal over https and set public_url"
            );
        });
    }
    Ok(Some(actor.id.0))
}

/// Said once is enough: it is so for everybody.
static WARNED: Once = Once::new();

/// Whether a browser keeps the cookie of a session, as far as that is known: it does over https, or on this machine.
fn is_kept(cookie: Cookie, public: Option<&PublicUrl>, headers: &HeaderMap) -> bool {
    let encrypted = headers.get("x-forwarded-proto").is_some_and(|said| said.as_bytes().starts_with(b"https"));
    cookie == Cookie::ThisMachine || public.is_some_and(PublicUrl::is_https) || encrypted
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARED: &str = "0123456789abcdef0123456789abcdef";

    fn settings() -> ProxyIdentity {
        ProxyIdentity {
            user: HeaderName::from_static("x-user"),
            groups: Some(HeaderName::from_static("x-groups")),
            secret: HeaderName::from_static("x-secret"),
            shared: SHARED.to_owned(),
            sign_out: None,
        }
    }

    fn named(headers: &[(&'static str, &'static str)]) -> Option<Named> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        read(&settings(), &map)
    }

    #[test]
    fn the_proxy_names_somebody_with_their_groups() {
        let named = named(&[("x-secret", SHARED), ("x-user", "Olga"), ("x-groups", "ops, night,,")]).unwrap();

        let identity = named.identity.unwrap();
        assert_eq!((identity.login.as_str(), identity.subject.as_str()), ("olga", "olga"));
        assert_eq!(identity.groups, ["night", "ops"]);
    }

    #[test]
    fn without_the_secret_or_with_a_header_twice_nobody_is_named() {
        let olga = ("x-user", "olga");
        let cases: [&[(&str, &str)]; 9] = [
            &[olga],
            &[olga, ("x-secret", "")],
            &[olga, ("x-secret", "0123456789abcdef0123456789abcdeg")],
            &[olga, ("x-secret", "0123456789abcdef0123456789abcdef0")],
            &[olga, ("x-secret", SHARED), ("x-secret", SHARED)],
            &[olga, ("x-secret", SHARED), ("x-user", "ada")],
            &[olga, ("x-secret", SHARED), ("x-groups", "a"), ("x-groups", "b")],
            &[("x-secret", SHARED), ("x-user", " ")],
            &[("x-secret", SHARED), ("x_user", "olga")],
        ];

        for headers in cases {
            assert!(named(headers).is_none(), "{headers:?}");
        }
    }

    #[test]
    fn what_cannot_be_an_account_here_is_named_and_not_let_in() {
        let named = named(&[("x-secret", SHARED), ("x-user", "olga, ada")]).unwrap();

        assert_eq!(named.identity, Err(Unwelcome::Unusable));
    }

    #[test]
    fn groups_have_letters_of_any_language_and_bytes_that_are_no_text_name_nobody() {
        let with = |groups: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.append("x-secret", HeaderValue::from_static(SHARED));
            headers.append("x-user", HeaderValue::from_static("olga"));
            headers.append("x-groups", HeaderValue::from_bytes(groups).unwrap());
            read(&settings(), &headers)
        };

        let named = with("Überwachung,ops".as_bytes()).unwrap();
        assert_eq!(named.identity.unwrap().groups, ["ops", "Überwachung"]);
        assert!(with(b"\xdcberwachung,ops").is_none());
    }

    #[test]
    fn a_browser_keeps_the_cookie_of_a_session_over_https_or_on_this_machine() {
        let plain = HeaderMap::new();
        let mut encrypted = HeaderMap::new();
        encrypted.append("x-forwarded-proto", HeaderValue::from_static("https"));
        let public: [PublicUrl; 2] =
            ["https://portal.example.com", "http://portal.lan"].map(|address| address.parse().unwrap());

        assert!(is_kept(Cookie::ThisMachine, None, &plain));
        assert!(is_kept(Cookie::Secure, Some(&public[0]), &plain));
        assert!(is_kept(Cookie::Secure, None, &encrypted));
        assert!(!is_kept(Cookie::Secure, Some(&public[1]), &plain));
        assert!(!is_kept(Cookie::Secure, None, &plain));
    }

    #[test]
    fn what_a_session_keeps_of_the_words_tells_them_apart_and_stays_short() {
        let words =
            |user, groups| named(&[("x-secret", SHARED), ("x-user", user), ("x-groups", groups)]).unwrap().words;
        let long: &'static str = "group,".repeat(500).leak();
        let ops = words("olga", "ops");

        assert_eq!(words("olga", "ops"), ops);
        assert_eq!(words("olga", "night, ops"), words("olga", "ops,night,"), "the order says nothing");
        for other in [words("olga", "ops,night"), words("otto", "ops"), words("olga", "")] {
            assert_ne!(other, ops);
        }
        assert_eq!(words("olga", long).len(), ops.len());
    }
}
