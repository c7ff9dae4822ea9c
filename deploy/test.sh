#!/bin/sh
# Installs what the build and the tests need and runs all tests: first those that need no Kafka, then those that start a
# real Kafka broker. Arguments go to each `cargo test`.
set -eu
cd "$(dirname "$0")/.."
deploy/setup.sh
echo "test: building tagstream and its tests; a first build takes about six minutes on two cores (most of it is librdkafka), later builds take seconds" >&2
cargo test --locked --lib --test it "$@"
cargo test --locked --doc "$@"
echo "test: now the tests that start Apache Kafka brokers; the first run downloads Kafka with Maven" >&2
exec cargo test --locked --test broker "$@"
