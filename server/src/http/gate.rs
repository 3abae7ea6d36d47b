//! Nobody gets further without a right to: the second line before pages and server functions, which check again themselves.

use std::time::Duration;

use app::AppError;
use app::api::Policy;
use app::base::in_query;
use app::ssr::{Begun, Peer, Ways};
use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use domain::PersonId;
use domain::identity::Unwelcome;
use domain::policy::{Actor, Forbidden, Verb, Whose};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use leptos::server_fn::error::ServerFnUrlError;
use percent_encoding::percent_decode;
use tower_sessions::Session;

use super::answers::{refused_call, see_other, sentence, wants_a_page, with_true_status};
use super::origin::{self, Provenance};
use super::proxied::{self, Named};
use super::requests::Asker;
use super::streams::Watched;
use super::{Site, again, alerts, routes, streams, tokens};
use crate::config::PublicUrl;

/// The most bytes of a request's body.
pub const BODY_LIMIT: usize = 1 << 20;

/// A body that has not arrived after so long is given up.
const BODY_PATIENCE: Duration = Duration::from_secs(20);

/// The host that the browser asked for, and the one that it should.
#[derive(Clone, Debug, Default)]
struct Host {
    name: String,
    public: Option<PublicUrl>,
}

impl Host {
    fn of(request: &Request) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_default()
    }

    /// The path inside the portal to which a location leads; the start page when it leads elsewhere.
    fn inside(&self, location: &HeaderValue) -> String {
        origin::inside(location, &self.name, self.public.as_ref())
    }

    /// What the browser is told of a path inside the portal.
    fn path(&self, inside: &str) -> String {
        self.public.as_ref().map_or_else(|| inside.to_owned(), |public| public.base().path(inside))
    }
}

/// Refuses unknown hosts, and requests from other sites that could change something or carry a token.
pub async fn at_the_door(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    if !routes::is_health(request.uri().path()) {
        if host.is_empty() {
            return sentence(StatusCode::BAD_REQUEST, "The request names no host. Nothing was done.");
        }
        if !origin::is_our_host(&host, site.public_url()) {
            let text = "The portal does not answer under this name. Nothing was done; use the address that its administrator has set.";
            return sentence(StatusCode::MISDIRECTED_REQUEST, text);
        }
    }
    let by_script = tokens::carried(request.headers()).is_some();
    if by_script || is_mutating(request.method()) {
        let provenance = origin::provenance(request.headers(), &host, site.public_url());
        if provenance == Provenance::Foreign {
            tracing::warn!(http.path = request.uri().path(), "refused a request that another site sent");
            return refused(request.uri().path(), FOREIGN);
        }
        request.extensions_mut().insert(provenance);
    }
    if by_script {
        // Whoever is signed in beside it does not count: not their session, and not what their browser is known by.
        request.headers_mut().remove(header::COOKIE);
    }
    request.extensions_mut().insert(Host { name: host, public: site.public_url().cloned() });
    next.run(request).await
}

const FOREIGN: &str = "This request was not sent by a page of this portal. Nothing was done; open the portal's own page. \
     (Behind a proxy the portal has to know its public address: public_url.)";

const UNSTATED: &str = "This request does not say where it comes from. Nothing was done; send the header Origin with the portal's own address, \
     or the token of a script.";

fn refused(path: &str, text: &str) -> Response {
    if routes::is_call(path) {
        refused_call(path, StatusCode::FORBIDDEN, &AppError::Denied(text.to_owned()))
    } else {
        sentence(StatusCode::FORBIDDEN, text)
    }
}

fn is_mutating(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD)
}

