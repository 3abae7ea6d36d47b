//! The identity provider: `OpenID` Connect, the flow with a code and PKCE.
//!
//! What the provider says of itself and its keys is asked for when it is needed, kept for an hour, and asked for again when a token is
//! signed with a key that is not known; the signature and the claims of a token are checked by the crate `openidconnect`. What it
//! answers is bounded in time and size, is never shown to anybody, and decides nothing before everything about it holds.

mod claims;
mod fetch;
mod flows;

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::identity::{Identity, Unwelcome};
use domain::text::one_line;
use openidconnect::core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::url::Url;
use openidconnect::{
    ClaimsVerificationError, ClientId, CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge, SignatureVerificationError,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use crate::config::{OidcSettings, is_safe};
use claims::{claim, groups, moment, says_no, text};
use fetch::Failed;

pub use flows::{Flow, Flows, UnderWay};

/// What the provider says of itself, and its keys, are asked for again after so long.
const KEPT: Duration = Duration::from_hours(1);

/// Keys are asked for at most so often because of a key that is not known: a token that nobody signed would make us ask each time.
const KEYS_AGAIN: Duration = Duration::from_secs(30);

/// A provider that did not answer is left alone for so long.
const LEFT_ALONE: Duration = Duration::from_secs(3);

/// So many can talk with the provider, or wait for it, at a time. While it is slow, whoever comes besides is told so at once and does not
/// take a connection from others.
const TALKS: usize = 64;

/// Who asks again at the provider who somebody is believes it when it was done after the sign-in began, by clocks that differ so much.
const CLOCKS_DIFFER_MS: i64 = 60_000;

/// The most characters that the log is told of what does not hold.
const SAID_LIMIT: usize = 300;

/// The signatures that are believed: those of a key that only the provider has.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// What a provider says of itself, as far as it is used.
#[derive(Debug, Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Document {
    /// Whether it is the one of an issuer, and leads nowhere where anybody could answer.
    fn is_of(&self, issuer: &str) -> bool {
        let places = [&self.authorization_endpoint, &self.token_endpoint, &self.jwks_uri];
        self.issuer == issuer && places.into_iter().chain(&self.userinfo_endpoint).all(|place| is_safe(place))
    }

    /// Whether the portal proves itself in the form, because the provider takes it nowhere else.
    fn wants_secret_in_form(&self) -> bool {
        let taken = |name: &str| {
            let methods = self.token_endpoint_auth_methods_supported.as_ref();
            methods.is_some_and(|methods| methods.iter().any(|method| method == name))
        };
        taken("client_secret_post") && !taken("client_secret_basic")
    }
}

/// What is known of the provider.
#[derive(Debug, Default)]
struct Known {
    document: Option<(Instant, Arc<Document>)>,
    keys: Option<(Instant, Arc<CoreJsonWebKeySet>)>,
    failed: Option<Instant>,
}

/// The answer of the provider to a code.
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    access_token: String,
}

/// Somebody whom the provider has proven.
#[derive(Debug)]
pub struct Proven {
    /// Who.
    pub identity: Identity,
    /// When they last proved it there, in milliseconds since 1970, if the provider says so.
    pub at: Option<i64>,
}

/// Why nobody is signed in.
#[derive(Debug)]
pub struct Refused {
    /// Why.
    pub why: Unwelcome,
    /// Whom the provider's token named where there was one. That was not proven.
    pub claimed: Option<String>,
}

impl From<Unwelcome> for Refused {
    fn from(why: Unwelcome) -> Self {
        Self { why, claimed: None }
    }
}

/// What the provider's address carries back.
pub struct Answered {
    /// The code.
    pub code: String,
    /// Who answers, if it says so.
    pub issuer: Option<String>,
}

/// One provider.
#[derive(Debug)]
pub struct Provider {
    settings: OidcSettings,
    known: Mutex<Known>,
    talks: Semaphore,
}

impl Provider {
    /// A provider that was not asked yet.
    pub fn new(settings: OidcSettings) -> Self {
        Self { settings, known: Mutex::default(), talks: Semaphore::new(TALKS) }
    }

    /// What the button says.
    pub fn label(&self) -> &str {
        &self.settings.label
    }

    /// Its address.
    pub fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Whether it answers: for the administrator.
    ///
    /// # Errors
    ///
    /// Why not, in a phrase.
    pub async fn look(&self) -> Result<(), String> {
        let mut known = self.known.lock().await;
        let document = self.document(&mut known).await.map_err(|failed| failed.to_string())?;
        known.keys(&document).await.map(drop).map_err(|failed| failed.to_string())
    }

