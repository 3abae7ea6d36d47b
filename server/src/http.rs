//! HTTP: which layers stand around which routes.
//!
//! From the outside in: [`below`] takes the base off the path; [`requests`] gives every request a number, a line in the log and
//! its headers; [`gate`] looks at host and origin; the session is found, or the [`tokens`] of a script, or whom the proxy names
//! ([`proxied`]); [`gate`] again asks the table in [`routes`] who may; then pages and server functions of `app`, the way to an
//! identity provider ([`sign_in`]), the raw [`output`], the [`evidence`] of a run, the webhook of [`alerts`], the files of the site
//! ([`assets`]).

pub mod again;
pub mod alerts;
pub mod answers;
pub mod assets;
pub mod below;
pub mod client;
pub mod evidence;
pub mod gate;
pub mod metrics;
pub mod origin;
pub mod output;
pub mod proxied;
pub mod requests;
pub mod routes;
pub mod sessions;
pub mod sign_in;
pub mod streams;
pub mod tokens;
pub mod trial;

use std::sync::Arc;

use app::base::Base;
use axum::Router;
use axum::extract::{FromRef, Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use domain::Digest;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leptos::config::LeptosOptions;
use leptos::prelude::use_context;
use leptos_axum::{LeptosRoutes as _, ResponseOptions, generate_route_list};
use portal::Portal;
use tower::ServiceExt as _;
use tower_http::compression::CompressionLayer;

use crate::config::{Config, IdentitySettings, Networks, PublicUrl, SessionLimits};
use crate::oidc::{Flows, Provider};
use answers::sentence;
use assets::Assets;
use metrics::Metrics;
use routes::Undeclared;
use sessions::{Sessions, layer};

/// The route of all files of the site, in the figures.
const FILES: &str = "/pkg/{*file}";

/// What every part of the HTTP side needs.
#[derive(Clone, Debug)]
pub struct Site(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    portal: Portal,
    assets: Assets,
    sessions: Sessions,
    metrics: Metrics,
    provider: Option<(Provider, Flows)>,
    map: Digest,
    around: Surroundings,
    base: Base,
    options: LeptosOptions,
}

/// What stands around a site: who reaches it, and by what.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The address that people use, when it is configured.
    pub public_url: Option<PublicUrl>,
    /// The proxies that are believed when they say whose request they bring.
    pub proxies: Networks,
    /// From where the figures may be read.
    pub metrics: Networks,
    /// How long a session lasts.
    pub limits: SessionLimits,
    /// Who vouches for people.
    pub identity: IdentitySettings,
}

impl Surroundings {
    /// Those that a configuration says.
    pub fn of(config: &Config) -> Self {
        Self {
            public_url: config.public_url.clone(),
            proxies: config.proxies.clone(),
            metrics: config.metrics.clone(),
            limits: config.sessions,
            identity: config.identity.clone(),
        }
    }
}

impl Site {
    /// Puts a site together.
    pub fn new(portal: Portal, assets: Assets, around: Surroundings) -> Self {
        let options = LeptosOptions::builder().output_name("runbook-portal").build();
        let sessions = Sessions::new(portal.clone(), around.limits);
        let metrics = Metrics::new(portal.build());
        let base = around.public_url.as_ref().map(|url| url.base().clone()).unwrap_or_default();
        let provider = around.identity.oidc.clone().map(|settings| (Provider::new(settings), Flows::default()));
        let map = Digest::of(format!("{:?}", around.identity.map).as_bytes());
        Self(Arc::new(Inner { portal, assets, sessions, metrics, provider, map, around, base, options }))
    }

    /// The use cases.
    pub fn portal(&self) -> &Portal {
        &self.0.portal
    }

    /// The sessions.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// The address that people use, when it is configured.
    pub fn public_url(&self) -> Option<&PublicUrl> {
        self.0.around.public_url.as_ref()
    }

    /// What stands around it.
    pub fn around(&self) -> &Surroundings {
        &self.0.around
    }

    /// The identity provider, and the sign-ins that are under way there.
    pub fn provider(&self) -> Option<(&Provider, &Flows)> {
        self.0.provider.as_ref().map(|(provider, flows)| (provider, flows))
    }

    /// The digest of the map of roles: what was begun by another map is to begin again.
    pub fn map(&self) -> &Digest {
        &self.0.map
    }

    /// The route of a path that is answered before anybody asks who may: a health check, or a file of the site.
    fn own_route(&self, path: &str) -> Option<&str> {
        match path {
            routes::ALIVE => Some(routes::ALIVE),
            routes::READY => Some(routes::READY),
            routes::METRICS => Some(routes::METRICS),
            routes::TRIAL => Some(routes::TRIAL),
            _ if path.starts_with("/pkg/") => Some(FILES),
            _ => self.0.assets.paths().any(|file| file == path).then_some(FILES),
        }
    }

    /// What is counted.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Below which path of its host the portal is.
    pub fn base(&self) -> &Base {
        &self.0.base
    }
}

