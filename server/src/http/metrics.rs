//! Figures for Prometheus: what was asked and how long it took, what is open, what waits.
//!
//! No name, no title and no value of a person's is in them, and no label that grows with use: a request counts for its route.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use domain::identity::Unwelcome;
use http::{HeaderValue, Method, StatusCode, header};
use portal::Figures;
use prometheus_client::encoding::{EncodeLabelSet, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use super::answers::sentence;
use super::{Site, client};
use crate::connections::Connection;

/// The route of whatever the router does not know: one label for all of it.
const ELSEWHERE: &str = "other";

/// Upper ends of the classes in which durations of requests are counted, in seconds.
const CLASSES: [f64; 8] = [0.005, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Asked, Counter>,
    took: Family<Where, Histogram>,
    refused: Family<Why, Counter>,
    connections: Gauge,
    streams: Gauge,
    state: StateOfThings,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Asked {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Where {
    route: String,
}

/// Why somebody who came from the identity provider was not signed in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    why: &'static str,
}

/// What is read anew whenever somebody asks.
#[derive(Debug, Default)]
struct StateOfThings {
    events: Gauge,
    runs: Gauge,
    steps: Gauge,
    approvals: Gauge,
    redactions: Gauge,
    notices: Gauge,
    given_up: Gauge,
    sessions: Gauge,
    unproven: Gauge,
    doubtful: Gauge,
    free: Gauge,
}

impl Metrics {
    /// Nothing counted yet, in this build of the portal.
    pub fn new(build: &str) -> Self {
        let mut registry = Registry::with_prefix("runbook_portal");
        let requests = Family::default();
        let took = Family::new_with_constructor((|| Histogram::new(CLASSES)) as fn() -> Histogram);
        let refused = Family::default();
        let (connections, streams) = (Gauge::default(), Gauge::default());
        let version = vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("build", build.to_owned())];
        registry.register("build", "The build that serves", Info::new(version));
        registry.register("http_requests", "Requests that were answered", requests.clone());
        let words = "From the last byte of a request's head to the first of its answer";
        registry.register_with_unit("http_request_duration", words, Unit::Seconds, took.clone());
        let words = "Sign-ins by the identity provider that came to nothing";
        registry.register("provider_sign_ins_refused", words, refused.clone());
        registry.register("http_connections", "Connections that are open", connections.clone());
        registry.register(
            "http_streams",
            "Streams that are open: live pages, and outputs that are fetched",
            streams.clone(),
        );
        let state = StateOfThings::default();
        state.register(&mut registry);
        Self { registry, requests, took, refused, connections, streams, state }
    }

    /// The number of open connections, for whoever opens them.
    pub fn connections(&self) -> Gauge {
        self.connections.clone()
    }

    /// Counts a stream for as long as what comes back lives.
    pub fn stream(&self) -> OpenStream {
        self.streams.inc();
        OpenStream(self.streams.clone())
    }

    /// Counts a request that was answered.
    pub(super) fn answered(&self, method: &Method, route: Option<&str>, status: StatusCode, took: Duration) {
        let route = route.unwrap_or(ELSEWHERE).to_owned();
        self.took.get_or_create(&Where { route: route.clone() }).observe(took.as_secs_f64());
        let asked = Asked { method: word(method), route, status: status.as_u16() };
        self.requests.get_or_create(&asked).inc();
    }

    /// Counts a sign-in by the identity provider that came to nothing.
    pub(super) fn not_signed_in(&self, why: Unwelcome) {
        self.refused.get_or_create(&Why { why: why.word() }).inc();
    }

    /// All figures as text, with the state of things as it is given.
    fn text(&self, figures: &Figures) -> Result<String, std::fmt::Error> {
        self.state.set(figures);
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// A method that anybody can make up is no label.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => ELSEWHERE,
    }
}

/// An open stream, while it lives.
#[derive(Debug)]
pub struct OpenStream(Gauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl StateOfThings {
    fn register(&self, registry: &mut Registry) {
        let mut gauge = |name: &str, words: &str, gauge: &Gauge| registry.register(name, words, gauge.clone());
        gauge("events", "Events in the record", &self.events);
        gauge("runs_open", "Runs that are not closed", &self.runs);
        gauge("steps_running", "Attempts that have begun and not ended", &self.steps);
        gauge("approvals_waiting", "Requests for approval that wait for a decision", &self.approvals);
        gauge("redactions_waiting", "Redactions that wait for another person", &self.redactions);
        gauge("notices_waiting", "Notices that are not delivered yet", &self.notices);
        gauge("notices_given_up", "Notices that were given up and are still kept", &self.given_up);
        gauge("sessions", "Sessions that have not ended", &self.sessions);
        gauge("events_unproven", "Events that no checkpoint covers yet", &self.unproven);
        gauge("record_doubtful", "1 when the record was found changed at the start", &self.doubtful);
        let words = "Bytes that the portal can still write into its data folder";
        registry.register_with_unit("data_free", words, Unit::Bytes, self.free.clone());
    }

    fn set(&self, figures: &Figures) {
        for (gauge, figure) in [
            (&self.events, figures.events),
            (&self.runs, figures.open_runs),
            (&self.steps, figures.running_steps),
            (&self.approvals, figures.waiting_approvals),
            (&self.redactions, figures.waiting_redactions),
            (&self.notices, figures.waiting_notices),
            (&self.given_up, figures.given_up_notices),
            (&self.sessions, figures.sessions),
            (&self.unproven, figures.unproven_events),
            (&self.doubtful, u64::from(figures.doubtful)),
            (&self.free, figures.free_bytes),
        ] {
            gauge.set(i64::try_from(figure).unwrap_or(i64::MAX));
        }
    }
}

/// The figures, for an observer that asks the portal itself and not a proxy. To everybody else the address is not there.
pub async fn metrics(State(site): State<Site>, request: Request) -> Response {
    if !may_observe(&site, &request) {
        return sentence(StatusCode::NOT_FOUND, "There is no such address.");
    }
    let figures = match site.portal().figures().await {
        Ok(figures) => figures,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the figures could not be read");
            return sentence(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer.");
        }
    };
    match site.metrics().text(&figures) {
        Ok(text) => {
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the figures could not be written");
            sentence(StatusCode::INTERNAL_SERVER_ERROR, "The figures could not be written.")
        }
    }
}

fn may_observe(site: &Site, request: &Request) -> bool {
    let connection = request.extensions().get::<Connection>();
    let listed = connection.is_some_and(|Connection(address)| site.around().metrics.contains(*address));
    listed && !client::was_forwarded(request.headers())
}
