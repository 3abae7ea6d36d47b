//! The server's half: who is asking, how a failure is answered, and what pages find in their context.
//!
//! The one file that knows HTTP, sessions and the use cases together. A cause of a failure is logged here and stops here.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, OnceLock};

use domain::attempt::{Input, Key};
use domain::factor::Proof;
use domain::keyboard::{Named, Press, Stroke};
use domain::policy::{Actor, Forbidden, GroupName, Groups, Role, Scope, typed_groups};
use domain::run::{Command, Refusal, Run, Verdict, Wanted};
use domain::view::{MadeCode, MadeToken, RedactionView};
use domain::{AttemptId, PersonId, RunId, Timestamp, TokenId};
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use leptos::prelude::{provide_context, use_context, use_nonce};
use leptos_axum::ResponseOptions;
use leptos_router::location::RequestUrl;
use portal::{Decision, Handed, Knock, Portal, Sought, Sure};
use tower_sessions::Session;

use crate::AppError;
use crate::api::runs::Typed;
pub use crate::base::inside;
use crate::base::{Base, portal_path};
use crate::components::words::capital;
use crate::loaded::PageStatus;

/// The key under which a session keeps the id of its person.
pub const PERSON: &str = "person";

/// The key under which a session keeps the address from which it was begun.
pub const ADDRESS: &str = "address";

/// The key under which a session keeps the browser in which it was begun.
pub const AGENT: &str = "agent";

/// The key under which a session keeps what stands for the words of the proxy that named its person: it hangs on them.
pub const NAMED: &str = "named";

/// The key under which a session keeps until when it counts as proven who it is.
pub const PROVEN: &str = "proven";

/// The most characters that are kept of what a browser calls itself.
const AGENT_LIMIT: usize = 256;

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

/// How a session was begun.
#[derive(Clone, Debug, Default)]
pub struct Begun {
    /// From which address.
    pub address: String,
    /// By which browser.
    pub agent: String,
    /// What stands for the words of the proxy, where it named the person.
    pub named: Option<String>,
    /// Until when it counts as proven who it is, for whoever has no password to be asked for.
    pub proven: Timestamp,
}

/// In which ways somebody can sign in beside a password; the server puts it into the request.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// What the button for the identity provider says.
    pub provider: Option<String>,
    /// Whom the proxy names.
    pub named: Option<String>,
    /// Where one signs out at the proxy.
    pub sign_out: Option<String>,
}

/// What this request has taken out to show it once. A page that is rendered again for the same request shows it again: nobody has seen
/// it yet.
#[derive(Clone, Default)]
pub struct TakenOut {
    token: Arc<OnceLock<Option<MadeToken>>>,
    code: Arc<OnceLock<Option<MadeCode>>>,
}

/// Who is asking, and whom they ask.
pub struct Caller {
    /// The use cases.
    pub portal: Portal,
    /// The person as their account stands now.
    pub actor: Actor,
}

/// Puts into the context what pages and server functions look for there. Called once per request.
pub fn provide(portal: &Portal, base: &Base) {
    provide_context(portal.clone());
    provide_context(base.clone());
    provide_address(base);
    provide_context(PageStatus(Arc::new(|code| {
        if let (Some(response), Ok(status)) = (use_context::<ResponseOptions>(), StatusCode::from_u16(code)) {
            response.set_status(status);
        }
    })));
}

/// Lets the router see the address that the browser has: a request gets here without the base.
fn provide_address(base: &Base) {
    let path = parts().and_then(|parts| Some(parts.uri.path_and_query()?.as_str().to_owned()));
    if let Some(path) = path.filter(|_| !base.is_root()) {
        provide_context(RequestUrl::new(&base.path(&path)));
    }
}

/// The policy for what a page may load and run: only the portal's own files, and scripts that carry this request's nonce.
/// To be sent with every page, from inside its context.
pub fn content_security_policy() -> Option<String> {
    let nonce = use_nonce()?;
    Some(format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ))
}

