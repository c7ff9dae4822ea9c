//! Why a worker replaces its producer, as a metric's label and in words.

use std::fmt;

/// Why a producer is replaced by a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProducerReset {
    NoStatistics,
    SlowCommit,
    Repeated,
    InDoubt,
    Aborts,
    ClockStep,
}

impl ProducerReset {
    pub const ALL: [ProducerReset; 6] = [
        ProducerReset::NoStatistics,
        ProducerReset::SlowCommit,
        ProducerReset::Repeated,
        ProducerReset::InDoubt,
        ProducerReset::Aborts,
        ProducerReset::ClockStep,
    ];

    /// The label of the metric.
    pub fn code(self) -> &'static str {
        match self {
            ProducerReset::NoStatistics => "no_statistics",
            ProducerReset::SlowCommit => "slow_commit",
            ProducerReset::Repeated => "repeated_requests",
            ProducerReset::InDoubt => "doubt",
            ProducerReset::Aborts => "aborts",
            ProducerReset::ClockStep => "clock_step",
        }
    }
}

impl fmt::Display for ProducerReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProducerReset::NoStatistics => "its statistics do not come",
            ProducerReset::SlowCommit => "the last commit took long and may have been sent twice",
            ProducerReset::Repeated => "requests were repeated or a connection broke during the last commit",
            ProducerReset::InDoubt => "it is not known whether the last transaction was committed",
            ProducerReset::Aborts => "several transactions in a row were aborted",
            ProducerReset::ClockStep => "the wall clock has stepped back, and its threads may wait for the time before",
        })
    }
}
