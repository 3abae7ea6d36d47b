//! The raw output of an attempt, byte for byte, for scripts and for downloads.

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::response::Response;
use bytes::Bytes;
use domain::policy::Actor;
use domain::{AttemptId, RunId};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use portal::Follow;
use serde::Deserialize;

use super::Site;
use super::answers::sentence;

/// What can be asked of the output.
#[derive(Debug, Default, Deserialize)]
pub struct Question {
    /// The first byte; 0 when left out.
    #[serde(default)]
    from: u64,
    /// `1`: go on until the attempt ends.
    #[serde(default)]
    follow: Option<String>,
    /// `1`: as a file to keep.
    #[serde(default)]
    download: Option<String>,
    /// Lines in place of bytes: one, or two with a hyphen between them, as `120-130`, both with it and counted from 1. They are not
    /// followed.
    #[serde(default)]
    lines: Option<String>,
    /// `cast`: as a recording with its timing.
    #[serde(default, rename = "as")]
    form: Option<String>,
}

/// Answers with the bytes of an attempt's output.
pub async fn output(
    State(site): State<Site>,
    Extension(actor): Extension<Actor>,
    place: Result<Path<(i64, u32, u32)>, PathRejection>,
    Query(question): Query<Question>,
    headers: HeaderMap,
) -> Response {
    // What is no number is no attempt either; how it was written is nobody's business.
    let Ok(Path((run, step, attempt))) = place else { return gone() };
    let id = AttemptId { run: RunId(run), step, attempt };
    let Ok(viewer) = actor.viewer() else { return gone() };
    if question.form.as_deref() == Some("cast") {
        return match site.portal().recording(viewer, id).await {
            Ok(lines) => recording(id, lines),
            Err(error) => failed(&error),
        };
    }
    let follows = question.follow.as_deref() == Some("1");
    // Lines are had as they are stored: whoever follows would wait for an end that their last line may never have.
    if follows && question.lines.is_some() {
        return lines_do_not_follow();
    }
    let follow = if follows { Follow::ToTheEnd } else { Follow::Stored };
    // The length is needed before it is known from which byte to read.
    let length = match site.portal().raw_output(viewer, id, u64::MAX, Follow::Stored).await {
        Ok((length, _)) => length,
        Err(error) => return failed(&error),
    };
    let piece = match &question.lines {
        None => piece(&headers, follows, question.from, length),
        Some(lines) => {
            let Some((from, to)) = range_of(lines) else { return odd_lines() };
            match site.portal().bytes_of_lines(viewer, id, from, to).await {
                Ok(found) => Some(Piece { from: found.from, to: Some(found.to), partial: false }),
                Err(error) => return failed(&error),
            }
        }
    };
    let Some(piece) = piece else { return unsatisfiable(length) };
    match site.portal().raw_output(viewer, id, piece.from, follow).await {
        Ok((_, bytes)) => answer(id, &question, &piece, length, bytes),
        Err(error) => failed(&error),
    }
}

/// Which bytes are wanted.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    from: u64,
    /// The byte after the last; `None` goes on to whatever the end will be.
    to: Option<u64>,
    /// Whether a range was asked for.
    partial: bool,
}

/// `None` when the range lies outside.
fn piece(headers: &HeaderMap, follows: bool, from: u64, length: u64) -> Option<Piece> {
    if follows {
        return Some(Piece { from, to: None, partial: false });
    }
    let whole = Piece { from: from.min(length), to: Some(length), partial: false };
    // No validator is ever sent: whoever wants a range only if nothing has changed gets everything.
    let range = headers.get(header::RANGE).filter(|_| !headers.contains_key(header::IF_RANGE));
    let Some(range) = range.and_then(|range| range.to_str().ok()) else { return Some(whole) };
    // Several ranges, or another unit, may be answered with everything.
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Some(whole);
    };
    let (from, to) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(from), Ok(last)) if last >= from => (from, last.saturating_add(1).min(length)),
        (Ok(from), Err(_)) if last.is_empty() => (from, length),
        (Err(_), Ok(most)) if first.is_empty() && most > 0 => (length.saturating_sub(most), length),
        _ => return Some(whole),
    };
    (from < to).then_some(Piece { from, to: Some(to), partial: true })
}

/// One number, or two with a hyphen between them, the second not smaller.
fn range_of(lines: &str) -> Option<(u64, u64)> {
    let (from, to) = lines.split_once('-').unwrap_or((lines, lines));
    let (from, to) = (from.parse().ok()?, to.parse().ok()?);
    (0 < from && from <= to).then_some((from, to))
}

/// As a file to keep: a browser shows it as text, and nothing in it is anything else.
fn recording(id: AttemptId, lines: BoxStream<'static, std::io::Result<Bytes>>) -> Response {
    let mut response = Response::new(Body::from_stream(lines));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(domain::cast::MEDIA_TYPE));
    headers.insert(header::CONTENT_DISPOSITION, as_file(id, "cast"));
    response
}

