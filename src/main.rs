//! The program: hands the command line and the wall clock to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tagstream::cli::main(tagstream::service::wall_clock().now())
}