    /// Begins a sign-in: where the browser goes, and what has to be known when it comes back. `afresh`: the provider is to ask who
    /// it is, also when it knows.
    ///
    /// # Errors
    ///
    /// [`Unwelcome::Away`] when the provider does not answer.
    pub async fn begin(&self, afresh: bool) -> Result<(String, Flow), Unwelcome> {
        let _place = self.place()?;
        let document = {
            let mut known = self.known.lock().await;
            self.document(&mut known).await.map_err(|failed| away(&failed))?
        };
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (state, nonce) = (CsrfToken::new_random_len(32), Nonce::new_random_len(32));
        let mut address = Url::parse(&document.authorization_endpoint).map_err(|_| Unwelcome::Away)?;
        address
            .query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("redirect_uri", &self.settings.back)
            .append_pair("scope", &self.settings.scopes.join(" "))
            .append_pair("state", state.secret())
            .append_pair("nonce", nonce.secret())
            .append_pair("code_challenge", challenge.as_str())
            .append_pair("code_challenge_method", "S256");
        if afresh {
            address.query_pairs_mut().append_pair("prompt", "login").append_pair("max_age", "0");
        }
        let flow = Flow {
            state: state.secret().clone(),
            nonce: nonce.secret().clone(),
            verifier: verifier.secret().clone(),
            afresh,
        };
        Ok((address.into(), flow))
    }

    /// Ends a sign-in that came back with a code: who it is, when everything holds. `began` is when it began, in milliseconds.
    ///
    /// # Errors
    ///
    /// Why nobody is signed in.
    pub async fn finish(&self, flow: &Flow, answered: &Answered, began: i64) -> Result<Proven, Refused> {
        let _place = self.place()?;
        let (document, keys) = {
            let mut known = self.known.lock().await;
            let document = self.document(&mut known).await.map_err(|failed| away(&failed))?;
            let keys = known.keys(&document).await.map_err(|failed| away(&failed))?;
            (document, keys)
        };
        let by_us = match &answered.issuer {
            Some(issuer) => *issuer == self.settings.issuer,
            None => !document.authorization_response_iss_parameter_supported,
        };
        if !by_us {
            return Err(untrue("another provider has answered").into());
        }
        let tokens = self.exchange(&document, flow, &answered.code).await?;
        let claims = claims::of(&tokens.id_token);
        let claimed = claims.as_ref().and_then(|claims| text(claims, "sub")).map(str::to_owned);
        let believed = self.believe(flow, (document.as_ref(), keys.as_ref()), &tokens, claims, began).await;
        believed.map_err(|why| Refused { why, claimed })
    }

    /// Whom the tokens of a sign-in are about, when everything about them holds.
    async fn believe(
        &self,
        flow: &Flow,
        (document, keys): (&Document, &CoreJsonWebKeySet),
        tokens: &Tokens,
        claims: Option<Value>,
        began: i64,
    ) -> Result<Proven, Unwelcome> {
        let nonce = Nonce::new(flow.nonce.clone());
        if self.verify(&tokens.id_token, &nonce, keys)? == Key::Unknown {
            let keys = self.new_keys(document).await?;
            if self.verify(&tokens.id_token, &nonce, &keys)? == Key::Unknown {
                return Err(untrue("the token is signed with a key that the provider does not have"));
            }
        }
        let claims = claims.ok_or_else(|| untrue("the token has no claims"))?;
        let at = moment(&claims, "auth_time");
        if flow.afresh && at.is_none_or(|at| at < began.saturating_sub(CLOCKS_DIFFER_MS)) {
            let why = if at.is_none() { "does not say when that was (auth_time)" } else { "says that it was earlier" };
            tracing::warn!("somebody was to prove anew who they are, and the token of the identity provider {why}");
            return Err(Unwelcome::NotAfresh);
        }
        let identity = self.identity(document, claims, &tokens.access_token).await?;
        Ok(Proven { identity, at })
    }

    /// Who it is, by the claims of the token, and by what the provider says besides where the token says too little.
    async fn identity(&self, document: &Document, claims: Value, access: &str) -> Result<Identity, Unwelcome> {
        let subject = text(&claims, "sub").ok_or_else(|| untrue("the token names nobody"))?.to_owned();
        let wanted = [&*self.settings.login_claim, &*self.settings.groups_claim, "name"];
        let mut all = vec![claims];
        if let Some(address) = &document.userinfo_endpoint
            && wanted.iter().any(|name| claim(&all[0], name).is_none())
        {
            let more: Value = json(fetch::with_token(address, access).await)?;
            // The provider's other answer has to be about the same person.
            if text(&more, "sub") != Some(&*subject) {
                return Err(untrue("what the provider says besides is about somebody else"));
            }
            all.push(more);
        }
        let verified = all.iter().find_map(|claims| claim(claims, "email_verified"));
        if self.settings.login_claim == "email" && verified.is_some_and(says_no) {
            return Err(Unwelcome::Unverified);
        }
        let said = |name: &str| all.iter().find_map(|claims| text(claims, name)).unwrap_or_default();
        let groups = all.iter().find_map(|claims| claim(claims, &self.settings.groups_claim)).map(groups);
        Identity::of_provider(
            self.settings.issuer.clone(),
            &subject,
            said(&self.settings.login_claim),
            said("name"),
            groups.unwrap_or_default(),
        )
    }