fn as_file(id: AttemptId, kind: &str) -> HeaderValue {
    let name = format!("attachment; filename=\"run-{}-step-{}-attempt-{}.{kind}\"", id.run, id.step, id.attempt);
    HeaderValue::from_str(&name).expect("digits fit into a header")
}

fn answer(
    id: AttemptId,
    question: &Question,
    piece: &Piece,
    length: u64,
    bytes: BoxStream<'static, std::io::Result<Bytes>>,
) -> Response {
    let body = match piece.to {
        Some(to) => Body::from_stream(at_most(bytes, to.saturating_sub(piece.from))),
        None => Body::from_stream(bytes),
    };
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if question.download.as_deref() == Some("1") {
        headers.insert(header::CONTENT_DISPOSITION, as_file(id, "log"));
    }
    if let Some(to) = piece.to {
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(to.saturating_sub(piece.from)));
        if piece.partial {
            let range = format!("bytes {}-{}/{length}", piece.from, to - 1);
            headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).expect("digits fit into a header"));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
    }
    response
}

fn at_most(
    bytes: BoxStream<'static, std::io::Result<Bytes>>,
    most: u64,
) -> impl futures::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    bytes.scan(most, |left, piece| {
        let piece = match piece {
            _ if *left == 0 => None,
            Ok(piece) => {
                let kept = usize::try_from(*left).unwrap_or(usize::MAX).min(piece.len());
                *left -= kept as u64;
                Some(Ok(piece.slice(..kept)))
            }
            Err(error) => Some(Err(error)),
        };
        futures::future::ready(piece)
    })
}

fn unsatisfiable(length: u64) -> Response {
    let mut response = sentence(StatusCode::RANGE_NOT_SATISFIABLE, "The output does not have these bytes.");
    let range = format!("bytes */{length}");
    response
        .headers_mut()
        .insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).expect("digits fit into a header"));
    response
}

fn odd_lines() -> Response {
    let words = "Lines are a number, or two as 120-130, counted from 1. Nothing was sent.";
    sentence(StatusCode::UNPROCESSABLE_ENTITY, words)
}

fn lines_do_not_follow() -> Response {
    let words = "Lines are sent as they are stored, and not followed. Nothing was sent; leave out lines or follow.";
    sentence(StatusCode::BAD_REQUEST, words)
}

fn gone() -> Response {
    sentence(StatusCode::NOT_FOUND, "There is no such output, or it is not for you.")
}

fn failed(error: &portal::Error) -> Response {
    if matches!(error, portal::Error::NotFound) {
        return gone();
    }
    tracing::error!(error = error as &dyn std::error::Error, "output could not be sent");
    sentence(StatusCode::INTERNAL_SERVER_ERROR, &error.sentence())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(range: Option<&'static str>, from: u64) -> Option<(u64, Option<u64>, bool)> {
        let mut headers = HeaderMap::new();
        headers.extend(range.map(|range| (header::RANGE, HeaderValue::from_static(range))));
        piece(&headers, false, from, 100).map(|piece| (piece.from, piece.to, piece.partial))
    }

    #[test]
    fn a_range_is_cut_at_the_bytes_that_are_there() {
        assert_eq!(wanted(None, 0), Some((0, Some(100), false)));
        assert_eq!(wanted(None, 40), Some((40, Some(100), false)));
        assert_eq!(wanted(None, 500), Some((100, Some(100), false)));
        assert_eq!(wanted(Some("bytes=0-9"), 0), Some((0, Some(10), true)));
        assert_eq!(wanted(Some("bytes=90-500"), 0), Some((90, Some(100), true)));
        assert_eq!(wanted(Some("bytes=90-"), 0), Some((90, Some(100), true)));
        assert_eq!(wanted(Some("bytes=-10"), 0), Some((90, Some(100), true)));
    }

    #[test]
    fn a_range_outside_is_refused_and_an_odd_one_is_ignored() {
        assert_eq!(wanted(Some("bytes=100-"), 0), None);
        assert_eq!(wanted(Some("bytes=0-1,5-6"), 0), Some((0, Some(100), false)));
        assert_eq!(wanted(Some("lines=1-2"), 0), Some((0, Some(100), false)));
    }

    #[test]
    fn lines_are_one_number_or_two() {
        assert_eq!([range_of("7"), range_of("7-9"), range_of("7-7")], [Some((7, 7)), Some((7, 9)), Some((7, 7))]);
        assert_eq!(["", "0", "9-7", "-3", "3-", "x", "1-2-3"].map(range_of), [None; 7]);
    }

    #[tokio::test]
    async fn no_byte_more_than_wanted_is_sent() {
        let pieces = [Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"def")), Ok(Bytes::from_static(b"ghi"))];

        let sent: Vec<_> = at_most(futures::stream::iter(pieces).boxed(), 5).map(Result::unwrap).collect().await;

        assert_eq!(sent.concat(), b"abcde");
    }
}
