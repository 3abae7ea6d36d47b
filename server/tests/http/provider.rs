//! An identity provider over real HTTP, which does what it should, and lies when it is told to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode, header};
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJwsSigningAlgorithm};
use openidconnect::url::Url;
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub const CLIENT: &str = "portal";
pub const SECRET: &str = "the portal's own: secret";

/// What a provider does that is not to be believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lie {
    #[default]
    None,
    Nonce,
    NoNonce,
    Issuer,
    Audience,
    AudienceBesides,
    Expired,
    Unsigned,
    Signature,
    BySecret,
    OtherKey,
    UnknownKey,
    NoSubject,
    NoToken,
    Huge,
    Trouble,
    NoKeys,
    UserOfAnother,
}

impl Lie {
    /// Those about who somebody is.
    pub const ALL: [Self; 14] = [
        Self::Nonce,
        Self::NoNonce,
        Self::Issuer,
        Self::Audience,
        Self::AudienceBesides,
        Self::Expired,
        Self::Unsigned,
        Self::Signature,
        Self::BySecret,
        Self::OtherKey,
        Self::UnknownKey,
        Self::NoSubject,
        Self::NoToken,
        Self::UserOfAnother,
    ];
}

/// What was asked for with a code.
struct Asked {
    nonce: String,
    challenge: String,
}

#[derive(Default)]
struct Inner {
    address: String,
    lie: Lie,
    claims: Value,
    userinfo: Value,
    codes: HashMap<String, Asked>,
    count: usize,
    keys_asked: usize,
}

/// A provider that listens.
pub struct Provider {
    inner: Arc<Mutex<Inner>>,
    task: tokio::task::JoinHandle<()>,
}

impl Provider {
    pub async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner { address, ..Inner::default() }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(document))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .with_state(Arc::clone(&inner));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, task }
    }

    pub fn issuer(&self) -> String {
        self.inner.lock().unwrap().address.clone()
    }

    pub fn lie(&self, lie: Lie) {
        self.inner.lock().unwrap().lie = lie;
    }

    /// What stands in the next tokens; times are in seconds.
    pub fn knows(&self, claims: Value) {
        self.inner.lock().unwrap().claims = claims;
    }

    /// What is said besides to whoever asks with a token.
    pub fn says_besides(&self, claims: Value) {
        self.inner.lock().unwrap().userinfo = claims;
    }

    pub fn keys_asked(&self) -> usize {
        self.inner.lock().unwrap().keys_asked
    }

    /// Lets somebody in who was sent here: the code and the state with which they go back.
    pub fn lets_in(&self, sent_to: &str) -> (String, String) {
        let asked: HashMap<String, String> = Url::parse(sent_to).unwrap().query_pairs().into_owned().collect();
        assert_eq!((&*asked["response_type"], &*asked["client_id"]), ("code", CLIENT));
        assert_eq!(asked["code_challenge_method"], "S256");
        let mut inner = self.inner.lock().unwrap();
        inner.count += 1;
        let code = format!("code-{}", inner.count);
        let kept = Asked { nonce: asked["nonce"].clone(), challenge: asked["code_challenge"].clone() };
        inner.codes.insert(code.clone(), kept);
        (code, asked["state"].clone())
    }

    /// Goes away.
    pub async fn close(&self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::task::yield_now().await;
        }
    }
}

type Shared = State<Arc<Mutex<Inner>>>;

async fn document(State(inner): Shared) -> Response {
    let inner = inner.lock().unwrap();
    let address = &inner.address;
    match inner.lie {
        Lie::Trouble => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Lie::Huge => "x".repeat(2 << 20).into_response(),
        _ => Json(json!({
            "issuer": address,
            "authorization_endpoint": format!("{address}/authorize"),
            "token_endpoint": format!("{address}/token"),
            "jwks_uri": format!("{address}/keys"),
            "userinfo_endpoint": format!("{address}/userinfo"),
        }))
        .into_response(),
    }
}

