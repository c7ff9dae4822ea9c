#!/bin/sh
# Installs what building and testing tagstream needs, where it is missing: Debian packages and, for the tests of models, the
# ONNX Runtime from PyPI. `deploy/setup.sh build` installs only what the build needs.
# Names each thing before it installs it, and prints nothing when everything is there. Without root or sudo it names the
# missing packages and exits with 1.
set -eu

for_build="build-essential pkg-config libssl-dev zlib1g-dev"
# Java and Maven start a real Kafka broker, openssl makes the certificates of a broker with TLS, and pip of Python brings the
# ONNX Runtime.
for_tests="openssl default-jre-headless maven python3 python3-venv"
case "${1:-all}" in
    build) wanted="$for_build" ;;
    all) wanted="$for_build $for_tests" ;;
    *)
        echo "usage: deploy/setup.sh [build]" >&2
        exit 2
        ;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup: this is not a Debian system; a build needs a C compiler, make, pkg-config, OpenSSL and zlib;" >&2
    echo "setup: the tests also need the openssl command, Java 17, Maven and Python 3" >&2
    exit 0
fi

missing=""
for package in $wanted; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing="$missing $package"
    fi
done
# Java, Maven and Python need not come from Debian packages.
command -v java >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ default-jre-headless//')
command -v mvn >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ maven//')
python3 -c "import ensurepip, venv" >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ python3-venv//; s/ python3//')

if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        as_root=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        as_root="sudo"
    elif command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then
        as_root="sudo"
    else
        echo "setup: these Debian packages are missing, and only root can install them:$missing" >&2
        echo "setup: run as root: apt-get install$missing" >&2
        exit 1
    fi
    echo "setup: installing Debian packages with apt-get:$missing" >&2
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
fi

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: cargo is missing: install Rust 1.92 or later" >&2
    exit 1
fi
if [ "${1:-all}" = build ]; then
    exit 0
fi

# The tests look for the runtime in this folder (tests/it/scoring/runtime.rs). They use only the package's library, so its
# dependencies are not installed.
version=1.31.1
runtime="${XDG_CACHE_HOME:-$HOME/.cache}/tagstream/onnxruntime-$version"
if [ ! -e "$runtime/ready" ]; then
    echo "setup: installing the ONNX Runtime $version with pip, for the tests of models, into $runtime" >&2
    rm -rf "$runtime"
    python3 -m venv "$runtime"
    "$runtime/bin/pip" install --quiet --disable-pip-version-check --no-deps "onnxruntime==$version" >&2
    ln -s "$(echo "$runtime"/lib/python3*/site-packages/onnxruntime)" "$runtime/onnxruntime"
    touch "$runtime/ready"
fi
