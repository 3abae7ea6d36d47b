//! A network that can be cut: a proxy for TCP between a client and a server of this machine.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Listens on a port of its own, and carries what comes there to a server and back.
///
/// It has threads of its own and can be used in any test. When it goes away, its connections are reset.
#[derive(Debug)]
pub struct Cut {
    address: SocketAddr,
    network: watch::Sender<Network>,
    bytes: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

/// What the network does with what is on it.
#[derive(Clone, Copy, Debug)]
struct Network {
    is_through: bool,
    /// How often every connection was reset.
    resets: u64,
    is_there: bool,
}

impl Cut {
    /// A network in front of a server, which need not be there yet.
    ///
    /// # Panics
    ///
    /// When this machine has no port left.
    pub fn before(server: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener can be asked without waiting");
        let address = listener.local_addr().expect("a listener has an address");
        let (network, seen) = watch::channel(Network { is_through: true, resets: 0, is_there: true });
        let bytes = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&bytes);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime of one thread").block_on(serve(listener, server, seen, counted));
        });
        Self { address, network, bytes, thread: Some(thread) }
    }

    /// Where a client connects.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes that were carried, in both directions.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::SeqCst)
    }

    /// From now on no byte passes, and nobody is told: connections stay open, new ones are taken and hear nothing.
    pub fn swallow(&self) {
        self.network.send_modify(|network| network.is_through = false);
    }

    /// Everything passes again, first of all what was on its way, as with a network that comes back.
    pub fn pass(&self) {
        self.network.send_modify(|network| network.is_through = true);
    }

    /// Resets every connection, at both ends. New ones can be made.
    pub fn reset(&self) {
        self.network.send_modify(|network| network.resets += 1);
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        self.network.send_modify(|network| network.is_there = false);
        if let Some(thread) = self.thread.take() {
            // It only fails when the thread has panicked, and then the test has seen that.
            let _ = thread.join();
        }
    }
}

async fn serve(
    listener: std::net::TcpListener,
    server: SocketAddr,
    mut network: watch::Receiver<Network>,
    bytes: Arc<AtomicU64>,
) {
    let listener = TcpListener::from_std(listener).expect("the listener belongs to this runtime");
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let (seen, counted) = (network.clone(), Arc::clone(&bytes));
        tokio::select! {
            accepted = listener.accept() => if let Ok((near, _)) = accepted {
                connections.spawn(connect(near, server, seen, counted));
            },
            _ = network.wait_for(|network| !network.is_there) => break,
        }
        while connections.try_join_next().is_some() {}
    }
    while connections.join_next().await.is_some() {}
}

/// Carries one connection, until both ends have closed it or the network resets it.
async fn connect(mut near: TcpStream, server: SocketAddr, network: watch::Receiver<Network>, bytes: Arc<AtomicU64>) {
    let resets = network.borrow().resets;
    let mut broken = network.clone();
    let broken = async move {
        // That the network itself goes away is a break, too.
        let _ = broken.wait_for(|network| network.resets != resets || !network.is_there).await;
    };
    let mut far = None;
    let carried = async {
        through(&mut network.clone()).await;
        let far = far.insert(TcpStream::connect(server).await?);
        let ((from_near, to_near), (from_far, to_far)) = (near.split(), far.split());
        let there = pump(from_near, to_far, network.clone(), &bytes);
        let back = pump(from_far, to_near, network.clone(), &bytes);
        tokio::try_join!(there, back).map(|_| ())
    };
    let result = tokio::select! {
        carried = carried => carried,
        () = broken => Err(io::ErrorKind::ConnectionReset.into()),
    };
    if result.is_err() {
        for end in [Some(near), far].into_iter().flatten() {
            let _ = end.set_zero_linger();
        }
    }
}

/// Waits until something passes.
async fn through(network: &mut watch::Receiver<Network>) {
    let _ = network.wait_for(|network| network.is_through).await;
}

async fn pump(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut network: watch::Receiver<Network>,
    bytes: &AtomicU64,
) -> io::Result<()> {
    let mut piece = vec![0; 16 << 10];
    loop {
        let length = from.read(&mut piece).await?;
        through(&mut network).await;
        if length == 0 {
            return to.shutdown().await;
        }
        // Before they are written: whoever has got them finds them counted.
        bytes.fetch_add(length as u64, Ordering::SeqCst);
        to.write_all(&piece[..length]).await?;
    }
}
