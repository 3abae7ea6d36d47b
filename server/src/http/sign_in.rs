//! Signing in at the identity provider: away to it, and back.
//!
//! Both are links that a browser follows, since a form may lead nowhere but here. What was begun is kept at the server and bound to the
//! browser by a cookie of its own, so that nobody can have somebody else come back with their code. Whatever goes wrong leads to the
//! page to sign in, which says why in words of its own.

use app::base::in_query;
use app::ssr::{Begun, Peer};
use axum::extract::{Request, State};
use axum::response::Response;
use domain::Timestamp;
use domain::identity::Unwelcome;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use openidconnect::url::form_urlencoded;
use rand::RngCore as _;
use tower_sessions::Session;

use super::answers::{see_other, sentence};
use super::gate::GateError;
use super::sessions::Cookie;
use super::{Site, gate};
use crate::oidc::{Answered, Proven, Provider, Refused, UnderWay};

/// A browser keeps the cookie for so long: as long as a sign-in may take.
const COOKIE_SECONDS: u32 = 10 * 60;

/// A sign-in at the provider counts as a proof of who it is for so long.
const PROVEN_MS: u64 = 5 * 60_000;

/// The longest code that is handed on, in bytes.
const CODE_LIMIT: usize = 4_096;

/// The longest path, in bytes, that is kept to go on to. What is longer leads to the start page: strangers begin sign-ins as well.
const NEXT_LIMIT: usize = 2_048;

/// Sends the browser to the provider.
pub async fn with(State(site): State<Site>, request: Request) -> Response {
    let Some((provider, flows)) = site.provider() else { return absent() };
    if request.method() != Method::GET {
        return only_get();
    }
    let asked = Query::of(&request);
    let next = asked.only("next").filter(|next| next.len() <= NEXT_LIMIT).unwrap_or_default();
    // Only our own page leads here. A link on another one would begin something that nobody has asked for.
    let fetched = request.headers().get("sec-fetch-site").map(HeaderValue::as_bytes);
    if !matches!(fetched, None | Some(b"same-origin" | b"none")) {
        return see_other(&site.base().path(&format!("/sign-in?next={}", in_query(&next))));
    }
    let (address, flow) = match provider.begin(asked.only("again").is_some()).await {
        Ok(begun) => begun,
        Err(why) => return not_signed_in(&site, why, &next),
    };
    let cookie = cookie_of(&request);
    let browser = browser(request.headers(), cookie).unwrap_or_else(new_browser);
    let (from, now) = (network(&request), (site.portal().expiry_now(), site.portal().now()));
    flows.keep(flow, (browser.as_str(), from.as_str()), next, now);
    let mut response = see_other(&address);
    keep(response.headers_mut(), cookie, &browser, COOKIE_SECONDS);
    response
}

/// Takes the browser back from the provider.
pub async fn back(State(site): State<Site>, request: Request) -> Response {
    let Some((provider, flows)) = site.provider() else { return absent() };
    if request.method() != Method::GET {
        return only_get();
    }
    let asked = Query::of(&request);
    let state = asked.only("state").unwrap_or_default();
    let browser = browser(request.headers(), cookie_of(&request)).unwrap_or_default();
    let (session, begun) = (request.extensions().get::<Session>().cloned(), gate::begun(&request));
    let Some(under_way) = flows.take(&state, &browser, site.portal().expiry_now()) else {
        return not_signed_in(&site, Unwelcome::Stale, "");
    };
    let (next, from) = (under_way.next.clone(), network(&request));
    let Some(session) = session else { return gate::unknown_whether("", &GateError::NoSession) };
    let outcome = match prove(&site, provider, &under_way, (&asked, from.as_str())).await {
        Ok(proven) => sign_in(&site, &proven, &session, begun).await,
        Err(problem) => Err(problem),
    };
    match outcome {
        Ok(()) => see_other(&site.base().path(app::ssr::inside(&next))),
        Err(Problem::Unwelcome(why)) => not_signed_in(&site, why, &next),
        Err(Problem::Failed(error)) => gate::unknown_whether("", &error),
    }
}

/// Why nobody was signed in.
enum Problem {
    Unwelcome(Unwelcome),
    Failed(GateError),
}

impl From<portal::Error> for Problem {
    fn from(error: portal::Error) -> Self {
        match error {
            portal::Error::Unwelcome(why) => Self::Unwelcome(why),
            other => Self::Failed(other.into()),
        }
    }
}

/// Who has come back, with a query and from a network.
async fn prove(
    site: &Site,
    provider: &Provider,
    under_way: &UnderWay,
    (asked, from): (&Query, &str),
) -> Result<Proven, Problem> {
    let proven = match answered(asked) {
        Ok(answered) => provider.finish(&under_way.flow, &answered, under_way.began_by_clock).await,
        Err(why) => Err(why.into()),
    };
    match proven {
        Ok(proven) => Ok(proven),
        Err(Refused { why, claimed }) => {
            if why == Unwelcome::Untrue {
                site.portal().note_untrue(from, claimed.as_deref()).await?;
            }
            Err(Problem::Unwelcome(why))
        }
    }
}