    async fn exchange(&self, document: &Document, flow: &Flow, code: &str) -> Result<Tokens, Unwelcome> {
        let us = (self.settings.client_id.as_str(), self.settings.client_secret.as_str());
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", self.settings.back.as_str()),
            ("code_verifier", flow.verifier.as_str()),
        ];
        let address = &document.token_endpoint;
        if document.wants_secret_in_form() {
            form.extend([("client_id", us.0), ("client_secret", us.1)]);
            return json(fetch::with_form(address, &form, None).await);
        }
        json(fetch::with_form(address, &form, Some(us)).await)
    }

    /// Whether a token is the provider's, for us, of this sign-in, and not over.
    fn verify(&self, token: &str, nonce: &Nonce, keys: &CoreJsonWebKeySet) -> Result<Key, Unwelcome> {
        let token = CoreIdToken::from_str(token).map_err(|_| untrue("the token cannot be read"))?;
        let issuer = IssuerUrl::new(self.settings.issuer.clone()).map_err(|_| Unwelcome::Away)?;
        let client = ClientId::new(self.settings.client_id.clone());
        let verifier =
            CoreIdTokenVerifier::new_public_client(client, issuer, keys.clone()).set_allowed_algs(ALGORITHMS);
        match token.claims(&verifier, nonce) {
            Ok(_) => Ok(Key::Known),
            // A token need not say which key has signed it: none of those that are known, then.
            Err(ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey | SignatureVerificationError::CryptoError(_),
            )) => Ok(Key::Unknown),
            Err(error) => Err(untrue(&error.to_string())),
        }
    }

    /// The keys, asked for again because of one that is not known.
    async fn new_keys(&self, document: &Document) -> Result<Arc<CoreJsonWebKeySet>, Unwelcome> {
        let mut known = self.known.lock().await;
        known.keys_of_the_last(KEYS_AGAIN, document).await.map_err(|failed| away(&failed))
    }

    async fn document(&self, known: &mut Known) -> Result<Arc<Document>, Failed> {
        if let Some((asked, document)) = &known.document
            && asked.elapsed() < KEPT
        {
            return Ok(Arc::clone(document));
        }
        let address = format!("{}/.well-known/openid-configuration", self.settings.issuer.trim_end_matches('/'));
        let document: Arc<Document> = Arc::new(known.asked(&address).await?);
        if !document.is_of(&self.settings.issuer) {
            known.failed = Some(Instant::now());
            return Err(Failed::OfAnother);
        }
        known.document = Some((Instant::now(), Arc::clone(&document)));
        Ok(document)
    }

    /// A place among those who talk with the provider.
    fn place(&self) -> Result<SemaphorePermit<'_>, Unwelcome> {
        self.talks.try_acquire().map_err(|_| away(&Failed::Crowded))
    }
}

impl Known {
    async fn keys(&mut self, document: &Document) -> Result<Arc<CoreJsonWebKeySet>, Failed> {
        self.keys_of_the_last(KEPT, document).await
    }

