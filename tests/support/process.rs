//! Child processes: signals, and an end that comes with the tests'.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

pub fn signal(pid: u32, signal: i32) {
    // SAFETY: kill(2) has no memory effects; the pid is that of a child that was not waited for yet.
    unsafe { libc::kill(pid as libc::pid_t, signal) };
}

/// Has the kernel kill `command`'s process when the thread that starts it ends.
pub fn die_with_parent(command: &mut Command) {
    // SAFETY: prctl(2) is async-signal-safe and touches nothing of the parent.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        })
    };
}
