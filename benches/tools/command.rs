//! What a run of the binary takes: CPU time and memory as the kernel counts them, and the wall clock.

use std::process::{Command, Stdio};
use std::time::Instant;

#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// Of all threads, in the program and in the kernel for it.
    pub cpu_s: f64,
    pub wall_s: f64,
    /// The most that was resident.
    pub memory_bytes: f64,
}

impl Spent {
    /// More than anything takes.
    pub const MOST: Spent = Spent { cpu_s: f64::MAX, wall_s: f64::MAX, memory_bytes: f64::MAX };

    /// The least of each: what others do on the machine only adds.
    pub fn min(self, other: Spent) -> Spent {
        Spent {
            cpu_s: self.cpu_s.min(other.cpu_s),
            wall_s: self.wall_s.min(other.wall_s),
            memory_bytes: self.memory_bytes.min(other.memory_bytes),
        }
    }
}

/// Runs the binary to its end, its results thrown away.
#[expect(clippy::zombie_processes, reason = "it is waited for by a call that tells the usage too")]
pub fn spent(arguments: &[String]) -> Spent {
    let started = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_tagstream"))
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("tagstream starts");
    let mut status = 0;
    // SAFETY: zeros are a usage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointers are to values of ours, which outlive the call. Nobody else waits for this child.
    let waited = unsafe { libc::wait4(child.id() as libc::pid_t, &mut status, 0, &mut usage) };
    let wall_s = started.elapsed().as_secs_f64();
    assert!(waited > 0 && status == 0, "tagstream {} fails", arguments.join(" "));
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Spent {
        cpu_s: seconds(usage.ru_utime) + seconds(usage.ru_stime),
        wall_s,
        memory_bytes: usage.ru_maxrss as f64 * 1024.0,
    }
}
