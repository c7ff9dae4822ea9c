#!/bin/sh
# Installs what is missing and runs all tests: first those that need no Kafka, then those that start one. Arguments go
# to `cargo test`.
set -eu
cd "$(dirname "$0")/.."
deploy/setup.sh
cargo test --locked --lib --test it "$@"
exec cargo test --locked --test broker "$@"
