//! The program: hands the command line and the wall clock to the library.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use tagstream::model::Timestamp;

fn main() -> ExitCode {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    tagstream::cli::main(Timestamp::from_ms(since_epoch.as_millis() as i64))
}