/// Lets a request through to its page or function when the table of policies lets its person.
pub async fn gate(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let named = proxied::take(&site, &mut request);
    request.extensions_mut().insert(ways(&site, named.as_ref()));
    let matched = request.extensions().get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    if let (Some(asker), Some(route)) = (request.extensions().get::<Asker>(), &matched) {
        asker.at(route);
    }
    // An address that is not there is answered like one that is, so that a stranger learns nothing.
    let policy = match &matched {
        Some(matched) => routes::policy(matched),
        None => Some(Policy::Verb(Verb::Read, Whose::Anybodys)),
    };
    let Some(policy) = policy else {
        return sentence(StatusCode::NOT_FOUND, "There is no such address.");
    };
    let script = match tokens::holder(&site, request.headers(), request.extensions()).await {
        Ok(script) => script,
        Err(tokens::Problem::Refused) => return tokens::refused(&path),
        Err(tokens::Problem::Unknown(error)) => return unknown_whether(&path, &error.into()),
    };
    // A browser does not send a token by itself, so that nobody else can have it sent.
    let is_ours = script.is_some() || request.extensions().get::<Provenance>() == Some(&Provenance::Ours);
    if let Policy::Verb(verb, _) = policy {
        let session = request.extensions().get::<Session>().cloned();
        // Nothing begins by what another site has sent.
        let begun = (is_ours || !is_mutating(request.method())).then(|| begun(&request));
        let (actor, watched) = match asker(&site, script, session, named.as_ref(), begun).await {
            Ok(Some(found)) => found,
            Ok(None) => return signed_out(&path, &request),
            Err(GateError::Account(portal::Error::Unwelcome(why))) => return unwelcome(&site, &path, &request, why),
            Err(error) => return unknown_whether(&path, &error),
        };
        note(&request, &actor);
        if let Err(forbidden) = actor.may(verb) {
            if let Err(error) = site.portal().note_refused(&actor, &path).await {
                tracing::error!(error = &error as &dyn std::error::Error, "a refusal could not be recorded");
            }
            // A page says itself, in its frame, what it takes; what would stand on it is guarded by its functions.
            let is_page = matched.as_deref().is_some_and(routes::is_page);
            if !is_page || actor.token.is_some() || !wants_a_page(request.headers()) {
                return not_allowed(&path, &request, &forbidden);
            }
        }
        request.extensions_mut().insert(watched);
        request.extensions_mut().insert(actor);
    }
    if is_mutating(request.method()) {
        if !is_ours {
            return refused(&path, UNSTATED);
        }
        return to_the_end(site, request, next).await;
    }
    if wants_a_page(request.headers()) && routes::is_rendered(matched.as_deref()) {
        return again::rendered(request, next).await;
    }
    streams::until_over(&site, matched.as_deref(), request, next).await
}

fn note(request: &Request, actor: &Actor) {
    if let Some(asker) = request.extensions().get::<Asker>() {
        asker.is(actor);
    }
}

/// Who asks, as their account stands now, and what a stream of theirs hangs on: the token of a script, or a live session.
async fn asker(
    site: &Site,
    script: Option<Actor>,
    session: Option<Session>,
    named: Option<&Named>,
    begun: Option<Begun>,
) -> Result<Option<(Actor, Watched)>, GateError> {
    if let Some(actor) = script {
        let token = actor.token.as_ref().map(|token| Watched::Token { id: token.id.clone(), role: actor.role });
        return Ok(token.map(|token| (actor, token)));
    }
    let Some(session) = session else { return Ok(None) };
    let Some(person) = proxied::settle(site, &session, named, begun).await? else { return Ok(None) };
    let person = PersonId(person);
    let actor = site.portal().actor(&person).await?;
    Ok(actor.zip(session.id().map(|id| Watched::Session { person, id })))
}

