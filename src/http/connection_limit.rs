//! Limits on connections: at most a number at a time, and each for a limited time.
//!
//! Clients that connect and send nothing must not keep a probe waiting, and which page a connection asks for is known
//! only when its request has been read. So a new connection never waits for a seat: it takes that of the connection
//! that has had one for the longest time. A page takes milliseconds, so this is one that is slow.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::yield_now;
use tokio::time::{Sleep, sleep};

/// With more connections the oldest ends. In a rush of new ones, a request that has arrived is read before a few dozen
/// more are accepted, so it is answered long before its connection is the oldest.
const CONNECTIONS_MAX: usize = 128;
/// A page takes milliseconds: a client that takes longer is slow or hostile.
const CONNECTION_MAX: Duration = Duration::from_secs(5);
/// The pause after a failed `accept`: if the process has no file descriptor left, an immediate retry fails again.
const ACCEPT_RETRY_PAUSE: Duration = Duration::from_millis(500);

/// A TCP listener with at most [`CONNECTIONS_MAX`] open connections, each for at most [`CONNECTION_MAX`].
pub(crate) struct ConnectionLimit {
    listener: TcpListener,
    seats: Arc<Seats>,
}

impl ConnectionLimit {
    pub(crate) fn new(listener: TcpListener) -> Self {
        ConnectionLimit { listener, seats: Arc::default() }
    }
}

impl Listener for ConnectionLimit {
    type Io = LimitedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (LimitedStream, SocketAddr) {
        // The connections that are there come first, also where new ones never end.
        yield_now().await;
        loop {
            match self.listener.accept().await {
                Ok((stream, from)) => {
                    let seat = Seats::take(&self.seats);
                    return (LimitedStream { stream, deadline: Box::pin(sleep(CONNECTION_MAX)), seat }, from);
                }
                Err(_) => sleep(ACCEPT_RETRY_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// The open connections, the oldest first.
#[derive(Default)]
struct Seats(Mutex<TakenSeats>);

#[derive(Default)]
struct TakenSeats {
    next: u64,
    /// Dropping a sender ends its connection.
    taken: BTreeMap<u64, oneshot::Sender<()>>,
}

/// One connection's; free again when it is dropped.
struct Seat {
    number: u64,
    seats: Arc<Seats>,
    lost: oneshot::Receiver<()>,
}

impl Seats {
    fn take(seats: &Arc<Seats>) -> Seat {
        let mut all = seats.lock();
        if all.taken.len() >= CONNECTIONS_MAX {
            all.taken.pop_first();
        }
        let (number, (sender, lost)) = (all.next, oneshot::channel());
        all.next += 1;
        all.taken.insert(number, sender);
        drop(all);
        Seat { number, seats: Arc::clone(seats), lost }
    }

    fn lock(&self) -> MutexGuard<'_, TakenSeats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.lock().taken.remove(&self.number);
    }
}

/// A connection that ends when its time is over, or its seat is lost.
pub(crate) struct LimitedStream {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    seat: Seat,
}

impl LimitedStream {
    fn check_limits(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        let is_over = self.deadline.as_mut().poll(context).is_ready();
        let is_lost = Pin::new(&mut self.seat.lost).poll(context).is_ready();
        match (is_over, is_lost) {
            (true, _) => Err(io::ErrorKind::TimedOut.into()),
            (_, true) => Err(io::ErrorKind::ConnectionAborted.into()),
            (false, false) => Ok(()),
        }
    }
}

impl AsyncRead for LimitedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_limits(context)?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for LimitedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.check_limits(context)?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
