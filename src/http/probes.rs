//! What a process answers to `/metrics`, `/livez` and `/readyz`.

/// What a process says of itself; the server asks it once a request.
pub trait Probes: Send + Sync + 'static {
    /// The metrics in Prometheus' text format.
    fn metrics(&self) -> String;
    /// What hangs, one line each.
    fn hung(&self) -> Vec<String>;
    /// What the process still waits for before it is ready, one line each.
    fn not_ready(&self) -> Vec<String>;
}
