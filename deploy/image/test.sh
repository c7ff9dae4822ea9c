#!/bin/sh
# Builds the image with buildah, on a base that it makes itself with mmdebstrap, and runs it with a read-only root and without
# rights. Needs root and Debian's packages buildah and mmdebstrap, and Rust on this machine: its toolchain is lent to the base.
# Builds in the profile `dev`, which is quicker; PROFILE=dist builds what is deployed.
set -eu
cd "$(dirname "$0")/../.."
work="${XDG_CACHE_HOME:-$HOME/.cache}/tagstream/image"
mkdir -p "$work"
cat >"$work/storage.conf" <<CONF
[storage]
driver = "overlay"
graphroot = "$work/graph"
runroot = "$work/run"
CONF
export CONTAINERS_STORAGE_CONF="$work/storage.conf" BUILDAH_ISOLATION=chroot

if ! command -v buildah >/dev/null 2>&1 || ! command -v mmdebstrap >/dev/null 2>&1; then
    echo "image: installing Debian packages with apt-get: buildah mmdebstrap" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends buildah mmdebstrap crun uidmap >&2
fi

# The base stands in for the official image of Rust: Debian, with this machine's toolchain, without a network for cargo.
if ! buildah inspect --type image localhost/tagstream-base >/dev/null 2>&1; then
    mmdebstrap --quiet --variant=minbase \
        --include=build-essential,ca-certificates,libssl-dev,pkg-config,python3,zlib1g-dev bookworm "$work/base.tar"
    container=$(buildah from scratch)
    buildah add -q "$container" "$work/base.tar" / >/dev/null
    buildah config --env PATH=/usr/local/rust/bin:/usr/sbin:/usr/bin:/sbin:/bin --env CARGO_HOME=/usr/local/cargo \
        --env CARGO_NET_OFFLINE=true "$container"
    buildah commit -q --rm "$container" localhost/tagstream-base >/dev/null
    rm "$work/base.tar"
fi
cargo fetch --locked --quiet
commit=$(git rev-parse --short=12 HEAD)
buildah bud --layers -f deploy/image/Dockerfile -t localhost/tagstream \
    --build-arg BUILD_IMAGE=localhost/tagstream-base --build-arg PROFILE="${PROFILE:-dev}" --build-arg COMMIT="$commit" \
    -v "$(rustc --print sysroot)":/usr/local/rust:ro \
    -v "${CARGO_HOME:-$HOME/.cargo}/registry":/usr/local/cargo/registry .

container=$(buildah from localhost/tagstream)
root=$(buildah mount "$container")
trap 'buildah umount "$container" >/dev/null; buildah rm "$container" >/dev/null' EXIT
passed=0
check() {
    if ! eval "$2"; then
        echo "image: failed: $1" >&2
        exit 1
    fi
    passed=$((passed + 1))
}
check "there is no shell" '[ -z "$(find "$root" -name "*sh" -path "*bin/*")" ]'
check "there is one program" '[ "$(find "$root" -type f -perm -u+x -not -name "*.so*" | wc -l)" = 1 ]'
check "authorities are there" 'grep -q "BEGIN CERTIFICATE" "$root/etc/ssl/certs/ca-certificates.crt"'
check "the SBOM names librdkafka, OpenSSL and the C library" \
    'for name in rdkafka-sys libssl3 libc6; do grep -q "\"name\": \"$name\"" "$root/usr/share/tagstream/sbom.json" || exit 1; done'
check "every component of the SBOM has its licence text" \
    '[ "$(grep -c "\"bom-ref\"" "$root/usr/share/tagstream/sbom.json")" = "$(($(find "$root/usr/share/tagstream/licences" -type f | wc -l) + 1))" ]'
check "it is not root" '[ "$(buildah inspect --type image --format "{{.OCIv1.Config.User}}" localhost/tagstream)" = 65532:65532 ]'
check "the commit is a label" \
    'buildah inspect --type image --format "{{.OCIv1.Config.Labels}}" localhost/tagstream | grep -q "revision:$commit"'

# As a container would be: a read-only root, /tmp in memory, another user, no rights.
inside() {
    # shellcheck disable=SC2016
    unshare --mount --pid --fork -- sh -c '
        root=$1; shift
        mount --bind "$root" "$root" && mount -o remount,bind,ro "$root" && mount -t tmpfs -o mode=1777 none "$root/tmp"
        mkdir "$root/tmp/work" && cp deploy/examples/gym/catalog.yaml "$root/tmp/work" && chmod -R a+rX "$root/tmp/work"
        exec setpriv --no-new-privs chroot --userspec=65532:65532 "$root" /usr/bin/tagstream "$@"' inside "$root" "$@"
}
check "it says its version and commit" 'inside --version | grep -q "tagstream .* ($commit)"'
check "a catalog in another time zone is good, without zones on the disk" 'inside check /tmp/work/catalog.yaml >/dev/null'
check "the service runs, on its embedded broker" \
    'inside demo --members 50 --days 20 --speed max | grep -q "\"change\":\"added\""'
check "the read-only root is respected" '[ -z "$(find "$root/tmp" "$root/var/lib/tagstream" -type f)" ]'
size=$(du -sm "$root" | cut -f1)
echo "image: ${size} MB in the profile ${PROFILE:-dev}; the binary is $(du -m "$root/usr/bin/tagstream" | cut -f1) MB" >&2
echo "$passed passed, 0 failed"
