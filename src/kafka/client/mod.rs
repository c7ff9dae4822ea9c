//! librdkafka behind the traits of [`broker`](crate::kafka::broker). No other room calls it, but for `admin`.
//!
//! | file | holds |
//! | --- | --- |
//! | [`errors`] | librdkafka's errors as three classes, and advice on the usual causes |
//! | [`acls`] | the rights that the service needs, and the command that grants a missing one |
//! | [`client_config`] | the properties of each client, and callbacks that only report |
//! | [`partition_list`] | librdkafka's lists of partitions |
//! | [`metadata`] | asks brokers about topics, groups and rights |
//! | [`observer`] | ends and committed offsets, read without joining the group |
//! | [`consumer`] | the member of the group |
//! | [`producer`] | the producers, with and without transactions |
//! | [`changelog_reader`] | changelogs and inputs, read from an offset on |
//! | [`clients`] | makes all of them for one worker |
//! | [`properties`] | which librdkafka properties a user may set |
//! | [`embedded_broker`] | a mock broker for the demo |

mod errors;
mod acls;
pub(crate) mod client_config;
mod partition_list;
mod metadata;
mod observer;
mod consumer;
mod producer;
mod changelog_reader;
mod clients;
mod properties;
mod embedded_broker;

pub(crate) use acls::{AclEntry, AclOperation, AclResource};
pub(crate) use client_config::ClientCallbacks;
pub use clients::RdkafkaClients;
pub use embedded_broker::{EmbeddedBroker, EmbeddedError, FETCH_WAIT, Feed, Tail};
pub(crate) use metadata::{Answer, MetadataClient, TopicDescription};
pub(crate) use partition_list::bounds;
pub use properties::check as check_properties;
