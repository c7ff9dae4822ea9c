#!/bin/sh
# Runs an upgrade from an older version to this one, and the way back, on a real Kafka while events go on: old, new (from the
# snapshots), new (from the whole changelog), old, new. Where the new version writes what the old one cannot read, the old one
# must refuse it and say so. The tag changes must be those of one version that is never stopped, byte for byte.
#
#   deploy/upgrade.sh GIT_REF          builds the older version, with a target folder of its own, in target/upgrade
#   OLD=/path/to/tagstream deploy/upgrade.sh        takes a build that is there; NEW=… likewise, in place of this version
set -eu
cd "$(dirname "$0")/.."
if [ -z "${OLD:-}" ]; then
    if [ $# -ne 1 ]; then
        echo "usage: deploy/upgrade.sh GIT_REF, or OLD=/path/to/tagstream deploy/upgrade.sh" >&2
        exit 2
    fi
    commit=$(git rev-parse --short=12 --verify "$1^{commit}")
    OLD="$PWD/target/upgrade/tagstream-$commit"
    if [ ! -x "$OLD" ]; then
        echo "upgrade: building $1 ($commit); a first build takes about six minutes on two cores" >&2
        sources="$PWD/target/upgrade/sources"
        rm -rf "$sources"
        mkdir -p "$sources"
        git archive "$commit" | tar -x -C "$sources"
        (cd "$sources" && CARGO_TARGET_DIR="$PWD/../build" cargo build --locked --bin tagstream)
        cp target/upgrade/build/debug/tagstream "$OLD"
    fi
fi
deploy/setup.sh
TAGSTREAM_OLD=$(realpath "$OLD")
export TAGSTREAM_OLD
if [ -n "${NEW:-}" ]; then
    TAGSTREAM_NEW=$(realpath "$NEW")
    export TAGSTREAM_NEW
fi
exec cargo test --locked --test broker upgrade -- --ignored --nocapture