/// The use cases, for what a stranger may call.
pub fn portal() -> Result<Portal, AppError> {
    use_context::<Portal>().ok_or_else(|| {
        tracing::error!("no portal was put into the context of this request");
        AppError::Internal
    })
}

/// Who is asking, by their session or their script's token, and by their account as it stands at this moment.
pub async fn caller() -> Result<Caller, AppError> {
    let portal = portal()?;
    let actor = match token() {
        Some(token) => portal.holder_of_token(&token).await?,
        None => signed_in(&portal).await?,
    };
    Ok(Caller { actor: actor.ok_or(AppError::SignedOut)?, portal })
}

/// The token that the gate has found in this request. Where there is one, a session counts for nothing.
fn token() -> Option<TokenId> {
    let found = parts()?.extensions.get::<Actor>()?.token.clone()?;
    Some(found.id)
}

async fn signed_in(portal: &Portal) -> Result<Option<Actor>, AppError> {
    let person: Option<String> = session()?.get(PERSON).await.map_err(session_failed)?;
    match person {
        Some(person) => Ok(portal.actor(&PersonId(person)).await?),
        None => Ok(None),
    }
}

/// The token that was just made in a session, for the page that shows it.
pub fn made_token(portal: &Portal, session: &str) -> Option<MadeToken> {
    let take = || portal.take_made_token(session);
    match taken_out() {
        Some(taken) => taken.token.get_or_init(take).clone(),
        None => take(),
    }
}

/// The enrolment code that was just made in a session, for the page that shows it.
pub fn made_code(portal: &Portal, session: &str) -> Option<MadeCode> {
    let take = || portal.take_made_code(session);
    match taken_out() {
        Some(taken) => taken.code.get_or_init(take).clone(),
        None => take(),
    }
}

fn taken_out() -> Option<TakenOut> {
    parts()?.extensions.get::<TakenOut>().cloned()
}

/// Ties the session of this request to a person.
pub async fn sign_in(actor: &Actor) -> Result<(), AppError> {
    let begun = Begun { address: address(), agent: agent(), ..Begun::default() };
    begin(&session()?, actor, begun).await.map_err(session_failed)
}

/// Ties a session to a person. Its id changes, so that nobody who knew the old one is signed in with them, and nothing of what it was
/// before stays in it.
///
/// # Errors
///
/// When it cannot be stored.
pub async fn begin(session: &Session, actor: &Actor, begun: Begun) -> Result<(), tower_sessions::session::Error> {
    session.cycle_id().await?;
    session.clear().await;
    session.insert(PERSON, actor.id.as_str()).await?;
    session.insert(ADDRESS, begun.address).await?;
    session.insert(AGENT, begun.agent.chars().take(AGENT_LIMIT).collect::<String>()).await?;
    if let Some(words) = begun.named {
        session.insert(NAMED, words).await?;
    }
    session.insert(PROVEN, begun.proven.0).await?;
    // Stored here and not after the answer: who cannot be signed in is told so, on the page.
    session.save().await
}

/// In which ways somebody can sign in beside a password.
pub fn ways() -> Ways {
    parts().and_then(|parts| parts.extensions.get::<Ways>().cloned()).unwrap_or_default()
}

/// The id of the session that asks: it is kept when the others end, and what is shown once is shown in it.
pub fn session_id() -> Result<String, AppError> {
    session()?.id().map(|id| id.to_string()).ok_or(AppError::SignedOut)
}

fn peer() -> Option<Peer> {
    parts()?.extensions.get::<Peer>().copied()
}

fn address() -> String {
    peer().map(|peer| peer.to_string()).unwrap_or_default()
}

