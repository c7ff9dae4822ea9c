//! Errors that say that the system gives the process no more of something, with what to do about it.

use std::fs::File;
use std::io;

const FILES: &str = "the process may not open more files and connections: raise its limit (ulimit -n; LimitNOFILE= of a \
                     systemd unit; nofile of a container)";

/// A connection needs about so many files. Without them a client may only seem to get no answer.
const FILES_OF_A_CONNECTION: usize = 4;

/// What to do, if the process may not open the files of another connection.
pub fn short_of_files() -> Option<&'static str> {
    let opened: io::Result<Vec<File>> = (0..FILES_OF_A_CONNECTION).map(|_| File::open("/proc/self/stat")).collect();
    system_limit(&opened.err()?.to_string())
}

/// What the system does not give, and what to do. `None`: the text does not say so.
pub fn system_limit(text: &str) -> Option<&'static str> {
    const LIMITS: [(&str, &str); 4] = [
        ("Too many open files", FILES),
        (
            "Cannot allocate memory",
            "the system gives the process no more memory: raise its limit (MemoryMax= of a systemd unit, limits.memory of \
             a container, ulimit -v), or lower service.workers",
        ),
        (
            "memory allocation of",
            "the system gives the process no more memory: raise its limit (MemoryMax= of a systemd unit, limits.memory of \
             a container, ulimit -v), or lower service.workers",
        ),
        // What a thread is refused with, also for want of memory for its stack.
        (
            "Resource temporarily unavailable",
            "the system gives the process no more threads, or no memory for one: raise its limits (ulimit -u and -v; \
             TasksMax= and MemoryMax= of a systemd unit; pids and memory of a container), or lower service.workers",
        ),
    ];
    LIMITS.iter().find(|(words, _)| text.contains(words)).map(|(_, advice)| *advice)
}

#[cfg(test)]
mod tests {
    use super::system_limit;

    #[test]
    fn the_systems_words_are_known() {
        for code in [libc::EMFILE, libc::ENOMEM, libc::EAGAIN] {
            let text = std::io::Error::from_raw_os_error(code).to_string();
            assert!(system_limit(&text).is_some(), "{text}");
        }
        assert_eq!(system_limit("index out of bounds: the len is 3"), None);
    }
}
