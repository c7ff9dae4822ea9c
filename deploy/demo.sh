#!/bin/sh
# Installs what the build needs, builds the binary and runs the demo: generated events, tag changes on the terminal.
# Arguments go to `tagstream demo`.
set -eu
cd "$(dirname "$0")/.."
deploy/setup.sh build
echo "demo: building tagstream; a first build takes about six minutes on two cores (most of it is librdkafka), later builds take seconds" >&2
cargo build --locked --bin tagstream
echo "demo: starting; Ctrl-C stops it" >&2
exec cargo run --locked --quiet --bin tagstream -- demo "$@"
