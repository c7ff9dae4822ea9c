#!/bin/sh
# Installs the Debian packages that building and testing tagstream needs, where they are missing.
# Quick when all are there. Without root or sudo it says which ones are missing, and ends with 1.
set -eu

# Building: a C compiler and make for librdkafka, OpenSSL and zlib. Testing: Java and Maven for a real Kafka broker, and
# openssl for the certificates of one that is guarded.
wanted="build-essential pkg-config libssl-dev zlib1g-dev openssl default-jre-headless maven"

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "setup: this is no Debian; see to a C compiler, make, pkg-config, OpenSSL (and its command), zlib, Java 17 and Maven" >&2
    exit 0
fi

missing=""
for package in $wanted; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing="$missing $package"
    fi
done
# A Java and a Maven that did not come as packages will do.
command -v java >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ default-jre-headless//')
command -v mvn >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ maven//')

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
    echo "setup: cargo is missing: install Rust 1.90 or later" >&2
    exit 1
fi
