//! What a browser does, as far as these tests need it: it keeps the cookie and says where it sends from.

use std::io::{BufRead as _, BufReader, Read as _};

use ureq::http::{Response, StatusCode};
use ureq::{Agent, Body};

use crate::process::{Place, Served};

pub const PASSWORD: &str = "four quiet otters swim";

/// One browser.
pub struct Browser {
    agent: Agent,
    address: String,
    cookie: Option<String>,
}

impl Browser {
    pub fn new(address: &str) -> Self {
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None).build();
        Self { agent: config.into(), address: address.to_owned(), cookie: None }
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
        Self { agent: self.agent.clone(), address: address.to_owned(), cookie: self.cookie.clone() }
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
        let mut request = self
            .agent
            .post(format!("{}/api/{function}", self.address))
            .header("accept", accept)
            .header("origin", &self.address)
            .header("referer", referer)
            .header("sec-fetch-site", "same-origin");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        let response = request.send_form(form.iter().copied())?;
        self.keep_cookie(&response);
        Ok(response)
    }

    /// Tells of alerts as Alertmanager does, in the name of who is signed in.
    pub fn tell(&self, webhook: &str) -> Response<Body> {
        let mut request = self
            .agent
            .post(format!("{}/api/alerts", self.address))
            .header("content-type", "application/json")
            .header("origin", &self.address);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request.send(webhook).unwrap()
    }

    pub fn get(&self, path: &str) -> Response<Body> {
        let mut request = self.agent.get(format!("{}{path}", self.address)).header("accept", "text/html");
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request.call().unwrap()
    }

    /// Asks for nothing but the head of a page, as programs do that look at links.
    pub fn head(&self, path: &str) -> Response<Body> {
        let mut request = self.agent.head(format!("{}{path}", self.address));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        request.call().unwrap()
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

/// The body as text.
pub fn text(response: Response<Body>) -> String {
    let mut text = String::new();
    response.into_body().into_reader().read_to_string(&mut text).unwrap();
    text
}

/// The lines of a stream, as they come.
pub fn lines(response: Response<Body>) -> impl Iterator<Item = String> {
    BufReader::new(response.into_body().into_reader()).lines().map_while(Result::ok)
}
