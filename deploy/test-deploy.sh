#!/bin/sh
# Tests what deploys tagstream: the Helm chart, the alerts, the Compose file, the image. It installs what it needs: Helm with
# Go, a schema validator with pip; the first run takes some minutes on two cores. Arguments: the parts to test; default all.
set -eu
cd "$(dirname "$0")/.."
cache="${XDG_CACHE_HOME:-$HOME/.cache}/tagstream"
mkdir -p "$cache"
parts="${*:-chart alerts}"

# Builds a program from a Go module: its name, its package, its version.
go_program() {
    if [ ! -x "$cache/go-$3/$1" ]; then
        echo "test-deploy: building $1 $3 with Go" >&2
        GOBIN="$cache/go-$3" go install "$2@$3"
    fi
}

test_chart() {
    go_program helm helm.sh/helm/v3/cmd/helm v3.22.0
    if [ ! -e "$cache/kubernetes-validate-1.37.0/ready" ]; then
        python3 -m venv "$cache/kubernetes-validate-1.37.0"
        "$cache/kubernetes-validate-1.37.0/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
        touch "$cache/kubernetes-validate-1.37.0/ready"
    fi
    "$cache/kubernetes-validate-1.37.0/bin/python" deploy/helm/tests/check.py "$cache/go-v3.22.0/helm"
}

test_alerts() {
    command -v promtool >/dev/null 2>&1 || deploy/setup.sh
    deploy/watching/check.sh
}

for part in $parts; do
    echo "== $part" >&2
    "test_$part"
done