/// Why it is not known who asks.
#[derive(Debug, thiserror::Error)]
pub(super) enum GateError {
    #[error("the session could not be read")]
    Session(#[from] tower_sessions::session::Error),
    #[error("the account could not be read")]
    Account(#[from] portal::Error),
    #[error("no session layer stands before this request")]
    NoSession,
}

/// In which ways somebody can sign in, for the page that offers them.
fn ways(site: &Site, named: Option<&Named>) -> Ways {
    let sign_out = site.around().identity.proxy.as_ref().and_then(|proxy| proxy.sign_out.clone());
    Ways {
        provider: site.provider().map(|(provider, _)| provider.label().to_owned()),
        named: named.and_then(Named::login).map(str::to_owned),
        sign_out: sign_out.filter(|_| named.is_some()),
    }
}

/// From where a session begins with this request.
pub(super) fn begun(request: &Request) -> Begun {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let address = request.extensions().get::<Peer>().map(Peer::to_string);
    Begun { address: address.unwrap_or_default(), agent: agent.unwrap_or_default().to_owned(), ..Begun::default() }
}

/// What somebody is told whom the proxy names and who is not signed in all the same.
fn unwelcome(site: &Site, path: &str, request: &Request, why: Unwelcome) -> Response {
    if wants_a_page(request.headers()) {
        let next = if is_mutating(request.method()) { came_from(request) } else { path_and_query(request) };
        return super::sign_in::unwelcome(site, why, &next);
    }
    refused(path, why.sentence())
}

/// Who asks cannot be looked up: nobody is sent away to sign in for that.
pub(super) fn unknown_whether(path: &str, error: &GateError) -> Response {
    tracing::error!(error = error as &dyn std::error::Error, "it is not known who asks");
    let text = "The database does not answer, so it is not known who you are. Nothing was done; try again in a moment.";
    if routes::is_call(path) {
        refused_call(path, StatusCode::SERVICE_UNAVAILABLE, &AppError::Busy(text.to_owned()))
    } else {
        sentence(StatusCode::SERVICE_UNAVAILABLE, text)
    }
}

/// What somebody without a session is told: a program the status, a browser the page to sign in.
fn signed_out(path: &str, request: &Request) -> Response {
    if wants_a_page(request.headers()) {
        let next = if is_mutating(request.method()) { came_from(request) } else { path_and_query(request) };
        return sign_in(request, &next);
    }
    if routes::is_call(path) {
        return refused_call(path, StatusCode::UNAUTHORIZED, &AppError::SignedOut);
    }
    let matched = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if is_mutating(request.method()) || matched == Some(routes::OUTPUT) {
        return sentence(StatusCode::UNAUTHORIZED, &AppError::SignedOut.to_string());
    }
    sign_in(request, &path_and_query(request))
}

/// Sends the browser to sign in, and from there to a path inside the portal.
fn sign_in(request: &Request, next: &str) -> Response {
    see_other(&Host::of(request).path(&format!("/sign-in?next={}", in_query(next))))
}

fn path_and_query(request: &Request) -> String {
    request.uri().path_and_query().map_or("/".to_owned(), |path| path.as_str().to_owned())
}

/// The path inside the portal of the page from which a form was sent, when it is one of ours.
fn came_from(request: &Request) -> String {
    let referer = request.headers().get(header::REFERER).cloned().unwrap_or(HeaderValue::from_static("/"));
    Host::of(request).inside(&referer)
}

fn not_allowed(path: &str, request: &Request, forbidden: &Forbidden) -> Response {
    let error = AppError::from(forbidden.clone());
    if !routes::is_call(path) {
        return sentence(StatusCode::FORBIDDEN, &error.to_string());
    }
    if wants_a_page(request.headers()) {
        return back_with(path, request, &error);
    }
    refused_call(path, StatusCode::FORBIDDEN, &error)
}

/// Sends a browser without scripts back to its form, which shows the error.
fn back_with(path: &str, request: &Request, error: &AppError) -> Response {
    let form = came_from(request);
    let base = format!("http://portal.invalid{form}");
    let told = ServerFnUrlError::new(path, error.clone()).to_url(&base).ok();
    let form = told.as_ref().and_then(|url| url.as_str().strip_prefix("http://portal.invalid")).unwrap_or("/");
    see_other(&Host::of(request).path(form))
}

/// Does what a request asks for to its end, also when its browser goes away in the middle: a decision that is recorded and
/// the step that it starts belong together.
async fn to_the_end(site: Site, request: Request, next: Next) -> Response {
    let host = Host::of(&request);
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let webhook = path == routes::ALERTS;
    let body = match tokio::time::timeout(BODY_PATIENCE, to_bytes(body, BODY_LIMIT)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            if webhook {
                alerts::unread(&site, parts.extensions.get(), "it is larger than 1 MiB, or broke off").await;
            }
            return not_taken(
                &path,
                StatusCode::PAYLOAD_TOO_LARGE,
                "The request is larger than 1 MiB, or broke off. Nothing was done.",
            );
        }
        Err(_) => {
            return not_taken(
                &path,
                StatusCode::REQUEST_TIMEOUT,
                "The request did not arrive in time. Nothing was done; send it again.",
            );
        }
    };
    // A webhook is no form: what stands in it is not encoded as in one.
    if routes::is_call(&path) && !webhook && !is_text(&body) {
        let error = AppError::not_understood();
        return refused_call(&path, app::ssr::status(&error), &error);
    }
    let matched = parts.extensions.get::<MatchedPath>().map(|matched| matched.as_str().to_owned());
    let request = Request::from_parts(parts, Body::from(body));
    let work = async move { streams::until_over(&site, matched.as_deref(), request, next).await };
    // What only reads ends with whoever asked.
    let answered = if routes::only_reads(&path) { Ok(work.await) } else { tokio::spawn(work).await };
    match answered {
        Ok(mut response) => {
            stay(response.headers_mut(), &host);
            with_true_status(response).await
        }
        // The net for panics is further out.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => {
                not_taken(&path, StatusCode::SERVICE_UNAVAILABLE, "The portal is stopping. Try again in a moment.")
            }
        },
    }
}

/// Whether a form is Unicode, also where its bytes are encoded. What is not would be stored with other characters than were sent.
fn is_text(form: &[u8]) -> bool {
    percent_decode(form).decode_utf8().is_ok()
}

/// A server function redirects to wherever `Referer` says: the browser stays in the portal all the same.
fn stay(headers: &mut HeaderMap, host: &Host) {
    if let Some(location) = headers.get(header::LOCATION) {
        let pinned = HeaderValue::from_str(&host.path(&host.inside(location)));
        headers.insert(header::LOCATION, pinned.unwrap_or(HeaderValue::from_static("/")));
    }
}

fn not_taken(path: &str, status: StatusCode, text: &str) -> Response {
    if routes::is_call(path) {
        refused_call(path, status, &AppError::Invalid(text.to_owned()))
    } else {
        sentence(status, text)
    }
}
