//! What may go wrong in a history, and how often.

/// Rates, each in a thousand.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// From now on nothing goes wrong any more.
    pub over: bool,
    /// A request that never arrives, and is sent again.
    pub lost_requests: u32,
    /// An answer that never arrives: what it answers has happened.
    pub lost_answers: u32,
    /// An end of a transaction that arrives long after it was sent again.
    pub late_ends: u32,
    /// An end of a transaction that the client takes for failed for good, whatever became of it.
    pub fatal_ends: u32,
    /// A step that the coordinator asks to repeat.
    pub busy: u32,
    /// A step that takes long.
    pub slow: u32,
    /// Marks that are written late.
    pub slow_marks: u32,
    /// A leader that does not have enough replicas.
    pub refusals: u32,
    /// A record that the client gives up.
    pub expired_records: u32,
    pub full_queues: u32,
    /// An answer about offsets or ends that does not come.
    pub failed_lookups: u32,
    /// A thread that the system does not give.
    pub lost_threads: u32,
    /// Kills, stops and cuts, in a process's whole life.
    pub strokes: u32,
}

impl Faults {
    pub fn draw(dice: &mut fastrand::Rng) -> Faults {
        // Each kind of fault is off in many histories: those that are on are seen without the noise of the others.
        let mut rate = |most: u32| if dice.u32(..5) < 2 { 0 } else { dice.u32(1..=most) };
        Faults {
            over: false,
            lost_requests: rate(60),
            lost_answers: rate(60),
            late_ends: rate(200),
            fatal_ends: rate(100),
            busy: rate(100),
            slow: rate(60),
            slow_marks: rate(200),
            refusals: rate(100),
            expired_records: rate(20),
            full_queues: rate(30),
            failed_lookups: rate(100),
            lost_threads: rate(20),
            strokes: rate(3),
        }
    }
}
