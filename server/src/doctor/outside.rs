//! The way from outside: a page, a call and a stream by the public address, as a browser would ask for them.
//!
//! What comes back is judged by [`judge_page`], [`judge_call`] and [`judge_stream`], which know nothing of the network.

use std::io::Read as _;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use portal::{Checkup, Health};

use crate::config::PublicUrl;
use crate::http::routes;
use crate::http::trial::{BETWEEN, Brought, LINES, Line};

/// What has not answered after so long does not.
const PATIENCE: Duration = Duration::from_secs(10);

/// The lines of a stream are apart when the last comes at least so long after the first: half of the time that they take.
const APART: Duration = BETWEEN.saturating_mul(LINES - 1).checked_div(2).expect("two is not zero");

/// Every answer of the portal has it.
const NUMBER: &str = "x-request-id";

/// What every page of the portal carries, and nobody in between may take away.
const PROTECTION: [&str; 4] =
    ["content-security-policy", "x-content-type-options", "x-frame-options", "referrer-policy"];

type Browser = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// What somebody answered.
#[derive(Debug)]
struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    /// The answer's pieces, each with the time since its first byte.
    pieces: Vec<(Duration, Bytes)>,
    /// Whether it came to its end.
    whole: bool,
}

impl Seen {
    fn is_of_the_portal(&self) -> bool {
        self.headers.contains_key(NUMBER)
    }

    fn number(&self) -> &str {
        self.headers.get(NUMBER).and_then(|number| number.to_str().ok()).unwrap_or("-")
    }

    fn is_compressed(&self) -> bool {
        self.headers.contains_key(header::CONTENT_ENCODING)
    }

    /// The answer's bytes, as far as they could be read.
    fn body(&self) -> Vec<u8> {
        let sent: Vec<u8> = self.pieces.iter().flat_map(|(_, piece)| piece.to_vec()).collect();
        if !self.is_compressed() {
            return sent;
        }
        let mut body = Vec::new();
        // What was cut off ends with an error, and has what came before all the same.
        drop(GzDecoder::new(&*sent).read_to_end(&mut body));
        body
    }
}

/// Looks at the portal by its public address.
///
/// # Errors
///
/// A sentence when nobody can look from here.
pub async fn examine(url: &PublicUrl) -> Result<Checkup, String> {
    let browser = browser()?;
    let mut lines = match ask(&browser, url, Method::GET, "/sign-in").await {
        Ok(page) => judge_page(&page, url),
        Err(why) => vec![unreached(url, &why)],
    };
    if lines.iter().all(|(health, _)| *health != Health::Bad) {
        let call = ask(&browser, url, Method::POST, "/api/welcome").await;
        lines.push(call.map_or_else(|why| unreached(url, &why), |call| judge_call(&call)));
        match ask(&browser, url, Method::GET, routes::TRIAL).await {
            Ok(stream) => lines.extend(judge_stream(&stream)),
            Err(why) => lines.push(unreached(url, &why)),
        }
    }
    Ok(Checkup { target: "from outside".to_owned(), place: url.to_string(), lines })
}

fn browser() -> Result<Browser, String> {
    let connector = HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
        .map_err(|error| format!("The certificates of this machine cannot be read ({error}). Nothing was examined"))?
        .https_or_http()
        .enable_http1()
        .build();
    Ok(Client::builder(TokioExecutor::new()).build(connector))
}

/// Asks, and reads the answer to its end; an error says why there is none.
async fn ask(browser: &Browser, url: &PublicUrl, method: Method, path: &str) -> Result<Seen, String> {
    let request = Request::builder()
        .method(method)
        .uri(format!("{url}{path}"))
        .header(header::ORIGIN, url.origin())
        .header(header::ACCEPT, if routes::is_call(path) { "application/json" } else { "text/html" })
        .header(header::ACCEPT_ENCODING, "gzip")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::default())
        .map_err(|error| error.to_string())?;
    match tokio::time::timeout(PATIENCE, async { read(browser.request(request).await).await }).await {
        Ok(answered) => answered,
        Err(_) => Err(format!("nothing has come after {} seconds", PATIENCE.as_secs())),
    }
}

async fn read(answer: Result<http::Response<Incoming>, hyper_util::client::legacy::Error>) -> Result<Seen, String> {
    let (parts, mut body) = answer.map_err(|error| root(&error))?.into_parts();
    let mut seen = Seen { status: parts.status, headers: parts.headers, pieces: Vec::new(), whole: true };
    let began = Instant::now();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            seen.whole = false;
            break;
        };
        if let Ok(piece) = frame.into_data() {
            seen.pieces.push((began.elapsed(), piece));
        }
    }
    Ok(seen)
}