    /// The keys, as they were no longer ago than that. Those that are known stay when it does not answer.
    async fn keys_of_the_last(
        &mut self,
        time: Duration,
        document: &Document,
    ) -> Result<Arc<CoreJsonWebKeySet>, Failed> {
        if let Some((asked, keys)) = &self.keys
            && asked.elapsed() < time
        {
            return Ok(Arc::clone(keys));
        }
        let keys: Arc<CoreJsonWebKeySet> = Arc::new(self.asked(&document.jwks_uri).await?);
        self.keys = Some((Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }

    /// What stands at an address of the provider. Everybody else waits meanwhile, so that one that does not answer is not asked by each
    /// of them in turn.
    async fn asked<T: DeserializeOwned>(&mut self, address: &str) -> Result<T, Failed> {
        if self.failed.is_some_and(|failed| failed.elapsed() < LEFT_ALONE) {
            return Err(Failed::LeftAlone);
        }
        let asked = fetch::get(address).await.and_then(|body| read(&body));
        self.failed = asked.is_err().then(Instant::now);
        asked
    }
}

/// Whether the key that signed a token is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Known,
    Unknown,
}

/// An answer to a code or to a token of access: one that says no is to a lie, or to somebody who tries things out.
fn json<T: DeserializeOwned>(answer: Result<Vec<u8>, Failed>) -> Result<T, Unwelcome> {
    match answer {
        Ok(body) => serde_json::from_slice(&body).map_err(|_| untrue("an answer cannot be read")),
        Err(Failed::Refused(status)) if status.is_client_error() => Err(untrue(&format!("it answered {status}"))),
        Err(failed) => Err(away(&failed)),
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failed> {
    serde_json::from_slice(body).map_err(|_| Failed::Unreadable)
}

fn away(failed: &Failed) -> Unwelcome {
    tracing::warn!("the identity provider does not answer as it should: {failed}");
    Unwelcome::Away
}

fn untrue(why: &str) -> Unwelcome {
    // What is wrong in a token may stand in it as well.
    let why = one_line(why, SAID_LIMIT);
    tracing::warn!("what the identity provider said does not hold: {why}");
    Unwelcome::Untrue
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn document(issuer: &str, token: &str, methods: Option<&[&str]>) -> Document {
        Document {
            issuer: issuer.to_owned(),
            authorization_endpoint: "https://id.example.com/auth".to_owned(),
            token_endpoint: token.to_owned(),
            jwks_uri: "https://id.example.com/keys".to_owned(),
            userinfo_endpoint: None,
            token_endpoint_auth_methods_supported: methods
                .map(|methods| methods.iter().map(|method| (*method).to_owned()).collect()),
            authorization_response_iss_parameter_supported: false,
        }
    }

    /// A provider that does not listen.
    fn of_claim(login: &str) -> Provider {
        let word = |text: &str| text.to_owned();
        Provider::new(OidcSettings {
            issuer: word("http://127.0.0.1:1"),
            client_id: word("portal"),
            client_secret: word("secret"),
            label: word("Example"),
            scopes: vec![word("openid")],
            login_claim: word(login),
            groups_claim: word("groups"),
            back: word("http://127.0.0.1:3000/sign-in/back"),
        })
    }

    #[tokio::test]
    async fn a_mail_address_that_nobody_has_verified_is_no_sign_in_name() {
        let document = document("https://id.example.com", "https://id.example.com/token", None);
        let by_mail = of_claim("email");
        let said = |verified: Value| {
            json!({
                "sub": "7", "email": "olga@example.com", "email_verified": verified, "preferred_username": "olga", "name": "Olga",
                "groups": [],
            })
        };

        for no in [json!(false), json!("false")] {
            let outcome = by_mail.identity(&document, said(no.clone()), "access").await;
            assert_eq!(outcome, Err(Unwelcome::Unverified), "{no}");
            let by_name = of_claim("preferred_username").identity(&document, said(no), "access").await.unwrap();
            assert_eq!(by_name.login, "olga", "another claim needs no address");
        }
        // Not every provider says it.
        for unsaid in [json!(true), json!("true"), json!(null)] {
            let identity = by_mail.identity(&document, said(unsaid), "access").await.unwrap();
            assert_eq!(identity.login, "olga@example.com");
        }
    }

    #[test]
    fn a_document_of_another_issuer_or_with_an_open_way_is_not_believed() {
        let issuer = "https://id.example.com";
        let good = "https://id.example.com/token";

        assert!(document(issuer, good, None).is_of(issuer));
        for (said, token) in [
            ("https://id.example.com/", good),
            ("https://evil.example", good),
            (issuer, "http://id.example.com/token"),
            (issuer, "ftp://id.example.com/token"),
            (issuer, "/token"),
        ] {
            assert!(!document(said, token, None).is_of(issuer), "{said} {token}");
        }
    }

    #[tokio::test]
    async fn who_comes_while_many_wait_for_the_provider_does_not_wait_as_well() {
        let provider = of_claim("preferred_username");
        let all = provider.talks.try_acquire_many(u32::try_from(TALKS).unwrap()).unwrap();

        assert_eq!(provider.begin(false).await.unwrap_err(), Unwelcome::Away);
        assert!(provider.known.lock().await.failed.is_none(), "nobody was asked");
        drop(all);
        assert_eq!(provider.begin(false).await.unwrap_err(), Unwelcome::Away);
        assert!(provider.known.lock().await.failed.is_some(), "there is nobody who would answer");
    }

    #[test]
    fn the_portal_proves_itself_in_the_form_only_where_nothing_else_is_taken() {
        let wants = |methods| document("https://x", "https://x", methods).wants_secret_in_form();

        assert!(!wants(None));
        assert!(!wants(Some(&["client_secret_basic", "client_secret_post"])));
        assert!(wants(Some(&["client_secret_post", "private_key_jwt"])));
    }
}