async fn keys(State(inner): Shared) -> Response {
    let mut inner = inner.lock().unwrap();
    inner.keys_asked += 1;
    if inner.lie == Lie::NoKeys {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    Json(json!({ "keys": [serde_json::to_value(key(7, "one").as_verification_key()).unwrap()] })).into_response()
}

async fn token(State(inner): Shared, headers: HeaderMap, Form(form): Form<HashMap<String, String>>) -> Response {
    let mut inner = inner.lock().unwrap();
    let no = (StatusCode::BAD_REQUEST, "{\"error\":\"invalid_grant\",\"error_description\":\"<script>no</script>\"}");
    let Some(asked) = form.get("code").and_then(|code| inner.codes.remove(code)) else { return no.into_response() };
    let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != asked.challenge || !is_the_portal(&headers) {
        return no.into_response();
    }
    let id_token = match inner.lie {
        Lie::NoToken => Value::Null,
        _ => Value::String(signed(&inner, &asked)),
    };
    Json(json!({ "access_token": "access", "token_type": "Bearer", "id_token": id_token })).into_response()
}

fn is_the_portal(headers: &HeaderMap) -> bool {
    // RFC 6749, 2.3.1: encoded like a form.
    let pair = STANDARD.encode(format!("{CLIENT}:the+portal%27s+own%3A+secret"));
    headers.get(header::AUTHORIZATION).is_some_and(|said| *said == format!("Basic {pair}"))
}

async fn userinfo(State(inner): Shared, headers: HeaderMap) -> Response {
    let inner = inner.lock().unwrap();
    if headers.get(header::AUTHORIZATION).is_none_or(|said| said != "Bearer access") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut said = inner.userinfo.clone();
    if inner.lie == Lie::UserOfAnother {
        said = json!({ "sub": "another", "preferred_username": "ada", "groups": ["admins"] });
    }
    Json(said).into_response()
}

fn signed(inner: &Inner, asked: &Asked) -> String {
    let mut claims = inner.claims.clone();
    claims["iss"] = json!(inner.address);
    claims["aud"] = json!(CLIENT);
    claims["nonce"] = json!(asked.nonce);
    let (mut algorithm, mut by, mut id) = ("EdDSA", 7, "one");
    match inner.lie {
        Lie::Nonce => claims["nonce"] = json!("another"),
        Lie::NoNonce => drop(claims.as_object_mut().unwrap().remove("nonce")),
        Lie::Issuer => claims["iss"] = json!("https://id.example.com"),
        Lie::Audience => claims["aud"] = json!("another"),
        Lie::AudienceBesides => claims["aud"] = json!([CLIENT, "another"]),
        Lie::Expired => claims["exp"] = json!(1_700_000_000),
        Lie::Unsigned => algorithm = "none",
        Lie::BySecret => algorithm = "HS256",
        Lie::OtherKey => by = 8,
        Lie::UnknownKey => (by, id) = (8, "two"),
        Lie::NoSubject => drop(claims.as_object_mut().unwrap().remove("sub")),
        Lie::UserOfAnother => drop(claims.as_object_mut().unwrap().remove("groups")),
        _ => {}
    }
    let header = json!({ "alg": algorithm, "kid": id });
    let [header, payload] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{payload}");
    let mut signature = match inner.lie {
        Lie::BySecret => by_secret(message.as_bytes()),
        _ => key(by, id).sign(&CoreJwsSigningAlgorithm::EdDsa, message.as_bytes()).unwrap(),
    };
    match inner.lie {
        Lie::Unsigned => signature.clear(),
        Lie::Signature => signature[0] ^= 1,
        _ => {}
    }
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What whoever knows the portal's secret there can sign with.
fn by_secret(message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

/// A key that is always the same.
fn key(seed: u8, id: &str) -> CoreEdDsaPrivateSigningKey {
    // RFC 8410, 7: what stands before the 32 bytes of such a key is always the same.
    let mut bytes = hex::decode("302e020100300506032b657004220420").unwrap();
    bytes.extend([seed; 32]);
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(bytes));
    CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pem, Some(JsonWebKeyId::new(id.to_owned()))).unwrap()
}
