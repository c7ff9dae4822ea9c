//! One partition in the hands of a worker, and the transaction that carries its output.
//!
//! | file | holds |
//! | --- | --- |
//! | [`offset_metadata`] | the text beside a committed offset |
//! | [`dead_letter`] | the headers of a dead letter; one that is too large is cut |
//! | [`output_buffer`] | what a partition sends in its next transaction |
//! | [`sealed_output`] | the same, complete, in a transaction |
//! | [`decoded_ahead`] | records decoded a few at a time |
//! | [`running_task`] | applies records to a partition's state |
//! | [`life_cycle`] | the states of a task, and why it may stop |
//! | [`transaction`] | a transactional producer, up to the certain end of each transaction |
//! | [`committer`] | its slow steps on a thread beside the worker |
//! | [`transaction_limit`] | how much goes into one transaction |
//! | [`record_writer`] | turns a buffer into Kafka records |

mod offset_metadata;
mod dead_letter;
mod output_buffer;
mod sealed_output;
mod decoded_ahead;
mod running_task;
mod life_cycle;
mod transaction;
mod committer;
mod transaction_limit;
mod record_writer;

pub(crate) use committer::{Committer, StepEnd};
pub(crate) use dead_letter::{LetterHeaders, LetterOrigin, SentLetter};
pub(crate) use decoded_ahead::DecodedAhead;
pub(crate) use life_cycle::{Disagreement, PartitionError, RestoringTask, Task, TopicUse};
pub(crate) use offset_metadata::OffsetMetadata;
pub(crate) use output_buffer::OutputBuffer;
pub(crate) use record_writer::RecordWriter;
pub(crate) use running_task::{Advanced, RunningTask, TakeOutcome, WorkerScratch};
pub(crate) use transaction::{Blocked, Readiness, TransactionNames, TransactionOutcome};
pub(crate) use transaction_limit::TransactionLimit;