/// The innermost cause.
fn root(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn unreached(url: &PublicUrl, why: &str) -> (Health, String) {
    let text = if why.contains("certificate") {
        format!(
            "Its certificate is not one that this machine trusts: {why}. Give the proxy one for {} (Traefik: \
             traefik.http.routers.NAME.tls.certresolver), or let this machine trust it (SSL_CERT_FILE).",
            url.host()
        )
    } else {
        format!(
            "Nobody answers there: {why}. Let the name lead to the proxy, and the proxy listen (Traefik: an entry point, and its port in \
             `ports`)."
        )
    };
    (Health::Bad, text)
}

fn judge_page(page: &Seen, url: &PublicUrl) -> Vec<(Health, String)> {
    let bad = |text: String| vec![(Health::Bad, text)];
    match page.status {
        StatusCode::MISDIRECTED_REQUEST => bad(
            "The request comes to the portal under another name than its public one. Let the proxy pass the header Host on (nginx: \
             proxy_set_header Host $http_host; Traefik does so unless passHostHeader is false)."
                .to_owned(),
        ),
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
            if !page.is_of_the_portal() =>
        {
            bad(format!(
                "The proxy answers {}: it does not reach the portal. Let the portal run and listen where the proxy looks for it (Traefik: \
                 traefik.http.services.NAME.loadbalancer.server.port, traefik.docker.network, and PORTAL_LISTEN=0.0.0.0:3000 in a \
                 container).",
                page.status
            ))
        }
        status if !page.is_of_the_portal() => bad(format!(
            "Something else answers there, with {status}, and not the portal: give the proxy a rule for the name (Traefik: \
             traefik.http.routers.NAME.rule=Host(`{}`), entrypoints and tls of the same router).",
            url.host()
        )),
        StatusCode::OK => vec![(Health::Good, "A page comes.".to_owned()), judge_protection(page, url)],
        status => bad(format!("The portal answers its page with {status}; its log has the reason under {}.", page.number())),
    }
}

fn judge_protection(page: &Seen, url: &PublicUrl) -> (Health, String) {
    let transport = url.is_https().then_some(header::STRICT_TRANSPORT_SECURITY.as_str());
    let missing: Vec<&str> =
        PROTECTION.into_iter().chain(transport).filter(|name| !page.headers.contains_key(*name)).collect();
    if missing.is_empty() {
        (Health::Good, "It carries its protecting headers.".to_owned())
    } else {
        let text =
            format!("The proxy takes away: {}. Let it leave the portal's headers as they are.", missing.join(", "));
        (Health::Bad, text)
    }
}

fn judge_call(call: &Seen) -> (Health, String) {
    match call.status {
        StatusCode::OK => (Health::Good, "A call of a page is let through.".to_owned()),
        StatusCode::FORBIDDEN if call.is_of_the_portal() => {
            let text = "The portal takes its own page for another site's. Let the proxy leave the header Origin as it is, and public_url be \
                        exactly what people type.";
            (Health::Bad, text.to_owned())
        }
        status => (Health::Bad, format!("A call of a page is answered with {status}. Let the proxy pass POST on.")),
    }
}

fn judge_stream(stream: &Seen) -> Vec<(Health, String)> {
    let body = stream.body();
    let lines: Vec<Line> =
        body.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let [first, ..] = &lines[..] else {
        return vec![(
            Health::Bad,
            format!("Instead of a stream comes {}. Let the proxy pass all paths on.", stream.status),
        )];
    };
    vec![judge_flow(stream, u32::try_from(lines.len()).unwrap_or(LINES)), judge_address(first.proxy, stream.number())]
}

fn judge_flow(stream: &Seen, lines: u32) -> (Health, String) {
    let flowed = stream.pieces.last().map_or(Duration::ZERO, |(last, _)| *last);
    if !stream.whole || lines < LINES {
        let text = format!("The proxy cuts a stream after {lines} of {LINES} lines. Give it longer timeouts.");
        return (Health::Bad, text);
    }
    if flowed >= APART {
        return (Health::Good, "A stream comes line by line.".to_owned());
    }
    let remedy = if stream.is_compressed() {
        "The proxy compresses them: leave live output out of that (Traefik: compress.excludedContentTypes=application/octet-stream)."
    } else {
        "Switch that off for the portal (Traefik: no middleware `buffering`; nginx: no proxy_ignore_headers X-Accel-Buffering, or \
         proxy_buffering off)."
    };
    let text = format!(
        "The lines of a stream come all at once, at its end: something in between collects them, and live output stands still. {remedy}"
    );
    (Health::Bad, text)
}

fn judge_address(brought: Brought, number: &str) -> (Health, String) {
    match brought {
        Brought::Listed => (Health::Good, "The portal believes the proxy about addresses.".to_owned()),
        Brought::Directly => {
            let text = "No proxy has said for whom it asks. Where one stands in between, all people count as one address when a password \
                        is guessed: let it add X-Forwarded-For, and list it in [proxy].";
            (Health::Note, text.to_owned())
        }
        Brought::Unlisted => {
            let text = format!(
                "The portal does not list the proxy, so all people count as one address when a password is guessed. Name its address in \
                 [proxy] as trusted: the portal's log has it as client.address in the line with the request.id {number}."
            );
            (Health::Note, text)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::write::GzEncoder;

    use super::*;

    fn seen(status: StatusCode, headers: &[(&'static str, &'static str)]) -> Seen {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (http::HeaderName::from_static(name), http::HeaderValue::from_static(value))
        };
        Seen { status, headers: headers.iter().map(pair).collect(), pieces: Vec::new(), whole: true }
    }

    fn streamed(apart: Duration, lines: u32, proxy: Brought) -> Seen {
        let mut stream = seen(StatusCode::OK, &[(NUMBER, "12")]);
        for line in 1..=lines {
            let mut piece = serde_json::to_vec(&Line { line, proxy }).unwrap();
            piece.push(b'\n');
            stream.pieces.push((apart.saturating_mul(line - 1), piece.into()));
        }
        stream
    }

    /// The same from a proxy that compresses each line as it comes.
    fn packed(apart: Duration) -> Seen {
        let mut stream = streamed(apart, LINES, Brought::Listed);
        stream.headers.insert(header::CONTENT_ENCODING, http::HeaderValue::from_static("gzip"));
        let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        for (_, piece) in &mut stream.pieces {
            packer.write_all(piece).unwrap();
            packer.flush().unwrap();
            *piece = std::mem::take(packer.get_mut()).into();
        }
        stream
    }

    fn url() -> PublicUrl {
        "https://portal.example.com".parse().unwrap()
    }

    fn words(lines: &[(Health, String)]) -> String {
        lines.iter().map(|(health, text)| format!("{health:?} {text}")).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_page_is_judged_by_who_answers_and_how() {
        let whole: Vec<(&str, &str)> = PROTECTION
            .iter()
            .map(|name| (*name, "x"))
            .chain([(NUMBER, "1"), ("strict-transport-security", "x")])
            .collect();
        let cases = [
            (seen(StatusCode::OK, &whole), "Good It carries"),
            (seen(StatusCode::OK, &[(NUMBER, "1")]), "Bad The proxy takes away: content-security-policy"),
            (
                seen(StatusCode::MISDIRECTED_REQUEST, &[(NUMBER, "1")]),
                "Bad The request comes to the portal under another name",
            ),
            (seen(StatusCode::BAD_GATEWAY, &[]), "Bad The proxy answers 502"),
            (seen(StatusCode::NOT_FOUND, &[]), "Bad Something else answers there, with 404"),
            (seen(StatusCode::SERVICE_UNAVAILABLE, &[(NUMBER, "1")]), "Bad The portal answers its page with 503"),
        ];

        for (page, says) in cases {
            let words = words(&judge_page(&page, &url()));

            assert!(words.contains(says), "{words}");
        }
    }

    #[test]
    fn a_stream_is_good_when_its_lines_come_one_by_one_and_whole() {
        let flowing = words(&judge_stream(&streamed(BETWEEN, LINES, Brought::Listed)));
        let collected = words(&judge_stream(&streamed(Duration::from_millis(1), LINES, Brought::Listed)));
        let cut = words(&judge_stream(&streamed(BETWEEN, LINES - 1, Brought::Listed)));
        let (packed, held) = (packed(BETWEEN), packed(Duration::from_millis(1)));

        assert!(!flowing.contains("Bad"), "{flowing}");
        assert!(collected.contains("Bad The lines of a stream come all at once"), "{collected}");
        assert!(cut.contains("Bad The proxy cuts a stream after 3 of 4"), "{cut}");
        assert!(!words(&judge_stream(&packed)).contains("Bad"), "compressed, and not held back");
        assert!(words(&judge_stream(&held)).contains("The proxy compresses them"));
    }

    #[test]
    fn a_proxy_that_is_not_listed_is_a_note_that_says_where_its_address_stands() {
        let lines = words(&judge_stream(&streamed(BETWEEN, LINES, Brought::Unlisted)));

        assert!(
            lines.contains("Note The portal does not list the proxy") && lines.contains("request.id 12"),
            "{lines}"
        );
    }

    #[test]
    fn a_certificate_and_a_closed_door_are_told_apart() {
        let distrusted = unreached(&url(), "invalid peer certificate: UnknownIssuer").1;
        let closed = unreached(&url(), "Connection refused (os error 111)").1;

        assert!(distrusted.contains("not one that this machine trusts"), "{distrusted}");
        assert!(closed.contains("Nobody answers there"), "{closed}");
    }
}
