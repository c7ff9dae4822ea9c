//! A Chromium without a window, and the messages to and from it.
//!
//! They go through two pipes as JSON with a zero byte behind each (`--remote-debugging-pipe`), so that there is no port.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

/// On a busy machine a browser may be slow; it never takes as long as this.
pub const PATIENCE: Duration = Duration::from_secs(120);

const FLAGS: [&str; 15] = [
    "--headless=new",
    // As root there is no sandbox. It only ever shows pages of this test.
    "--no-sandbox",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];

/// A running browser. It ends when it is dropped.
pub struct Chromium {
    process: Child,
    to: ChildStdin,
    from: Receiver<Json>,
    events: VecDeque<Json>,
    last_id: u64,
    profile: PathBuf,
}

impl Chromium {
    pub fn start() -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("chromium-{}-{number}", std::process::id()));
        let mut process = Command::new("sh")
            // The browser reads from descriptor 3 and writes to 4.
            .args(["-c", r#"exec chromium "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#, "chromium"])
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let (to, out) = (process.stdin.take().expect("a pipe"), process.stdout.take().expect("a pipe"));
        let (sender, from) = channel();
        thread::spawn(move || {
            for message in BufReader::new(out).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { return };
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Chromium { process, to, from, events: VecDeque::new(), last_id: 0, profile };
        browser.call(None, "Browser.getVersion", json!({}));
        browser
    }

    /// Asks for something, and waits for the answer.
    pub fn call(&mut self, session: Option<&str>, method: &str, parameters: Json) -> Json {
        self.last_id += 1;
        let id = self.last_id;
        let mut message = json!({ "id": id, "method": method, "params": parameters });
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.to.write_all(&bytes).expect("chromium runs: deploy/setup.sh installs it");
        let until = Instant::now() + PATIENCE;
        loop {
            let message = self.receive(until).unwrap_or_else(|| panic!("no answer to {method}"));
            if message["id"] != id {
                self.events.push_back(message);
                continue;
            }
            assert!(message["error"].is_null(), "{method}: {}", message["error"]);
            return message["result"].clone();
        }
    }

    /// An event that has come, or comes before an instant.
    pub fn next_event(&mut self, until: Instant) -> Option<Json> {
        self.events.pop_front().or_else(|| self.receive(until))
    }

    fn receive(&mut self, until: Instant) -> Option<Json> {
        match self.from.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(message) => Some(message),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("chromium has ended: deploy/setup.sh installs it"),
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It ends with its children when it is asked to; what is gone already needs no end.
        let asked = self.to.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let until = Instant::now() + Duration::from_secs(10);
        while asked.is_ok() && Instant::now() < until && matches!(self.process.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}
