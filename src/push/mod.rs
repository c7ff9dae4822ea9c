//! `tagstream push`: tag changes, posted to a webhook, for those without a client of Kafka.
//!
//! A process is a member of a consumer group and reads the committed tag changes. For each partition that the group gives
//! it, one thread posts batches of changes, one request at a time: what stands in a partition, such as all changes of one
//! entity, arrives in its order. A batch that is not taken is sent again, with growing pauses; what the receiver refuses goes
//! to a topic of dead letters. The offset behind a batch is committed after its answer, so each change arrives at least once,
//! with an id by which a receiver finds repeats.
//!
//! ```text
//!  Kafka ──▶ Pusher (one thread: the group, the offsets) ──batch──▶ Lane (a thread a partition) ──▶ Courier ──▶ Webhook
//!                 ▲                                                   │ done: the next offset         │ dead letters
//!                 └───────────────────────────────────────────────────┘                               ▼ Kafka
//! ```
//!
//! | file | holds | does not know |
//! | --- | --- | --- |
//! | [`signature`] | secrets, and signatures as Standard Webhooks writes them | requests |
//! | [`request`] | a batch of changes as the body of a request | addresses, secrets |
//! | [`answer`] | what the receiver's answer means | who asks |
//! | [`webhook`] | posts one request | when to repeat it |
//! | [`backoff`] | the pauses between two requests | time |
//! | [`monitor`] | how each partition stands: metrics and probes | Kafka |
//! | [`courier`] | one batch until it is done: repeats, halves, dead letters | offsets |
//! | [`lane`] | a partition: what waits, its thread, its offsets | the group |
//! | [`pusher`] | the loop: records in, rebalances, commits | HTTP |
//! | [`process`] | the process: signals, the pages, the end | batches |
//!
//! The part imports `registry` for its client of HTTP alone.

mod signature;
mod request;
mod answer;
mod webhook;
mod backoff;
mod monitor;
mod courier;
mod lane;
mod pusher;
mod process;

pub use answer::{Answer, answer_of};
pub use backoff::Backoff;
pub use courier::{Courier, Delivered, LaneStop, LetterReason, WriteLetter};
pub use monitor::PushMonitor;
pub use process::{PushContext, PushError, run};
pub use request::{PushRequest, RequestForm};
pub use signature::{SecretError, SigningSecrets, sign};
pub use webhook::{Webhook, WebhookError};
