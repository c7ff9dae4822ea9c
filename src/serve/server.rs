//! The server: the threads that listen at `serve.listen` and answer.

use std::io;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

use super::access::TlsListener;

/// Threads that answer; what takes long has threads of its own.
const THREADS: usize = 2;

/// The address of `serve.listen` cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at serve.listen = {listen}: {error}; give it another address")]
pub struct ServerError {
    listen: SocketAddr,
    error: io::Error,
}

/// Answers requests until it is dropped, which ends open connections.
pub struct ServeServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl ServeServer {
    /// Starts to listen. With port 0 the system chooses a port.
    ///
    /// # Errors
    /// The address is in use, or does not belong to this machine.
    pub fn start(listen: SocketAddr, tls: Option<TlsAcceptor>, router: Router) -> Result<Self, ServerError> {
        ServeServer::open(listen, tls, router).map_err(|error| ServerError { listen, error })
    }

    fn open(listen: SocketAddr, tls: Option<TlsAcceptor>, router: Router) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("serve")
            .enable_all()
            .build()?;
        let listener = {
            let _inside = runtime.enter();
            TlsListener::new(TcpListener::from_std(listener)?, tls)?
        };
        let (stop, stopped) = oneshot::channel();
        let serving = async move {
            tokio::select! {
                _ = axum::serve(listener, router) => {}
                _ = stopped => {}
            }
        };
        let thread = thread::Builder::new().name("serve-main".to_owned()).spawn(move || {
            runtime.block_on(serving);
            // Work that is under way for nobody need not end.
            runtime.shutdown_background();
        })?;
        Ok(ServeServer { address, stop: Some(stop), thread: Some(thread) })
    }

    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ServeServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic has been printed already.
            let _ = thread.join();
        }
    }
}
