#!/bin/sh
# Builds the binary of the last commit twice, in two folders with different names, and compares the bytes.
#
#   deploy/image/reproducible.sh             in the profile `dev`; PROFILE=dist is what is deployed, and takes much longer
#
# What the bytes depend on besides the sources: the toolchain (rust-version and the C compiler), the profile, TAGSTREAM_COMMIT,
# and the variables below, which take the names of folders out. The Dockerfile has one folder name always.
set -eu
cd "$(dirname "$0")/../.."
profile="${PROFILE:-dev}"
commit=$(git rev-parse --short=12 HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Builds in a folder of this name, and puts the binary beside it.
build() {
    mkdir -p "$work/$1"
    git archive "$commit" | tar -x -C "$work/$1"
    cargo_home="${CARGO_HOME:-$HOME/.cargo}"
    (
        cd "$work/$1"
        export CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$work/$1/target"
        export RUSTFLAGS="--remap-path-prefix=$work/$1=/build --remap-path-prefix=$cargo_home=/cargo"
        export CFLAGS="-ffile-prefix-map=$work/$1=/build -ffile-prefix-map=$cargo_home=/cargo"
        export CXXFLAGS="$CFLAGS"
        SOURCE_DATE_EPOCH=$(git -C "$OLDPWD" log -1 --format=%ct "$commit")
        export SOURCE_DATE_EPOCH TAGSTREAM_COMMIT="$commit"
        cargo build --locked --quiet --profile "$profile" --bin tagstream
    )
    find "$work/$1/target" -maxdepth 2 -name tagstream -type f -exec cp {} "$work/$1.bin" \;
    rm -rf "${work:?}/$1"
}

for folder in one another-folder-with-a-longer-name; do
    echo "reproducible: building in $folder, in the profile $profile" >&2
    build "$folder"
done
sha256sum "$work"/*.bin
if cmp -s "$work/one.bin" "$work/another-folder-with-a-longer-name.bin"; then
    echo "reproducible: the same bytes twice"
else
    echo "reproducible: the binaries differ; texts that only one of them has:" >&2
    for binary in "$work"/*.bin; do strings -n 8 "$binary" | sort -u >"$binary.strings"; done
    diff "$work"/*.strings | head -40 >&2
    [ -z "${KEEP:-}" ] || cp "$work"/*.bin "$KEEP"
    exit 1
fi
