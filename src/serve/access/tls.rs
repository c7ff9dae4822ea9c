//! Encrypted connections, where the settings have a certificate.
//!
//! A handshake takes as long as the client lets it. So each is done by a task of its own, and connections are handed on in
//! the order in which they are ready.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

use super::connections::{ConnectionSeats, SeatedConnection};
use crate::settings::TlsFiles;

const HANDSHAKE_MAX: Duration = Duration::from_secs(5);
/// Handshakes at a time; more wait to be accepted.
const HANDSHAKES_MAX: usize = 256;
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Why connections cannot be encrypted.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("serve.certificate = {path}: {why}", path = .path.display())]
    Certificate { path: PathBuf, why: String },
    #[error("serve.key = {path}: {why}", path = .path.display())]
    Key { path: PathBuf, why: String },
    #[error("serve.certificate and serve.key do not fit: {0}")]
    Pair(String),
}

/// Reads the certificate and its key.
///
/// # Errors
/// One of the files cannot be used, or they are not of one pair.
pub fn tls_acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let certificate = |why: String| TlsError::Certificate { path: files.certificate.clone(), why };
    let chain = read_chain(&files.certificate).map_err(certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key);
    let key = key.map_err(|error| TlsError::Key { path: files.key.clone(), why: error.to_string() })?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Pair(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| TlsError::Pair(error.to_string()))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    let chain: Vec<_> = certificates.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    if chain.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(chain) }
}

/// A connection, encrypted or not.
pub enum MaybeTls {
    Plain(TcpStream),
    Encrypted(Box<TlsStream<TcpStream>>),
}

/// Accepts connections, and encrypts them where it has a certificate.
pub struct TlsListener {
    ready: mpsc::Receiver<(SeatedConnection<MaybeTls>, SocketAddr)>,
    address: SocketAddr,
}

impl TlsListener {
    /// Begins to accept, in the runtime that it is called in, until it is dropped.
    ///
    /// # Errors
    /// The listener has no address.
    pub fn new(listener: TcpListener, acceptor: Option<TlsAcceptor>) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, ready) = mpsc::channel(HANDSHAKES_MAX);
        tokio::spawn(accept_all(listener, acceptor, sender));
        Ok(TlsListener { ready, address })
    }
}

async fn accept_all(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    sender: mpsc::Sender<(SeatedConnection<MaybeTls>, SocketAddr)>,
) {
    let seats = ConnectionSeats::new();
    let permits = Arc::new(Semaphore::new(HANDSHAKES_MAX));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = sender.closed() => return,
        };
        let Ok((stream, from)) = accepted else {
            tokio::time::sleep(ACCEPT_RETRY_PAUSE).await;
            continue;
        };
        let Some(acceptor) = acceptor.clone() else {
            if sender.send((seats.seat(MaybeTls::Plain(stream)), from)).await.is_err() {
                return;
            }
            continue;
        };
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let (sender, seats) = (sender.clone(), seats.clone());
        tokio::spawn(async move {
            let handshake = tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream));
            // A client that does not speak TLS, or breaks off, is gone.
            if let Ok(Ok(stream)) = handshake.await {
                let _ = sender.send((seats.seat(MaybeTls::Encrypted(Box::new(stream))), from)).await;
            }
            drop(permit);
        });
    }
}

impl axum::serve::Listener for TlsListener {
    type Io = SeatedConnection<MaybeTls>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (SeatedConnection<MaybeTls>, SocketAddr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The task ends only with the runtime.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl AsyncRead for MaybeTls {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            MaybeTls::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            MaybeTls::Encrypted(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for MaybeTls {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            MaybeTls::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            MaybeTls::Encrypted(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            MaybeTls::Plain(stream) => Pin::new(stream).poll_flush(context),
            MaybeTls::Encrypted(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            MaybeTls::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            MaybeTls::Encrypted(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
