//! A limit on open connections, so that clients that connect and ask nothing keep nobody waiting.
//!
//! Some connections are open for long: those that follow changes, and those that take all members of an audience. So no
//! connection has a limited time. A new one never waits: where all seats are taken, it gets the seat of the connection on
//! which nothing has moved for the longest time.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::oneshot;

/// Each takes a file descriptor, of which a process has 1,024 by default. Those who follow changes have 64 at most.
const CONNECTIONS_MAX: usize = 256;

/// The seats of a server.
#[derive(Clone)]
pub(super) struct ConnectionSeats(Arc<SeatTable>);

struct SeatTable {
    started: Instant,
    taken: Mutex<TakenConnections>,
}

#[derive(Default)]
struct TakenConnections {
    next: u64,
    open: BTreeMap<u64, OpenConnection>,
}

struct OpenConnection {
    /// When something moved last, in milliseconds after the start.
    moved_ms: Arc<AtomicU64>,
    /// Dropping it ends the connection.
    _end: oneshot::Sender<()>,
}

/// One connection with its seat, which is free again when this is dropped.
pub struct SeatedConnection<S> {
    stream: S,
    number: u64,
    seats: ConnectionSeats,
    moved_ms: Arc<AtomicU64>,
    lost: oneshot::Receiver<()>,
}

impl ConnectionSeats {
    pub(super) fn new() -> Self {
        ConnectionSeats(Arc::new(SeatTable { started: Instant::now(), taken: Mutex::default() }))
    }

    /// Gives a connection a seat.
    pub(super) fn seat<S>(&self, stream: S) -> SeatedConnection<S> {
        let mut all = self.lock();
        if all.open.len() >= CONNECTIONS_MAX {
            let idlest = all.open.iter().min_by_key(|(_, open)| open.moved_ms.load(Ordering::Relaxed));
            if let Some(number) = idlest.map(|(number, _)| *number) {
                all.open.remove(&number);
            }
        }
        let (number, (end, lost)) = (all.next, oneshot::channel());
        all.next += 1;
        let moved_ms = Arc::new(AtomicU64::new(self.now_ms()));
        all.open.insert(number, OpenConnection { moved_ms: Arc::clone(&moved_ms), _end: end });
        drop(all);
        SeatedConnection { stream, number, seats: self.clone(), moved_ms, lost }
    }

    fn lock(&self) -> MutexGuard<'_, TakenConnections> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        self.0.started.elapsed().as_millis() as u64
    }
}

impl<S> Drop for SeatedConnection<S> {
    fn drop(&mut self) {
        self.seats.lock().open.remove(&self.number);
    }
}

impl<S> SeatedConnection<S> {
    /// Notes that something has moved, and fails where the seat is lost.
    fn check<T>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if Pin::new(&mut self.lost).poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if polled.is_ready() {
            self.moved_ms.store(self.seats.now_ms(), Ordering::Relaxed);
        }
        polled
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for SeatedConnection<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_read(context, buffer);
        this.check(context, polled)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for SeatedConnection<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.check(context, polled)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
