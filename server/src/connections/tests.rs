use axum::routing::get;
use futures::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::AbortOnDropHandle;

use super::*;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_mins(1);

/// A router behind real connections, until it is dropped.
struct Served {
    address: SocketAddr,
    open: Gauge,
    _serving: AbortOnDropHandle<()>,
}

impl Served {
    async fn start(router: Router, limits: Limits) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let open = Gauge::default();
        let serving = serve(listener, router, limits, open.clone(), std::future::pending());
        let serving = tokio::spawn(async move { drop(serving.await) });
        Self { address, open, _serving: AbortOnDropHandle::new(serving) }
    }

    /// A connection that has sent a piece of a head.
    async fn half(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        stream
    }

    async fn whole(&self, path: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        stream
    }

    /// What comes first on a connection; nothing when it was closed.
    async fn first(mut stream: TcpStream) -> String {
        let mut bytes = [0; 256];
        let read = tokio::time::timeout(LONG, stream.read(&mut bytes)).await.expect("it says something, or ends");
        // A connection that was cut while something was on its way is reset.
        String::from_utf8_lossy(&bytes[..read.unwrap_or(0)]).into_owned()
    }
}

fn limits(connections: usize) -> Limits {
    Limits { connections, head: LONG, idle: LONG, reader: LONG }
}

fn greeting() -> Router {
    Router::new().route("/", get(async || "here"))
}

#[tokio::test]
async fn who_says_nothing_makes_room_for_who_does() {
    let served = Served::start(greeting(), limits(4)).await;
    let mut silent = Vec::new();
    for _ in 0..12 {
        silent.push(served.half().await);
    }

    let answer = Served::first(served.whole("/").await).await;

    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let first = silent.swap_remove(0);
    assert_eq!(Served::first(first).await, "", "the one that was silent for longest was cut");
    assert!(served.open.get() <= 4, "{}", served.open.get());
}

#[tokio::test]
async fn a_connection_that_is_being_answered_is_not_cut() {
    let (lines, stream) = mpsc::channel::<&str>(1);
    let stream = Arc::new(Mutex::new(Some(stream)));
    let slow = get(move || {
        let stream = stream.lock().unwrap().take().unwrap();
        async move { Body::from_stream(tokio_stream(stream).map(Ok::<_, Infallible>)) }
    });
    let served = Served::start(greeting().route("/slow", slow), limits(2)).await;
    let mut answered = served.whole("/slow").await;
    lines.send("first").await.unwrap();
    read_until(&mut answered, "first").await;

    for _ in 0..6 {
        let _half = served.half().await;
        let answer = Served::first(served.whole("/").await).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    lines.send("second").await.unwrap();
    read_until(&mut answered, "second").await;
}

#[tokio::test]
async fn who_comes_while_all_are_answered_waits_for_a_place() {
    let (began, has_begun) = oneshot::channel::<()>();
    let (finish, finished) = oneshot::channel::<()>();
    let once = Arc::new(Mutex::new(Some((began, finished))));
    let slow = get(move || {
        let (began, finished) = once.lock().unwrap().take().unwrap();
        async move {
            began.send(()).unwrap();
            drop(finished.await);
            "slow"
        }
    });
    let served = Served::start(greeting().route("/slow", slow), limits(1)).await;
    let slow = served.whole("/slow").await;
    has_begun.await.unwrap();
    let waiting = served.whole("/").await;

    finish.send(()).unwrap();

    let (slow, waiting) = tokio::join!(Served::first(slow), Served::first(waiting));
    assert!(slow.contains("slow") && waiting.contains("here"), "{slow} {waiting}");
}

#[tokio::test]
async fn a_head_that_never_ends_ends_its_connection() {
    let head = Duration::from_millis(200);
    let served = Served::start(greeting(), Limits { head, ..limits(8) }).await;

    assert_eq!(Served::first(served.half().await).await, "");
}

#[tokio::test]
async fn a_connection_is_kept_for_longer_than_a_head_may_take() {
    let (head, idle) = (Duration::from_millis(100), Duration::from_millis(600));
    let served = Served::start(greeting(), Limits { head, idle, ..limits(8) }).await;
    let asked = Instant::now();
    let mut stream = served.whole("/").await;
    read_until(&mut stream, "here").await;

    assert_eq!(Served::first(stream).await, "", "in the end it is closed");

    assert!(asked.elapsed() >= idle, "{:?}", asked.elapsed());
}

#[tokio::test]
async fn a_second_head_that_never_ends_ends_its_connection_too() {
    let served = Served::start(greeting(), Limits { head: Duration::from_millis(200), ..limits(8) }).await;
    let mut stream = served.whole("/").await;
    read_until(&mut stream, "here").await;

    stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();

    assert_eq!(Served::first(stream).await, "");
}

#[tokio::test]
async fn a_reader_that_takes_nothing_loses_its_connection() {
    let (gone, is_gone) = oneshot::channel::<()>();
    let gone = Arc::new(Mutex::new(Some(gone)));
    let endless = get(move || {
        let told = OnDrop(gone.lock().unwrap().take());
        async move {
            Body::from_stream(futures::stream::repeat(vec![b'x'; 65536]).map(move |piece| {
                let _alive = &told;
                Ok::<_, Infallible>(piece)
            }))
        }
    });
    let router = greeting().route("/endless", endless);
    let served = Served::start(router, Limits { reader: Duration::from_millis(500), ..limits(8) }).await;

    let never_reads = served.whole("/endless").await;

    drop(tokio::time::timeout(LONG, is_gone).await.expect("the answer is given up"));
    drop(never_reads);
}

/// Tells that it was dropped, by dropping the other end of a channel.
struct OnDrop(#[expect(dead_code, reason = "its drop is what counts")] Option<oneshot::Sender<()>>);

fn tokio_stream(mut from: mpsc::Receiver<&'static str>) -> impl futures::Stream<Item = &'static str> {
    futures::stream::poll_fn(move |context| from.poll_recv(context))
}

async fn read_until(stream: &mut TcpStream, text: &str) {
    let (mut all, mut bytes) = (Vec::new(), [0; 256]);
    while !String::from_utf8_lossy(&all).contains(text) {
        let read = tokio::time::timeout(LONG, stream.read(&mut bytes)).await.expect("more comes").unwrap();
        assert_ne!(read, 0, "it ended before {text}");
        all.extend_from_slice(&bytes[..read]);
    }
}
