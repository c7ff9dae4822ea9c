#!/bin/sh
# Builds tagstream with a profile of your own events (profile-guided optimisation): the compiler learns from a replay of them which
# branches are taken. The program computes the same; benches/README.md has what it saves.
#
#   deploy/profiled-build.sh CATALOG EVENTS...      EVENTS: NDJSON files, plain, gzip or zstd; a million events are enough
#
# It builds everything twice, in target/profiled, and leaves the program in target/profiled/tagstream.
set -eu
if [ $# -lt 2 ]; then
    echo "usage: deploy/profiled-build.sh CATALOG EVENTS..." >&2
    exit 2
fi
catalog=$(realpath "$1")
shift
count=$#
while [ "$count" -gt 0 ]; do
    set -- "$@" --input "$(realpath "$1")"
    shift
    count=$((count - 1))
done
cd "$(dirname "$0")/.."
folder="$PWD/target/profiled"
host=$(rustc -vV | sed -n 's/^host: //p')
if ! rustup component add llvm-tools; then
    echo "profiled-build: the profile cannot be read without llvm-tools, a component of the Rust toolchain: install rustup" >&2
    exit 1
fi
profdata=$(find "$(rustc --print sysroot)/lib/rustlib/$host/bin" -name 'llvm-profdata*')

# A build with these flags: its folder, its flags. Flags with a target leave build scripts as they are.
build() {
    CARGO_TARGET_DIR="$folder/$1" RUSTFLAGS="$2" cargo build --locked --release --bin tagstream --target "$host"
}

mkdir -p "$folder"
rm -rf "$folder/raw"
build learn "-Cprofile-generate=$folder/raw"
"$folder/learn/$host/release/tagstream" replay "$catalog" "$@" --output "$folder/changes-learn.ndjson"
"$profdata" merge -o "$folder/profile" "$folder/raw"
build use "-Cprofile-use=$folder/profile"
"$folder/use/$host/release/tagstream" replay "$catalog" "$@" --output "$folder/changes-use.ndjson"
# Two builds of one program: the same changes.
cmp "$folder/changes-learn.ndjson" "$folder/changes-use.ndjson"
rm -rf "$folder/raw" "$folder"/changes-*.ndjson
cp "$folder/use/$host/release/tagstream" "$folder/tagstream"
echo "the program is $folder/tagstream" >&2