impl FromRef<Site> for LeptosOptions {
    fn from_ref(site: &Site) -> Self {
        site.0.options.clone()
    }
}

/// Everything that the portal answers.
///
/// # Errors
///
/// When there is an address without a declared policy.
pub fn router(site: &Site) -> Result<Router, Undeclared> {
    let pages = generate_route_list(app::App);
    let calls = leptos::server_fn::axum::server_fn_paths().map(|(path, _)| path);
    routes::check(pages.iter().map(leptos_axum::AxumRouteListing::path).chain(calls))?;

    let (context, options) = (page_context(site), site.0.options.clone());
    let shell = move || app::shell(options.clone());
    let guarded = Router::new()
        .leptos_routes_with_context(site, pages, context, shell)
        .route(routes::OUTPUT, get(output::output))
        .route(routes::EVIDENCE, get(evidence::evidence))
        .route(routes::ALERTS, post(alerts::alerts))
        .route(routes::SIGN_IN_WITH, get(sign_in::with))
        .route(routes::SIGN_IN_BACK, get(sign_in::back))
        .fallback(no_such_page)
        .layer(from_fn_with_state(site.clone(), gate::gate))
        .with_state(site.clone());
    let with_sessions = sessions_by_host(&guarded, site);
    let mut everything = Router::new()
        .route(routes::ALIVE, get(alive))
        .route(routes::READY, get(ready))
        .route(routes::METRICS, get(metrics::metrics))
        .route(routes::TRIAL, get(trial::trial))
        // What the page of an older build wants and this one does not have is not there: no reason to sign in.
        .route(FILES, get(asset))
        .fallback_service(with_sessions);
    for path in site.0.assets.paths().filter(|path| !path.starts_with("/pkg/")) {
        everything = everything.route(path, get(asset));
    }
    let everything = everything
        .layer(from_fn(sessions::secure_removals))
        .layer(CompressionLayer::new().no_zstd().no_deflate().compress_when(is_page))
        .layer(from_fn_with_state(site.clone(), gate::at_the_door))
        .layer(from_fn_with_state(site.clone(), requests::around))
        .with_state(site.clone());
    Ok(below::behind(site.base(), everything))
}

/// What pages and server functions find in their context, and the policy for what a page may load and run.
fn page_context(site: &Site) -> impl Fn() + Clone + Send + Sync + 'static {
    let site = site.clone();
    move || {
        app::ssr::provide(site.portal(), site.base());
        let policy = app::ssr::content_security_policy().and_then(|policy| HeaderValue::from_str(&policy).ok());
        if let (Some(policy), Some(response)) = (policy, use_context::<ResponseOptions>()) {
            response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
        }
    }
}

/// A browser keeps a secure cookie only over an encrypted connection, or on its own machine: there it gets another one.
fn sessions_by_host(guarded: &Router, site: &Site) -> Router {
    let secure = guarded.clone().layer(layer(site.sessions(), sessions::Cookie::Secure));
    let local = guarded.clone().layer(layer(site.sessions(), sessions::Cookie::ThisMachine));
    let encrypted = site.public_url().is_some_and(PublicUrl::is_https);
    Router::new().fallback(move |mut request: Request| {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let here = !encrypted && app::ssr::is_this_machine(host);
        let (chosen, cookie) = if here {
            (local.clone(), sessions::Cookie::ThisMachine)
        } else {
            (secure.clone(), sessions::Cookie::Secure)
        };
        request.extensions_mut().insert(cookie.of_device());
        request.extensions_mut().insert(cookie);
        async move { chosen.oneshot(request).await }
    })
}

/// Pages are compressed here; files of the site bring their own encoding; calls and streams are never compressed.
fn is_page(status: StatusCode, _: http::Version, headers: &HeaderMap, _: &http::Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    !status.is_redirection() && kind.is_some_and(|kind| kind.starts_with("text/html"))
}

async fn alive() -> Response {
    sentence(StatusCode::OK, "The portal lives.")
}

async fn ready(State(site): State<Site>) -> Response {
    match site.portal().welcome().await {
        Ok(_) => sentence(StatusCode::OK, "The portal is ready."),
        Err(_) => sentence(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer."),
    }
}

async fn asset(State(site): State<Site>, request: Request) -> Response {
    site.0.assets.answer(request.uri().path(), request.uri().query(), request.headers()).await
}

/// The page that says that there is none, for people; a sentence for programs.
async fn no_such_page(State(site): State<Site>, request: Request) -> Response {
    if !answers::wants_a_page(request.headers()) || routes::is_call(request.uri().path()) {
        return sentence(StatusCode::NOT_FOUND, "There is no such address.");
    }
    let options = site.0.options.clone();
    let render = leptos_axum::render_app_async_with_context(page_context(&site), move || app::shell(options.clone()));
    let mut response = render(request).await;
    if response.status().is_success() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
