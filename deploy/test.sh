#!/bin/sh
# Installs what is missing and runs all tests, those with a real Kafka among them. Arguments go to `cargo test`.
set -eu
cd "$(dirname "$0")/.."
deploy/setup.sh
exec cargo test --locked "$@"