async fn sign_in(site: &Site, proven: &Proven, session: &Session, begun: Begun) -> Result<(), Problem> {
    let actor = site.portal().sign_in_from_outside(&proven.identity, None).await?;
    let begun = Begun { proven: proven_until(site, proven), ..begun };
    app::ssr::begin(session, &actor, begun).await.map_err(|error| Problem::Failed(error.into()))
}

/// What the provider sent along: a code, or why there is none. Its words about that are shown to nobody.
fn answered(asked: &Query) -> Result<Answered, Unwelcome> {
    if asked.has("error") {
        let away = matches!(asked.only("error").as_deref(), Some("server_error" | "temporarily_unavailable"));
        return Err(if away { Unwelcome::Away } else { Unwelcome::Denied });
    }
    let code = asked.only("code").filter(|code| !code.is_empty() && code.len() <= CODE_LIMIT);
    let issuer = asked.only("iss");
    if asked.has("iss") && issuer.is_none() {
        return Err(Unwelcome::Untrue);
    }
    Ok(Answered { code: code.ok_or(Unwelcome::Untrue)?, issuer })
}

/// Until when it counts as proven who it is: some minutes after they proved it there. A provider whose clock is ahead gives no more.
fn proven_until(site: &Site, proven: &Proven) -> Timestamp {
    let Some(at) = proven.at else { return Timestamp(0) };
    let age = site.portal().now().since(Timestamp(at));
    if age < PROVEN_MS { site.portal().expiry_now().plus(PROVEN_MS - age) } else { Timestamp(0) }
}

/// Counts that a sign-in by the provider came to nothing, and sends the browser to the page that says why.
fn not_signed_in(site: &Site, why: Unwelcome, next: &str) -> Response {
    site.metrics().not_signed_in(why);
    unwelcome(site, why, next)
}

/// Sends the browser to the page to sign in, which says why nobody was.
pub fn unwelcome(site: &Site, why: Unwelcome, next: &str) -> Response {
    let next = if next.is_empty() { String::new() } else { format!("&next={}", in_query(next)) };
    see_other(&site.base().path(&format!("/sign-in?problem={}{next}", why.word())))
}

fn absent() -> Response {
    sentence(StatusCode::NOT_FOUND, "There is no such address.")
}

fn only_get() -> Response {
    sentence(StatusCode::METHOD_NOT_ALLOWED, "This is a link for browsers. Nothing was done; follow it.")
}

/// From which network a request comes.
fn network(request: &Request) -> String {
    request.extensions().get::<Peer>().copied().map(Peer::network).unwrap_or_default()
}

fn cookie_of(request: &Request) -> Cookie {
    request.extensions().get::<Cookie>().copied().unwrap_or(Cookie::Secure)
}

/// What tells this browser from others, as it has it in its cookie.
fn browser(headers: &HeaderMap, cookie: Cookie) -> Option<String> {
    let name = cookie.of_sign_in().name;
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split("; ")).filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(found, _)| *found == name).map(|(_, value)| value)?;
    let whole = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then(|| value.to_owned())
}

fn new_browser() -> String {
    let mut bytes = [0_u8; 32];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

fn keep(headers: &mut HeaderMap, cookie: Cookie, value: &str, seconds: u32) {
    let cookie = cookie.of_sign_in();
    let secure = if cookie.secure { "; Secure" } else { "" };
    // Lax: the provider sends the browser back from another site.
    let text = format!("{}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}", cookie.name);
    if let Ok(value) = text.parse() {
        headers.append(header::SET_COOKIE, value);
    }
}

/// The query of an address.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(request: &Request) -> Self {
        let query = request.uri().query().unwrap_or_default();
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    /// The value of what stands there once. What stands there twice can be read in two ways, and is not read.
    fn only(&self, name: &str) -> Option<String> {
        let mut values = self.0.iter().filter(|(found, _)| found == name).map(|(_, value)| value);
        let value = values.next()?;
        values.next().is_none().then(|| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Query {
        Query(form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    #[test]
    fn what_the_provider_says_is_a_code_or_a_reason_and_never_both() {
        let read = |text: &str| answered(&query(text)).map(|answered| answered.code);

        assert_eq!(read("code=abc&state=x"), Ok("abc".to_owned()));
        assert_eq!(read("error=access_denied&code=abc"), Err(Unwelcome::Denied));
        assert_eq!(read("error=<script>"), Err(Unwelcome::Denied));
        assert_eq!(read("error=temporarily_unavailable"), Err(Unwelcome::Away));
        for untrue in ["", "code=", "code=a&code=b", "code=a&iss=b&iss=c", &format!("code={}", "x".repeat(5_000))] {
            assert_eq!(read(untrue), Err(Unwelcome::Untrue), "{untrue}");
        }
    }

    #[test]
    fn a_browser_is_known_by_a_whole_cookie_only() {
        let known = |cookie: &str| {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, cookie.parse().unwrap());
            browser(&headers, Cookie::ThisMachine)
        };
        let value = "a".repeat(64);

        assert_eq!(known(&format!("portal=x; portal-sign-in={value}")), Some(value.clone()));
        for other in ["portal-sign-in=", "portal-sign-in=short", &format!("__Host-portal-sign-in={value}")] {
            assert_eq!(known(other), None, "{other}");
        }
    }
}
