#!/bin/sh
# Installs what is missing and runs the demo: generated events, tag changes on the terminal. Arguments go to `tagstream demo`.
set -eu
cd "$(dirname "$0")/.."
deploy/setup.sh
exec cargo run --locked --quiet -- demo "$@"
