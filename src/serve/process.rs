//! `tagstream serve`: the feed, the server, and signals that stop both.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::access::{Access, AccessError, AuditLog, TlsError, tls_acceptor};
use super::api::{ApiContext, ApiParts, RecordParts};
use super::approval::Approver;
use super::erasure::HistoryErasure;
use super::history::{History, HistoryError};
use super::page::{self, PageContext};
use super::replica::{FeedContext, FeedOrders, Replica, ReplicaFeed};
use super::server::{ServeServer, ServerError};
use crate::engine::CompiledCatalog;
use crate::kafka::{ClientError, Clock, CommandSender, EventListener, StopSignal};
use crate::service::CatalogSource;
use crate::settings::Settings;

/// How often it is looked whether it has been stopped, or the feed has ended.
const LOOK: Duration = Duration::from_millis(50);

/// What the process is given from outside.
#[derive(Clone)]
pub struct ServeContext {
    /// Reads the catalog's file.
    pub source: CatalogSource,
    /// Hears what the clients of Kafka report.
    pub listener: EventListener,
    /// Stops the process, as a signal does.
    pub stop: StopSignal,
    pub clock: Clock,
}

/// Why the process has ended, if not by a signal.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("cannot listen to signals: {0}")]
    Signals(io::Error),
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error(transparent)]
    Access(#[from] AccessError),
    #[error(transparent)]
    Tls(#[from] TlsError),
    #[error("the file of serve.audit cannot be opened: {0}")]
    Audit(io::Error),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("the thread that follows the changelogs panicked: this is a bug in tagstream")]
    Panicked,
}

/// The feed and the server at work, in a process or beside workers.
pub struct Serving {
    /// `http` or `https`.
    pub scheme: &'static str,
    pub server: ServeServer,
    pub feed: ReplicaFeed,
    orders: FeedOrders,
}

impl Serving {
    /// Starts both.
    ///
    /// # Errors
    /// The address cannot be used, or the system gives no thread.
    pub fn start(
        settings: Arc<Settings>,
        compiled: Arc<CompiledCatalog>,
        context: &ServeContext,
    ) -> Result<Self, ServeError> {
        let replica = Arc::new(Replica::default());
        let ServeContext { source, listener, stop, clock } = context.clone();
        let listen = settings.serve.listen;
        let orders = FeedOrders::default();
        let access = Access::new(&settings.serve)?;
        let audit = AuditLog::open(settings.serve.audit.as_deref(), clock.clone()).map_err(ServeError::Audit)?;
        let history = History::start(Arc::clone(&settings), clock.clone(), Arc::clone(&listener))?;
        let records = RecordParts { sender: CommandSender::new(&settings, Arc::clone(&listener))?, clock };
        let departed = history.as_ref().map(|history| {
            HistoryErasure::start(
                history.clone(),
                Arc::clone(&replica),
                settings.serve.partitions.is_none(),
                stop.clone(),
            )
        });
        let departed = departed.transpose().map_err(ServeError::Thread)?;
        let tls = settings.serve.tls.as_ref().map(tls_acceptor).transpose()?;
        let (replica_of_api, source_of_api) = (Arc::clone(&replica), Arc::clone(&source));
        let parts = ApiParts {
            replica: replica_of_api,
            orders: orders.clone(),
            source: source_of_api,
            access,
            audit,
            history,
            records,
            approver: Approver::new(settings.serve.service.clone()),
        };
        let page = PageContext { api: ApiContext::new(parts), is_encrypted: tls.is_some() };
        let server = ServeServer::start(listen, tls, page::router(page))?;
        let scheme = if settings.serve.tls.is_some() { "https" } else { "http" };
        let feed = FeedContext { settings, replica, source, listener, stop, departed };
        let feed = ReplicaFeed::start(feed, compiled, orders.clone()).map_err(ServeError::Thread)?;
        Ok(Serving { scheme, server, feed, orders })
    }

    /// Waits for the end, once it has been stopped; whether a thread has panicked.
    pub fn join(self) -> bool {
        drop(self.server);
        self.feed.join()
    }
}

/// Runs until a signal stops it. SIGHUP reads the catalog's file again.
///
/// # Errors
/// Why it ended, if not by a signal.
pub fn run(settings: Settings, compiled: Arc<CompiledCatalog>, context: &ServeContext) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ServeError::Signals)?;
    runtime.block_on(async {
        let listen_to = |kind| signal(kind).map_err(ServeError::Signals);
        let (mut interrupt, mut terminate) = (listen_to(SignalKind::interrupt())?, listen_to(SignalKind::terminate())?);
        let mut hangup: Signal = listen_to(SignalKind::hangup())?;
        let serving = Serving::start(Arc::new(settings), compiled, context)?;
        tracing::info!(
            "the page is at {0}://{1}/, the API at {0}://{1}/v1/openapi.json",
            serving.scheme,
            serving.server.address()
        );
        while !context.stop.is_given() && !serving.feed.is_finished() {
            tokio::select! {
                _ = interrupt.recv() => context.stop.give(),
                _ = terminate.recv() => context.stop.give(),
                _ = hangup.recv() => reload(context, &serving.orders),
                () = tokio::time::sleep(LOOK) => {}
            }
        }
        context.stop.give();
        if serving.join() { Err(ServeError::Panicked) } else { Ok(()) }
    })
}

fn reload(context: &ServeContext, orders: &FeedOrders) {
    match (context.source)() {
        Ok(compiled) => orders.take_catalog(compiled),
        Err(errors) => tracing::error!("the catalog has errors; it stays as it was\n{}", errors.report),
    }
}
