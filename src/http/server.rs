//! The HTTP server: a thread of its own, with the routes of metrics and probes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value as Json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::catalog_routes::{self, Controls};
use super::connection_limit::ConnectionLimit;
use super::monitor::Monitor;
use super::probes::Probes;
use crate::telemetry::TEXT_FORMAT;

pub(super) const JSON: &str = "application/json";
const PLAIN: &str = "text/plain; charset=utf-8";

/// The address of a setting cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen at {setting} = {listen}: {error}; give it another address, or \"off\"")]
pub struct HttpError {
    setting: &'static str,
    listen: SocketAddr,
    error: io::Error,
}

/// Answers requests until it is dropped, which ends open connections.
pub struct Server {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Server {
    /// Starts to listen. With port 0 the system chooses a port.
    ///
    /// # Errors
    /// The address is in use, or does not belong to this machine.
    pub fn start(listen: SocketAddr, monitor: Arc<Monitor>, controls: Controls) -> Result<Server, HttpError> {
        let routes = probe_router(monitor).merge(catalog_routes::router(controls));
        Server::open(listen, routes).map_err(|error| HttpError { setting: "http.listen", listen, error })
    }

    /// Starts to listen at the address of this setting, for metrics and probes alone.
    ///
    /// # Errors
    /// As for [`Server::start`].
    pub fn start_probes(
        setting: &'static str,
        listen: SocketAddr,
        probes: Arc<dyn Probes>,
    ) -> Result<Server, HttpError> {
        Server::open(listen, probe_router(probes)).map_err(|error| HttpError { setting, listen, error })
    }

    fn open(listen: SocketAddr, routes: Router) -> io::Result<Server> {
        let listener = std::net::TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connections = {
            let _inside = runtime.enter();
            ConnectionLimit::new(TcpListener::from_std(listener)?)
        };
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            tokio::select! {
                _ = axum::serve(connections, routes) => {}
                _ = stopped => {}
            }
        };
        thread::Builder::new().name("http".to_owned()).spawn(move || runtime.block_on(serve))?;
        Ok(Server { address, _stop: stop })
    }

    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

fn probe_router(probes: Arc<dyn Probes>) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .fallback(|| async { page(StatusCode::NOT_FOUND, PLAIN, "not found\n".to_owned()) })
        .with_state(probes)
}

async fn metrics(State(probes): State<Arc<dyn Probes>>) -> Response {
    page(StatusCode::OK, TEXT_FORMAT, probes.metrics())
}

async fn livez(State(probes): State<Arc<dyn Probes>>) -> Response {
    probe(&probes.hung())
}

async fn readyz(State(probes): State<Arc<dyn Probes>>) -> Response {
    probe(&probes.not_ready())
}

/// 200 where there are no problems, else 503 with one problem per line.
fn probe(problems: &[String]) -> Response {
    if problems.is_empty() {
        return page(StatusCode::OK, PLAIN, "ok\n".to_owned());
    }
    page(StatusCode::SERVICE_UNAVAILABLE, PLAIN, problems.join("\n") + "\n")
}

/// A document as a page.
pub(super) fn json_page(status: StatusCode, body: &Json) -> Response {
    page(status, JSON, format!("{body:#}\n"))
}

/// One page per connection, so that idle connections do not use up the limit.
fn page(status: StatusCode, content_type: &'static str, body: String) -> Response {
    (status, [(CONTENT_TYPE, content_type), (CONNECTION, "close")], body).into_response()
}
