//! Receivers of notices: a web server and a mail server that speak their protocols over real sockets, and do what they are told.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, StatusCode, Uri, header};

use crate::waiting::PATIENCE;

/// What arrived at the web server.
#[derive(Clone, Debug)]
pub struct Posted {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Posted {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A web server. What it answers stands in the path: `/ok`, `/gone`, `/moved`, `/twice` (bad twice, then good), `/later` (asks for
/// two seconds, then good), `/hang` (never, or good once it was let go).
pub struct Web {
    pub address: SocketAddr,
    posted: Receiver<Posted>,
    waiting: Vec<Posted>,
    answers: Arc<Answers>,
    _runtime: tokio::runtime::Runtime,
}

struct Answers {
    posted: Mutex<Sender<Posted>>,
    counts: Mutex<HashMap<String, u32>>,
    hangs: Mutex<bool>,
}

impl Web {
    pub fn open() -> Self {
        let (sender, posted) = channel();
        let answers =
            Arc::new(Answers { posted: Mutex::new(sender), counts: Mutex::default(), hangs: Mutex::new(true) });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&answers));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
        Self { address, posted, waiting: Vec::new(), answers, _runtime: runtime }
    }

    /// The address of a webhook there.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What hung is answered from now on.
    pub fn let_go(&self) {
        *self.answers.hangs.lock().unwrap() = false;
    }

    /// The next post to a path; posts to others are kept for later.
    pub fn next(&mut self, path: &str) -> Posted {
        if let Some(place) = self.waiting.iter().position(|posted| posted.path == path) {
            return self.waiting.remove(place);
        }
        loop {
            let posted = self.posted.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("nothing arrived at {path}"));
            if posted.path == path {
                return posted;
            }
            self.waiting.push(posted);
        }
    }

    /// Whether something has arrived at a path that nobody has asked for yet.
    pub fn has(&mut self, path: &str) -> bool {
        self.waiting.extend(self.posted.try_iter());
        self.waiting.iter().any(|posted| posted.path == path)
    }
}

async fn answer(State(answers): State<Arc<Answers>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let path = uri.path().to_owned();
    let count = {
        let mut counts = answers.counts.lock().unwrap();
        let count = counts.entry(path.clone()).or_insert(0);
        *count += 1;
        *count
    };
    let hangs = *answers.hangs.lock().unwrap();
    let posted = Posted { path: path.clone(), headers, body: body.to_vec() };
    answers.posted.lock().unwrap().send(posted).unwrap();
    match path.as_str() {
        "/twice" if count <= 2 => (StatusCode::INTERNAL_SERVER_ERROR, "the token is hunter2").into_response(),
        "/later" if count == 1 => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "2")]).into_response(),
        "/gone" => StatusCode::NOT_FOUND.into_response(),
        "/moved" => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, "/redirected")]).into_response(),
        "/hang" if hangs => std::future::pending().await,
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

/// A mail as it arrived.
#[derive(Clone, Debug)]
pub struct Mailed {
    pub to: String,
    /// With soft line breaks taken out.
    pub text: String,
}

impl Mailed {
    /// A header that stands in one line.
    pub fn header(&self, name: &str) -> &str {
        let prefix = format!("{name}: ");
        self.text.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_default()
    }
}

/// A mail server. It does not take the first mail yet, and knows nobody at `unknown.example`.
pub struct Smtp {
    pub port: u16,
    mails: Receiver<Mailed>,
    refused: Receiver<Mailed>,
}

impl Smtp {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ((taken, mails), (refuse, refused)) = (channel(), channel());
        std::thread::spawn(move || {
            let mut busy = true;
            for stream in listener.incoming() {
                // A client may go away whenever it likes.
                let Some(mail) = conversation(&stream.unwrap(), busy) else { continue };
                let sent = if std::mem::take(&mut busy) { refuse.send(mail) } else { taken.send(mail) };
                if sent.is_err() {
                    return;
                }
            }
        });
        Self { port, mails, refused }
    }

    /// The next mail that was taken.
    pub fn next(&self) -> Mailed {
        self.mails.recv_timeout(PATIENCE).expect("a mail arrives")
    }

    /// The mail that was not taken yet.
    pub fn refused(&self) -> Mailed {
        self.refused.recv_timeout(PATIENCE).expect("a mail is tried")
    }
}

/// One conversation: the mail that was handed over in it.
fn conversation(stream: &TcpStream, busy: bool) -> Option<Mailed> {
    let mut lines = BufReader::new(stream).lines();
    let say = |line: &str| (&*stream).write_all(format!("{line}\r\n").as_bytes()).ok();
    let (mut to, mut mail) = (String::new(), None);
    say("220 mail.example.com ESMTP")?;
    while let Some(Ok(line)) = lines.next() {
        match line.split([' ', ':']).next()?.to_ascii_uppercase().as_str() {
            "EHLO" => say("250-mail.example.com\r\n250 8BITMIME")?,
            "RCPT" if line.contains("@unknown.example") => say("550 5.1.1 there is nobody of that name, hunter2")?,
            "RCPT" => {
                line.split(['<', '>']).nth(1)?.clone_into(&mut to);
                say("250 ok")?;
            }
            "DATA" => {
                say("354 go on")?;
                let body: Vec<String> = lines.by_ref().map_while(Result::ok).take_while(|line| line != ".").collect();
                let text = body.join("\n").replace("=\n", "");
                mail = Some(Mailed { to: to.clone(), text });
                say(if busy { "451 4.3.0 later" } else { "250 taken" })?;
            }
            "QUIT" => {
                say("221 bye")?;
                break;
            }
            _ => say("250 ok")?,
        }
    }
    mail
}
