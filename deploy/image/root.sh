#!/bin/sh
# Makes the folder that becomes the image: root.sh BINARY METADATA FOLDER. METADATA is what `cargo metadata` prints.
# It holds the binary, the shared libraries that it loads, certificate authorities, the user, an SBOM and all licences.
set -eu
binary=$1 metadata=$2 root=$3
mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/tmp" "$root/var/lib/tagstream" "$root/usr/share/tagstream"
chmod 1777 "$root/tmp"
chown 65532:65532 "$root/var/lib/tagstream"

cp "$binary" "$root/usr/bin/tagstream"
strip --strip-debug "$root/usr/bin/tagstream"

libraries=$(ldd "$binary" | awk '$2 == "=>" { print $3 } $1 ~ /^\// { print $1 }')
for library in $libraries; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done

cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'tagstream:x:65532:65532::/var/lib/tagstream:/nonexistent' >"$root/etc/passwd"
echo 'tagstream:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"

# The Debian packages of the libraries; ca-certificates has only data.
packages=""
for library in $libraries; do
    for path in "$library" "$(readlink -f "$library")" "/usr$library"; do
        package=$(dpkg-query --search "$path" 2>/dev/null | head -1 | cut -d: -f1) || true
        if [ -n "$package" ]; then break; fi
    done
    [ -n "$package" ] || { echo "root.sh: no package has $library" >&2; exit 1; }
    packages="$packages $package"
done
# shellcheck disable=SC2086
dpkg-query --show --showformat '${binary:Package} ${Version}\n' $packages ca-certificates | sort -u >"$root/debian-packages"
python3 "$(dirname "$0")/sbom.py" "$metadata" "$root/debian-packages" "$root/usr/share/tagstream"
rm "$root/debian-packages"
