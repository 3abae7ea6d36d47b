//! The webhook of alerts, as Alertmanager sends it. It suggests, and starts nothing.

use app::AppError;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::response::{IntoResponse as _, Response};
use domain::policy::Actor;
use http::{HeaderValue, StatusCode, header};

use super::Site;
use super::answers::refused_call;
use super::routes::ALERTS;

/// Takes a webhook.
pub async fn alerts(State(site): State<Site>, Extension(actor): Extension<Actor>, body: Bytes) -> Response {
    let suggester = match actor.suggester() {
        Ok(suggester) => suggester,
        Err(forbidden) => return refused_call(ALERTS, StatusCode::FORBIDDEN, &forbidden.into()),
    };
    match site.portal().hear_alerts(suggester, &body).await {
        Ok(heard) if heard.put_off > 0 => later(),
        Ok(heard) => Json(heard).into_response(),
        Err(error) => {
            let error = AppError::from(error);
            refused_call(ALERTS, app::ssr::status(&error), &error)
        }
    }
}

/// Too much came and went at once. Alertmanager sends it again.
fn later() -> Response {
    let sentence =
        "Too many suggestions have come and gone in this minute. Some of this webhook was not done; send it again.";
    let mut response = refused_call(ALERTS, StatusCode::TOO_MANY_REQUESTS, &AppError::TooOften(sentence.to_owned()));
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
    response
}

/// A webhook did not arrive whole, so that nobody has read it: the pages say so all the same.
pub async fn unread(site: &Site, actor: Option<&Actor>, why: &str) {
    if let Some(Ok(suggester)) = actor.map(Actor::suggester) {
        site.portal().refuse_alerts(suggester, why).await;
    }
}
