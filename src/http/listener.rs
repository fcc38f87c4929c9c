//! The accept loop: limits on connections and time, TLS, and a stop that lets requests finish.
//!
//! Deliberately not `axum::serve`, which has none of these limits.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::{ServiceExt, service_fn};
use tracing::{debug, warn};

/// What a connection may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionLimits {
    /// Connections at once; more wait in the kernel's queue.
    pub connections: usize,
    /// How long a TLS handshake and the head of a request may take.
    pub head: Duration,
    /// How long requests may go on when Squelch stops.
    pub stop: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { connections: 1_024, head: Duration::from_secs(10), stop: Duration::from_secs(10) }
    }
}

/// The address of the one who sent a request.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// The accept loop before it runs.
pub struct Server {
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    limits: ConnectionLimits,
}

/// What every connection needs.
#[derive(Clone)]
struct Shared {
    tls: Option<TlsAcceptor>,
    router: Router,
    limits: ConnectionLimits,
}

impl Server {
    /// A server on a bound listener; with TLS when there is a configuration for it.
    #[must_use]
    pub fn new(
        listener: TcpListener,
        tls: Option<Arc<rustls::ServerConfig>>,
        router: Router,
        limits: ConnectionLimits,
    ) -> Self {
        Self { listener, tls, router, limits }
    }

    /// Serves until `stop` turns true (or its sender is gone), then lets requests finish for a limited time.
    /// All of its tasks have ended when it returns.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let Self { listener, tls, router, limits } = self;
        let shared = Shared { tls: tls.map(TlsAcceptor::from), router, limits };
        let slots = Arc::new(Semaphore::new(limits.connections));
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                Some(_) = connections.join_next(), if !connections.is_empty() => continue,
                accepted = accept(&listener, &slots) => accepted,
            };
            if let Some((stream, address, slot)) = accepted {
                connections.spawn(shared.clone().connection(stream, address, (graceful.watcher(), slot)));
            }
        }
        drop(listener);
        if timeout(limits.stop, graceful.shutdown()).await.is_err() {
            warn!(open = connections.len(), "requests are still going on after the time to stop: breaking them off");
        }
        connections.shutdown().await;
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A vanished sender means the same.
    drop(stop.wait_for(|stop| *stop).await);
}

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    // First the slot: without one the connection stays in the kernel's queue.
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => Some((stream, address, slot)),
        Err(error) => {
            // Out of file descriptors, mostly: trying again at once would spin.
            warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(Duration::from_millis(100)).await;
            None
        }
    }
}

impl Shared {
    async fn connection(
        self,
        stream: TcpStream,
        address: SocketAddr,
        (watcher, _slot): (Watcher, OwnedSemaphorePermit),
    ) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, %address, "the connection broke at once");
            return;
        }
        match self.tls.clone() {
            None => self.serve(stream, address, watcher).await,
            Some(acceptor) => match timeout(self.limits.head, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => self.serve(stream, address, watcher).await,
                Ok(Err(error)) => debug!(%error, %address, "the TLS handshake failed"),
                Err(_) => debug!(%address, "the TLS handshake took too long"),
            },
        }
    }

    async fn serve(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        address: SocketAddr,
        watcher: Watcher,
    ) {
        let router = self.router;
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(Peer(address));
            router.clone().oneshot(request)
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.head)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        if let Err(error) = watcher.watch(connection).await {
            debug!(%error, %address, "the connection ended badly");
        }
    }
}
