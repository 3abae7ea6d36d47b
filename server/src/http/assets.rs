//! The bundle and the other files of the site, out of the binary itself.
//!
//! Every file has a strong tag of its bytes. A file is compressed once, when it is first asked for or by [`Assets::warm_up`].

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use super::answers::sentence;

/// Below this many bytes compressing gains nothing.
const WORTH_IT: usize = 512;

#[derive(rust_embed::Embed)]
#[folder = "../target/site"]
struct Site;

/// All files of the site.
#[derive(Clone, Debug)]
pub struct Assets {
    files: Arc<BTreeMap<String, Asset>>,
    build: String,
    /// Whether files are read again for every request: somebody edits them.
    edited: bool,
}

#[derive(Debug)]
struct Asset {
    mime: HeaderValue,
    tag: String,
    plain: Bytes,
    brotli: OnceLock<Option<Bytes>>,
    gzip: OnceLock<Option<Bytes>>,
}

impl Assets {
    /// Takes the files out of the binary.
    pub fn embedded() -> Self {
        let names = Site::iter().filter(|name| !name.split('/').any(|part| part.starts_with('.')));
        let assets = Self::of(names.filter_map(|name| Some((name.clone().into_owned(), Site::get(&name)?.data))));
        Self { edited: cfg!(debug_assertions), ..assets }
    }

    fn of(files: impl Iterator<Item = (String, Cow<'static, [u8]>)>) -> Self {
        let files: BTreeMap<String, Asset> = files
            .map(|(name, data)| {
                let asset = Asset::new(&name, data);
                (format!("/{name}"), asset)
            })
            .collect();
        let all: Vec<String> = files.iter().map(|(name, asset)| format!("{name} {}", asset.tag)).collect();
        let build = format!("{}-{}", env!("CARGO_PKG_VERSION"), tag(all.join("\n").as_bytes()));
        Self { files: Arc::new(files), build, edited: false }
    }

    /// The build: two portals with the same program for the browser have the same.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// The paths of all files.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Compresses everything, so that nobody has to wait for it.
    pub fn warm_up(&self) {
        for asset in self.files.values() {
            asset.brotli();
            asset.gzip();
        }
    }

    /// Answers a request for a file.
    pub async fn answer(&self, path: &str, query: Option<&str>, headers: &HeaderMap) -> Response {
        let edited = self.edited(path);
        let Some(asset) = edited.as_ref().or_else(|| self.files.get(path)) else {
            return sentence(StatusCode::NOT_FOUND, "There is no such file.");
        };
        let encoding = if edited.is_some() { Encoding::Identity } else { Encoding::best(headers) };
        let (body, encoding) = match self.encoded(path, encoding).await {
            Some(body) => (body, encoding),
            None => (asset.plain.clone(), Encoding::Identity),
        };
        let tag = format!("\"{}{}\"", asset.tag, encoding.suffix());
        let mut response = if matches(headers, &tag) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            let mut response = Response::new(Body::from(body));
            response.headers_mut().insert(header::CONTENT_TYPE, asset.mime.clone());
            if let Some(name) = encoding.name() {
                response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
            }
            response
        };
        let kept = response.headers_mut();
        kept.extend(HeaderValue::from_str(&tag).map(|tag| (header::ETAG, tag)));
        kept.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        kept.insert(header::CACHE_CONTROL, HeaderValue::from_static(self.cache(query)));
        response
    }

    /// The file as it is on the disk now, while somebody works on it.
    fn edited(&self, path: &str) -> Option<Asset> {
        let name = path.strip_prefix('/').filter(|_| self.edited && self.files.contains_key(path))?;
        Some(Asset::new(name, Site::get(name)?.data))
    }

    /// An address with the present build in it never changes its bytes; any other is asked for again.
    fn cache(&self, query: Option<&str>) -> &'static str {
        if query == Some(&format!("v={}", self.build)) { "public, max-age=31536000, immutable" } else { "no-cache" }
    }

    async fn encoded(&self, path: &str, encoding: Encoding) -> Option<Bytes> {
        let (files, path) = (Arc::clone(&self.files), path.to_owned());
        let compress = move || {
            let asset = files.get(&path)?;
            match encoding {
                Encoding::Brotli => asset.brotli(),
                Encoding::Gzip => asset.gzip(),
                Encoding::Identity => None,
            }
        };
        tokio::task::spawn_blocking(compress).await.ok().flatten()
    }
}

