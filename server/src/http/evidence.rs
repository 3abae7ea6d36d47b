//! The evidence bundle of a run, as a file to keep.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::response::Response;
use domain::RunId;
use domain::policy::Actor;
use http::{HeaderValue, StatusCode, header};
use portal::Bundle;
use tokio_util::io::ReaderStream;

use super::Site;
use super::answers::sentence;

/// Answers with the bundle.
pub async fn evidence(
    State(site): State<Site>,
    Extension(actor): Extension<Actor>,
    run: Result<Path<i64>, PathRejection>,
) -> Response {
    let (Ok(Path(run)), Ok(viewer)) = (run, actor.viewer()) else { return gone() };
    match site.portal().evidence_bundle(viewer, RunId(run)).await {
        Ok(bundle) => answer(RunId(run), bundle),
        Err(portal::Error::NotFound) => gone(),
        Err(error @ portal::Error::Invalid(_)) => sentence(StatusCode::CONFLICT, &error.sentence()),
        Err(error @ portal::Error::Busy(_)) => sentence(StatusCode::SERVICE_UNAVAILABLE, &error.sentence()),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "evidence could not be put together");
            sentence(StatusCode::INTERNAL_SERVER_ERROR, &error.sentence())
        }
    }
}

fn answer(run: RunId, Bundle { file, length }: Bundle) -> Response {
    let mut response = Response::new(Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file))));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    let name = format!("attachment; filename=\"run-{run}-evidence.tar\"");
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_str(&name).expect("digits fit into a header"));
    response
}

fn gone() -> Response {
    sentence(StatusCode::NOT_FOUND, "There is no such run, or it is not for you.")
}
