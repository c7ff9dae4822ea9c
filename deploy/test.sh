#!/bin/sh
# Installs what the build and the tests need, builds everything and runs all tests, including those with a real Kafka broker.
# Arguments go to `cargo test`.
set -eu
cd "$(dirname "$0")/.."
deploy/setup.sh
echo "test: building tagstream and its tests; a first build takes about six minutes on two cores (most of it is librdkafka), later builds take seconds" >&2
echo "test: the tests start Apache Kafka brokers themselves; the first run downloads Kafka with Maven" >&2
exec cargo test --locked "$@"
