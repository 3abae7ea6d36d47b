//! What a browser does, as far as these tests need it: it keeps the cookie and says where it sends from.

use std::io::{BufRead as _, BufReader, Read};
use std::iter::from_fn;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use ureq::http::{Response, StatusCode, header};
use ureq::{Agent, Body, RequestBuilder};

use crate::process::{Place, Served};
use crate::waiting::PATIENCE;

pub const PASSWORD: &str = "four quiet otters swim";

/// More than a reader who has fallen behind a little is sent at once. What unpacks has to be asked for more than there can be: it
/// waits for more to unpack before it gives what did not fit before.
pub const AT_ONCE: usize = 1 << 20;

/// One browser.
pub struct Browser {
    agent: Agent,
    address: String,
    cookie: Option<String>,
    /// In which form it takes answers besides as they are.
    encoding: Option<&'static str>,
}

impl Browser {
    pub fn new(address: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build();
        Self { agent: config.into(), address: address.to_owned(), cookie: None, encoding: None }
    }

    /// Makes the first account with the link of the console; the browser is signed in then.
    pub fn set_up(place: &Place, portal: &Served) -> Self {
        let mut browser = Self::new(&portal.address);
        let form =
            [("token", portal.token.as_deref().unwrap()), ("login", "olga"), ("name", "Olga"), ("password", PASSWORD)];
        let response = browser.call("set-up", &form);
        assert_eq!(response.status(), StatusCode::OK, "{}", text(response));
        place.write("set-up", "");
        browser
    }

    /// The same browser at another address: cookies do not depend on the port.
    pub fn at(&self, address: &str) -> Self {
        let (agent, cookie) = (self.agent.clone(), self.cookie.clone());
        Self { agent, address: address.to_owned(), cookie, encoding: self.encoding }
    }

    /// The same browser, which takes compressed answers, as every real one does.
    pub fn unpacking(self) -> Self {
        Self { encoding: Some("gzip"), ..self }
    }

    /// The cookie of the session, for a connection made by hand.
    pub fn cookie(&self) -> Option<String> {
        self.cookie.clone()
    }

    pub fn sign_in(&mut self, login: &str) -> StatusCode {
        self.call("sign-in", &[("login", login), ("password", PASSWORD)]).status()
    }

    /// Calls a server function as the page does.
    pub fn call(&mut self, function: &str, form: &[(&str, &str)]) -> Response<Body> {
        self.post(function, form, "*/*", &format!("{}/", self.address))
    }

    /// Sends a form as a browser without scripts does, from a page.
    pub fn submit(&mut self, function: &str, form: &[(&str, &str)], page: &str) -> Response<Body> {
        let referer = format!("{}{page}", self.address);
        self.post(function, form, "text/html,application/xhtml+xml", &referer)
    }

    /// The same to a portal that may die meanwhile.
    pub fn try_call(&mut self, function: &str, form: &[(&str, &str)]) -> Result<Response<Body>, ureq::Error> {
        let referer = format!("{}/", self.address);
        self.try_post(function, form, "*/*", &referer)
    }

    fn post(&mut self, function: &str, form: &[(&str, &str)], accept: &str, referer: &str) -> Response<Body> {
        self.try_post(function, form, accept, referer).unwrap()
    }

    fn try_post(
        &mut self,
        function: &str,
        form: &[(&str, &str)],
        accept: &str,
        referer: &str,
    ) -> Result<Response<Body>, ureq::Error> {
        let request = self
            .agent
            .post(format!("{}/api/{function}", self.address))
            .header("accept", accept)
            .header("origin", &self.address)
            .header("referer", referer)
            .header("sec-fetch-site", "same-origin")
            .config()
            .timeout_per_read(Some(PATIENCE))
            .build();
        let response = self.known(request).send_form(form.iter().copied())?;
        self.keep_cookie(&response);
        Ok(response)
    }

    /// Tells of alerts as Alertmanager does, in the name of who is signed in.
    pub fn tell(&self, webhook: &str) -> Response<Body> {
        let request = self
            .agent
            .post(format!("{}/api/alerts", self.address))
            .header("content-type", "application/json")
            .header("origin", &self.address);
        self.known(request).send(webhook).unwrap()
    }

    pub fn get(&self, path: &str) -> Response<Body> {
        let request = self.agent.get(format!("{}{path}", self.address)).header("accept", "text/html");
        self.known(request).call().unwrap()
    }

    /// The raw output of the first attempt of step 1 from a byte on, until it ends. Silence for long is an error.
    pub fn follow(&self, run: &str, from: usize) -> Response<Body> {
        let address = format!("{}/runs/{run}/output/1/1?follow=1&from={from}", self.address);
        let request = self.agent.get(address).config().timeout_per_read(Some(PATIENCE)).build();
        let response = self.known(request).call().unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response
    }

    /// Asks for nothing but the head of a page, as programs do that look at links.
    pub fn head(&self, path: &str) -> Response<Body> {
        let request = self.agent.head(format!("{}{path}", self.address));
        self.known(request).call().unwrap()
    }

    /// A request with what this browser adds to each.
    fn known<Any>(&self, mut request: RequestBuilder<Any>) -> RequestBuilder<Any> {
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(encoding) = self.encoding {
            request = request.header("accept-encoding", encoding);
        }
        request
    }

    fn keep_cookie(&mut self, response: &Response<Body>) {
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            if pair.contains("portal-device=") {
                continue;
            }
            self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
    }
}

/// Whether something on the way has compressed the body.
pub fn is_packed(response: &Response<Body>) -> bool {
    response.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding == "gzip")
}

/// The body as it was before something on the way has compressed it.
pub fn unpacked(response: Response<Body>) -> Box<dyn Read> {
    let is_packed = is_packed(&response);
    let body = response.into_body().into_reader();
    if is_packed { Box::new(GzDecoder::new(body)) } else { Box::new(body) }
}

/// The body as text.
pub fn text(response: Response<Body>) -> String {
    let mut text = String::new();
    unpacked(response).read_to_string(&mut text).unwrap();
    text
}

/// The lines of a stream, as they come. Fails the test when nothing new has come for [`PATIENCE`]: a stream that has lost something
/// still says every few seconds that it is there, and would be followed for ever. What a test does between two lines does not count.
pub fn lines(response: Response<Body>) -> impl Iterator<Item = String> {
    let mut lines = BufReader::with_capacity(AT_ONCE, unpacked(response)).lines();
    let mut waited = Duration::ZERO;
    from_fn(move || {
        let began = Instant::now();
        let line = lines.next();
        waited += began.elapsed();
        assert!(waited < PATIENCE, "the stream has told nothing new for {waited:.0?}, only that it is there: {line:?}");
        let line = line?.ok()?;
        if !is_beat(&line) {
            waited = Duration::ZERO;
        }
        Some(line)
    })
}

/// Whether a frame says nothing but that the stream is there. It is a short one.
fn is_beat(frame: &str) -> bool {
    frame.len() < 100 && frame.contains("\"frame\":\"beat\"")
}
