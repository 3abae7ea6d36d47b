//! The loop over connections: how long a request's head may take, how many connections there are, and who makes room.
//!
//! A connection that asks for nothing costs somebody else's place. When all places are taken, the one that has been silent for
//! longest is cut for the next that comes: half a head that never ends, or a browser's connection that is kept for later. One
//! whose request is being answered is never cut for that.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io::IoSlice;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// The most bytes that a connection holds back in memory.
const BUFFER: usize = 64 * 1024;

/// What connections may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most connections at a time.
    pub connections: usize,
    /// A request's head of which not all has arrived so long after its first byte ends its connection.
    pub head: Duration,
    /// A connection on which nobody has asked for so long is closed.
    pub idle: Duration,
    /// A reader that takes nothing for so long, or whose machine says nothing any more, loses its connection.
    pub reader: Duration,
}

impl Limits {
    /// Those of a portal that serves. A system lets a process open 1,024 files unless somebody has said otherwise; half of them are left
    /// for output, the database and steps.
    ///
    /// A proxy keeps its connections for the next request, 60 s (nginx) to two minutes (Caddy). The portal must not be the first to
    /// close one: what the proxy sends on it at that moment is lost, and if it changes something, nobody may send it again.
    pub const USUAL: Self = Self {
        connections: 512,
        head: Duration::from_secs(10),
        idle: Duration::from_mins(5),
        reader: Duration::from_mins(1),
    };
}

/// The other end of a connection: a browser, or a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection(pub IpAddr);

/// Serves connections until `stop`. What still runs then is in what comes back.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    open: Gauge,
    stop: impl Future<Output = ()>,
) -> GracefulShutdown {
    let graceful = GracefulShutdown::new();
    let room = Room::new(limits.connections, open);
    tokio::pin!(stop);
    loop {
        tokio::select! {
            (stream, peer) = next(&listener) => {
                // Who comes while all others are answered waits here; those behind wait in the system's queue.
                let place = tokio::select! {
                    place = room.place() => place,
                    () = &mut stop => break,
                };
                tokio::spawn(connection(stream, Connection(peer.ip()), &router, limits, &graceful, place));
            }
            () = &mut stop => break,
        }
    }
    graceful
}

async fn next(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                // Out of descriptors, or a connection that was gone before it was taken: others may be luckier.
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// What serves one connection until it ends or is cut.
fn connection(
    stream: TcpStream,
    peer: Connection,
    router: &Router,
    limits: Limits,
    graceful: &GracefulShutdown,
    place: Place,
) -> impl Future<Output = ()> + use<> {
    tune(&stream, limits.reader);
    let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
    // Hyper counts from the end of the last answer, so that this is the limit for whoever asks for nothing.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.idle).max_buf_size(BUFFER);
    let (cut, heads, router) = (place.cut.clone(), place.heads.subscribe(), router.clone());
    let place = Arc::new(place);
    let stream = Heard { stream, place: Arc::clone(&place) };
    let service = tower::service_fn(move |request: http::Request<Incoming>| {
        answer(router.clone(), request.map(Body::new), peer, Busy::new(&place))
    });
    let served = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).into_owned();
    let watched = graceful.watch(served);
    async move {
        tokio::select! {
            // How a connection ends is the browser's business.
            _ = watched => {}
            () = cut.cancelled() => {}
            () = unfinished(heads, limits.head) => {}
        }
    }
}