impl Asset {
    fn new(name: &str, data: Cow<'static, [u8]>) -> Self {
        let plain = match data {
            Cow::Borrowed(data) => Bytes::from_static(data),
            Cow::Owned(data) => Bytes::from(data),
        };
        let mime = mime_guess::from_path(name).first_or_octet_stream();
        let charset = if mime.type_() == mime_guess::mime::TEXT { "; charset=utf-8" } else { "" };
        Self {
            mime: HeaderValue::from_str(&format!("{}{charset}", mime.essence_str()))
                .expect("a media type is plain text"),
            tag: tag(&plain),
            plain,
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }

    fn is_worth_compressing(&self) -> bool {
        let mime = self.mime.to_str().unwrap_or_default();
        let shrinks = ["text/", "application/javascript", "application/wasm", "application/json", "image/svg+xml"];
        self.plain.len() >= WORTH_IT && shrinks.iter().any(|kind| mime.starts_with(kind))
    }

    fn brotli(&self) -> Option<Bytes> {
        self.brotli
            .get_or_init(|| {
                self.compressed(|mut plain, packed| {
                    let parameters = brotli::enc::BrotliEncoderParams { quality: 9, ..Default::default() };
                    brotli::BrotliCompress(&mut plain, packed, &parameters).map(drop)
                })
            })
            .clone()
    }

    fn gzip(&self) -> Option<Bytes> {
        self.gzip
            .get_or_init(|| {
                self.compressed(|plain, packed| {
                    let mut encoder = GzEncoder::new(packed, Compression::best());
                    encoder.write_all(plain)?;
                    encoder.finish().map(drop)
                })
            })
            .clone()
    }

    fn compressed(&self, pack: impl Fn(&[u8], &mut Vec<u8>) -> std::io::Result<()>) -> Option<Bytes> {
        let mut packed = Vec::new();
        let smaller =
            self.is_worth_compressing() && pack(&self.plain, &mut packed).is_ok() && packed.len() < self.plain.len();
        smaller.then(|| Bytes::from(packed))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    /// The best that the browser takes.
    fn best(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let takes = |name: &str| {
            accepted.split(',').any(|entry| {
                let mut parts = entry.split(';').map(str::trim);
                let named = parts.next().is_some_and(|found| found.eq_ignore_ascii_case(name));
                named && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
            })
        };
        if takes("br") {
            Self::Brotli
        } else if takes("gzip") {
            Self::Gzip
        } else {
            Self::Identity
        }
    }

    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }

    const fn suffix(self) -> &'static str {
        match self {
            Self::Brotli => "-br",
            Self::Gzip => "-gz",
            Self::Identity => "",
        }
    }
}

fn matches(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    known.split(',').map(str::trim).any(|known| known == tag || known.strip_prefix("W/") == Some(tag))
}

/// The first 128 bits of the SHA-256, in hexadecimal digits.
fn tag(data: &[u8]) -> String {
    use sha2::Digest as _;
    hex::encode(&sha2::Sha256::digest(data)[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets() -> Assets {
        let script = "export function f() { return 1 }\n".repeat(100).into_bytes();
        let files = [("pkg/a.js", script), ("favicon.svg", b"<svg/>".to_vec())];
        Assets::of(files.into_iter().map(|(name, data)| (name.to_owned(), Cow::Owned(data))))
    }

    async fn ask(path: &str, query: Option<&str>, headers: &[(header::HeaderName, &str)]) -> Response {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect();
        assets().answer(path, query, &headers).await
    }

    #[tokio::test]
    async fn a_file_comes_in_the_best_encoding_that_the_browser_takes() {
        let cases = [
            ("gzip, deflate, br", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0, gzip", Some("gzip")),
            ("identity", None),
        ];

        for (accepted, encoding) in cases {
            let response = ask("/pkg/a.js", None, &[(header::ACCEPT_ENCODING, accepted)]).await;

            let found = response.headers().get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap());
            assert_eq!(found, encoding, "{accepted}");
            assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().contains("javascript"));
        }
    }

    #[tokio::test]
    async fn a_small_file_is_sent_as_it_is() {
        let response = ask("/favicon.svg", None, &[(header::ACCEPT_ENCODING, "br")]).await;

        assert_eq!(response.status(), StatusCode::OK);
        assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
    }

    #[tokio::test]
    async fn a_browser_that_has_the_bytes_does_not_get_them_again() {
        let first = ask("/pkg/a.js", None, &[(header::ACCEPT_ENCODING, "br")]).await;
        let tag = first.headers()[header::ETAG].to_str().unwrap().to_owned();

        let again = ask("/pkg/a.js", None, &[(header::ACCEPT_ENCODING, "br"), (header::IF_NONE_MATCH, &tag)]).await;
        let other = ask("/pkg/a.js", None, &[(header::IF_NONE_MATCH, &tag)]).await;

        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(other.status(), StatusCode::OK, "the tag is of the encoded bytes");
    }

    #[tokio::test]
    async fn only_an_address_with_the_present_build_is_kept_for_ever() {
        let present = format!("v={}", assets().build());

        let kept = ask("/pkg/a.js", Some(&present), &[]).await;
        let asked = ask("/pkg/a.js", Some("v=0.0.1-old"), &[]).await;

        assert!(kept.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        assert_eq!(asked.headers()[header::CACHE_CONTROL], "no-cache");
    }
}
