#!/bin/sh
# Installs what building and testing tagstream needs, where it is missing: Debian packages, and for the tests of models
# the ONNX Runtime from PyPI.
# Quick when all are there. Without root or sudo it says which ones are missing, and ends with 1.
set -eu

# Building: a C compiler and make for librdkafka, OpenSSL and zlib. Testing: Java and Maven for a real Kafka broker, and
# openssl for the certificates of one that is guarded; Python for the ONNX Runtime, whose library comes as a package.
wanted="build-essential pkg-config libssl-dev zlib1g-dev openssl default-jre-headless maven python3 python3-venv"

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup: this is no Debian; see to a C compiler, make, pkg-config, OpenSSL (and its command), zlib, Java 17, Maven and Python 3" >&2
    exit 0
fi

missing=""
for package in $wanted; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing="$missing $package"
    fi
done
# A Java, a Maven and a Python that did not come as packages will do.
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
        echo "setup: these packages are missing, and only root may install them:$missing" >&2
        echo "setup: apt-get install$missing" >&2
        exit 1
    fi
    echo "setup: installing$missing" >&2
    $as_root apt-get update -qq
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >&2
fi

if ! command -v cargo >/dev/null 2>&1; then
    echo "setup: cargo is missing: install Rust 1.92 or later" >&2
    exit 1
fi

# The tests look for it there (tests/it/scoring/runtime.rs). Nothing of the package but its library is used, so what it
# depends on is left out.
version=1.31.1
runtime="${XDG_CACHE_HOME:-$HOME/.cache}/tagstream/onnxruntime-$version"
if [ ! -e "$runtime/ready" ]; then
    echo "setup: installing onnxruntime $version" >&2
    rm -rf "$runtime"
    python3 -m venv "$runtime"
    "$runtime/bin/pip" install --quiet --disable-pip-version-check --no-deps "onnxruntime==$version" >&2
    ln -s "$(echo "$runtime"/lib/python3*/site-packages/onnxruntime)" "$runtime/onnxruntime"
    touch "$runtime/ready"
fi