/// Ends when a head has begun and did not come to its end for so long.
async fn unfinished(mut heads: watch::Receiver<Option<Instant>>, limit: Duration) {
    loop {
        let begun = *heads.borrow_and_update();
        let late = async {
            match begun {
                Some(begun) => tokio::time::sleep_until(begun + limit).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            // Nobody is left who would tell: the connection is at its end.
            changed = heads.changed() => if changed.is_err() { return },
            () = late => return,
        }
    }
}

async fn answer(
    router: Router,
    mut request: Request,
    peer: Connection,
    busy: Busy,
) -> Result<http::Response<Body>, Infallible> {
    request.extensions_mut().insert(peer);
    let response = router.oneshot(request).await?;
    Ok(response.map(|body| Body::new(Answering { body, _busy: busy })))
}

/// Small frames of a live log do not wait for each other, and what nobody takes does not wait for ever.
fn tune(stream: &TcpStream, reader: Duration) {
    drop(stream.set_nodelay(true));
    // It counts for data that nobody acknowledges as well as for a reader whose window stays closed (tcp(7), TCP_USER_TIMEOUT).
    let milliseconds = u32::try_from(reader.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, milliseconds) {
        tracing::debug!(error = &error as &dyn std::error::Error, "a connection has no limit for its reader");
    }
}

/// The places for connections.
#[derive(Clone)]
struct Room(Arc<Inner>);

struct Inner {
    places: Arc<Semaphore>,
    silent: Mutex<Silent>,
    /// Somebody has become silent.
    hushed: Notify,
    open: Gauge,
}

/// Who has a place and asks for nothing, in the order in which they became silent.
#[derive(Default)]
struct Silent {
    next: u64,
    waiting: BTreeMap<u64, CancellationToken>,
}

impl Room {
    fn new(most: usize, open: Gauge) -> Self {
        let places = Arc::new(Semaphore::new(most));
        Self(Arc::new(Inner { places, silent: Mutex::default(), hushed: Notify::new(), open }))
    }

    /// A place, as soon as there is one. Who has been silent for longest loses theirs for it.
    async fn place(&self) -> Place {
        loop {
            if let Ok(permit) = Arc::clone(&self.0.places).try_acquire_owned() {
                return Place::new(self, permit);
            }
            let hushed = self.0.hushed.notified();
            self.cut_longest_silent();
            tokio::select! {
                biased;
                permit = Arc::clone(&self.0.places).acquire_owned() => {
                    return Place::new(self, permit.expect("the semaphore is never closed"));
                }
                () = hushed => {}
            }
        }
    }

    fn cut_longest_silent(&self) {
        if let Some((_, cut)) = self.silent().waiting.pop_first() {
            cut.cancel();
        }
    }

    fn silent(&self) -> MutexGuard<'_, Silent> {
        self.0.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a connection at the end of those that are silent.
    fn hush(&self, cut: &CancellationToken) -> u64 {
        let mut silent = self.silent();
        silent.next += 1;
        let ticket = silent.next;
        silent.waiting.insert(ticket, cut.clone());
        drop(silent);
        self.0.hushed.notify_one();
        ticket
    }
}

/// The place of one connection.
struct Place {
    room: Room,
    cut: CancellationToken,
    /// Its number among the silent; while it is being answered, the one that it had.
    ticket: Mutex<u64>,
    /// When the head began that is arriving.
    heads: watch::Sender<Option<Instant>>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    fn new(room: &Room, permit: OwnedSemaphorePermit) -> Self {
        let cut = CancellationToken::new();
        room.0.open.inc();
        let ticket = Mutex::new(room.hush(&cut));
        Self { room: room.clone(), cut, ticket, heads: watch::Sender::new(None), _permit: permit }
    }

    /// Something has arrived: unless it belongs to a request that is being answered, a head begins or goes on.
    fn heard(&self) {
        let ticket = *self.ticket();
        if self.room.silent().waiting.contains_key(&ticket) {
            self.heads.send_if_modified(|begun| begun.is_none() && begun.replace(Instant::now()).is_none());
        }
    }

    fn ticket(&self) -> MutexGuard<'_, u64> {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let ticket = *self.ticket();
        self.room.silent().waiting.remove(&ticket);
        self.room.0.open.dec();
    }
}

/// A connection's stream, which tells its place what it hears.
struct Heard {
    stream: TcpStream,
    place: Arc<Place>,
}

impl AsyncRead for Heard {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let (it, before) = (self.get_mut(), buffer.filled().len());
        let read = Pin::new(&mut it.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            it.place.heard();
        }
        read
    }
}

impl AsyncWrite for Heard {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

/// While it lives, its connection is being answered and not cut.
struct Busy(Arc<Place>);

impl Busy {
    fn new(place: &Arc<Place>) -> Self {
        let ticket = *place.ticket();
        place.room.silent().waiting.remove(&ticket);
        place.heads.send_if_modified(|begun| begun.take().is_some());
        Self(Arc::clone(place))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let ticket = self.0.room.hush(&self.0.cut);
        *self.0.ticket() = ticket;
    }
}

/// The body of an answer, which keeps its connection busy until its last byte was handed on.
struct Answering {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Answering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests;