fn agent() -> String {
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

/// Ends the session at the server.
pub async fn sign_out() -> Result<(), AppError> {
    session()?.flush().await.map_err(session_failed)
}

fn session() -> Result<Session, AppError> {
    parts().and_then(|parts| parts.extensions.get::<Session>().cloned()).ok_or_else(|| {
        tracing::error!("no session layer stands before this request");
        AppError::Internal
    })
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err` by name")]
fn session_failed(error: tower_sessions::session::Error) -> AppError {
    tracing::error!(error = &error as &dyn std::error::Error, "a session could not be read or written");
    AppError::Busy("Your session could not be kept or read. Nothing else was done; try again in a moment.".to_owned())
}

fn parts() -> Option<Parts> {
    use_context::<Parts>()
}

/// Does something in a run, and sends a browser without scripts back to its page: at a step, or where the run stands (0).
pub async fn act(run: RunId, step: u32, command: Command) -> Result<(), AppError> {
    let caller = caller().await?;
    // On the heap: every function that does something in a run carries it.
    Box::pin(caller.portal.act(caller.actor.operator()?, run, command)).await?;
    back_to(&match step {
        0 => format!("/runs/{run}"),
        _ => format!("/runs/{run}?step={step}"),
    });
    Ok(())
}

/// What a form's step is about: 0 is the run as a whole.
pub fn about(step: u32) -> Option<u32> {
    (step > 0).then_some(step)
}

/// The numbers that a form lists, as `1,2,3`.
pub fn numbers(list: &str) -> Result<Vec<u32>, AppError> {
    let unreadable =
        |_| AppError::Invalid("The form was not understood. Nothing was started; load the page again.".into());
    list.split(',').map(|number| number.trim().parse().map_err(unreadable)).collect()
}

/// The steps and commands that a form has ticked: each key is a step with its commands, as `s4.1-2`.
pub fn wanted(ticked: &BTreeMap<String, String>) -> Result<Vec<Wanted>, AppError> {
    let read = |key: &String| {
        let (step, commands) = key.strip_prefix('s')?.split_once('.')?;
        let commands = commands.split('-').map(str::parse).collect::<Result<Vec<u32>, _>>().ok()?;
        Some((step.parse().ok()?, commands))
    };
    let unreadable =
        || AppError::Invalid("The form was not understood. Nothing was asked; load the page again.".to_owned());
    ticked.keys().map(|key| read(key).ok_or_else(unreadable)).collect()
}

/// What waits to be covered in an output, for whoever may decide on it. A page that lacks it asks for it by itself, and tells its
/// reader why it cannot be had.
pub async fn redaction_to_decide(caller: &Caller, run: &Run, id: AttemptId) -> Option<RedactionView> {
    let approver = caller.actor.approver().ok()?;
    let (number, _) = run.waiting_redaction(id)?;
    caller.portal.redaction(approver, run.id, number).await.map_err(AppError::from).ok()
}

/// The second factor that a form hands over, if it does.
pub fn handed(code: &str, passkey: &str) -> Result<Option<Handed>, AppError> {
    let Some(proof) = Proof::of_form(code, passkey) else { return Ok(None) };
    Ok(Some(Handed { session: session_id()?, proof }))
}

/// The decision that a form names.
pub fn decision_named(name: &str, also: &BTreeMap<String, String>, text: String) -> Result<Decision, AppError> {
    let has = |what| also.contains_key(what);
    match name {
        "approve" => Ok(Decision::Approve { retry: has("retry"), rollback: has("rollback"), comment: text }),
        "reject" => Ok(Decision::Reject { reason: text }),
        _ => Err(AppError::Invalid("Say whether you approve or reject. Nothing was decided.".to_owned())),
    }
}

/// What a form wants to have covered: a text, or lines or bytes in a range, as `12-15`.
pub fn sought(text: String, unit: &str, range: &str) -> Result<Sought, AppError> {
    match (text.is_empty(), range.trim().is_empty(), unit) {
        (false, true, _) => Ok(Sought::Text(text)),
        (true, false, "bytes") => ranged(range).map(|(from, to)| Sought::Bytes(from, to.unwrap_or(from + 1))),
        (true, false, _) => ranged(range).map(|(from, to)| Sought::Lines(from, to.unwrap_or(from))),
        _ => Err(AppError::Invalid("Name either the text or where it stands. Nothing was asked.".to_owned())),
    }
}

/// One number, or two with a hyphen between them.
fn ranged(range: &str) -> Result<(u64, Option<u64>), AppError> {
    let number = |text: &str| text.trim().parse::<u64>().ok().filter(|number| *number < u64::MAX);
    let read = match range.split_once('-') {
        Some((from, to)) => number(from).zip(number(to)).map(|(from, to)| (from, Some(to))),
        None => number(range).map(|from| (from, None)),
    };
    read.ok_or_else(|| AppError::Invalid("A place is a number, or two as 12-15. Nothing was asked.".to_owned()))
}

/// What a form sends to a command: the key that it names, else its line.
pub fn input_of(key: &str, line: String) -> Result<Input, AppError> {
    if key.is_empty() {
        return Ok(Input::Line { text: line });
    }
    let known = Key::ALL.into_iter().find(|known| known.name() == key);
    let key = known.ok_or_else(|| AppError::Invalid("There is no such key. Nothing was sent.".to_owned()))?;
    Ok(Input::Key { key })
}

/// What was typed with a full keyboard.
pub fn strokes_of(typed: Typed) -> Result<Vec<Stroke>, AppError> {
    let Typed { keys, key, line, enter } = typed;
    if !keys.is_empty() {
        let unreadable = |_| AppError::Invalid("The keys were not understood. Nothing was sent.".to_owned());
        return serde_json::from_str(&keys).map_err(unreadable);
    }
    if !key.is_empty() {
        let press = Press::parse(&key)
            .map_err(|error| AppError::Invalid(format!("{}. Nothing was sent.", capital(&error.to_string()))))?;
        return Ok(vec![Stroke::Key(press)]);
    }
    let enter = (!enter.is_empty()).then_some(Stroke::Key(Press::plain(Named::Enter)));
    Ok([Stroke::Text(line)].into_iter().chain(enter).collect())
}

/// What a form says to a change of the second factor.
pub fn sure(password: String, code: &str, passkey: &str) -> Sure {
    Sure { password, proof: Proof::of_form(code, passkey) }
}

/// The verdict that a form names.
pub fn verdict_named(name: &str) -> Result<Verdict, AppError> {
    Verdict::parse(name)
        .ok_or_else(|| AppError::Invalid("Choose what came of the run. Nothing was changed.".to_owned()))
}

/// The role that a form names.
pub fn role_named(word: &str) -> Result<Role, AppError> {
    Role::parse(word).ok_or_else(|| {
        AppError::Invalid("There is no such role. Nothing was changed; choose one of the list.".to_owned())
    })
}

/// What a form lets a token do: the word of a role, or of suggesting alone.
pub fn token_named(word: &str) -> Result<(Scope, Role), AppError> {
    if word == Scope::Suggest.word() {
        return Ok((Scope::Suggest, Role::Operator));
    }
    Ok((Scope::Role, role_named(word)?))
}

/// The groups that a form names.
pub fn groups_named(text: &str) -> Result<Groups, AppError> {
    typed_groups(text).map_err(|_| {
        AppError::Invalid(format!(
            "A group has 1 to {} lower-case letters, digits, hyphens and underscores; between two stands a comma. Nothing was changed; \
             correct the names.",
            GroupName::LONGEST
        ))
    })
}

/// Gives a failed answer its true HTTP status, for proxies and for the log.
///
/// Leptos answers every failure with 500. Without scripts it answers with a redirect back to the form instead, and that
/// has to stay a redirect.
pub fn answer<T>(outcome: Result<T, AppError>) -> Result<T, AppError> {
    if let Err(error) = &outcome
        && !is_plain_form()
        && let Some(response) = use_context::<ResponseOptions>()
    {
        response.set_status(status(error));
    }
    outcome
}

/// Whether a browser without scripts sent this: it wants a page back.
fn is_plain_form() -> bool {
    parts().is_some_and(|parts| {
        let accept = parts.headers.get(header::ACCEPT).map_or(&b""[..], |accept| accept.as_bytes());
        accept.windows(9).any(|part| part == b"text/html")
    })
}

/// The HTTP status of an error.
pub fn status(error: &AppError) -> StatusCode {
    match error {
        AppError::SignedOut => StatusCode::UNAUTHORIZED,
        AppError::Denied(_) => StatusCode::FORBIDDEN,
        AppError::NotFound => StatusCode::NOT_FOUND,
        AppError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        AppError::Conflict(_) => StatusCode::CONFLICT,
        AppError::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
        AppError::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        AppError::Unreachable | AppError::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// Sends the browser to a page of the portal, with scripts and without.
pub fn go_to(path: &str) {
    leptos_axum::redirect(&portal_path(inside(path)));
}

/// Sends the browser to sign in.
pub fn go_to_sign_in() {
    leptos_axum::redirect(&portal_path("/sign-in"));
}

/// Sends a browser without scripts back to a page. With scripts the page is there and follows by itself.
pub fn back_to(path: &str) {
    if is_plain_form() {
        go_to(path);
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

impl From<portal::Error> for AppError {
    /// The one place where a cause is logged, and where it stops.
    fn from(error: portal::Error) -> Self {
        let sentence = error.sentence();
        match error {
            portal::Error::NotFound | portal::Error::Refused(Refusal::NoRun) => Self::NotFound,
            portal::Error::Forbidden(_)
            | portal::Error::Unwelcome(_)
            | portal::Error::Refused(
                Refusal::Forbidden(_)
                | Refusal::Disabled
                | Refusal::Shaped(_)
                | Refusal::NoGlass
                | Refusal::OwnGlass
                | Refusal::OwnRedaction,
            ) => Self::Denied(sentence),
            portal::Error::Refused(_) | portal::Error::Launch(_) | portal::Error::Moved => Self::Conflict(sentence),
            portal::Error::Invalid(_) | portal::Error::SignIn => Self::Invalid(sentence),
            portal::Error::TooOften(_) => Self::TooOften(sentence),
            portal::Error::Busy(_)
            | portal::Error::Unsure(_)
            | portal::Error::Unrecorded(_)
            | portal::Error::Undone(_) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "a use case was put off");
                Self::Busy(sentence)
            }
            _ => {
                tracing::error!(error = &error as &dyn std::error::Error, "a use case failed");
                Self::Internal
            }
        }
    }
}

impl From<Forbidden> for AppError {
    fn from(forbidden: Forbidden) -> Self {
        Self::Denied(format!("{forbidden}. Nothing was changed."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_out_of_the_portal() {
        let outside =
            ["https://evil.example", "//evil.example", "/\\evil.example", "", "runs", "/a\nb", "/api/x", "/sign-in"];

        assert!(outside.iter().all(|path| inside(path) == "/"));
        assert!(["/../other", "/runs/%2E%2e/%2e./other"].iter().all(|path| inside(path) == "/"));
        assert_eq!(inside("/runs/7?step=2"), "/runs/7?step=2");
    }

    #[test]
    fn what_is_to_be_covered_is_a_text_or_a_range_and_not_both() {
        let read = |text: &str, unit: &str, range: &str| {
            sought(text.to_owned(), unit, range).map(|sought| format!("{sought:?}")).unwrap_or_default()
        };

        assert_eq!([read("secret", "lines", ""), read("", "lines", "12-15")], ["Text", "Lines(12, 15)"]);
        assert_eq!(
            [read("", "", " 7 "), read("", "bytes", "7"), read("", "bytes", "0-4")],
            ["Lines(7, 7)", "Bytes(7, 8)", "Bytes(0, 4)"]
        );
        for (text, range) in
            [("secret", "1"), ("", ""), ("", "x"), ("", "1-"), ("", "-1"), ("", "18446744073709551615")]
        {
            assert_eq!(read(text, "bytes", range), "", "{text} {range}");
        }
    }

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
