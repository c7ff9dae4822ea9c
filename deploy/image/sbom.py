"""Writes what is in the image: sbom.py METADATA DEBIAN FOLDER.

METADATA is what `cargo metadata` prints, DEBIAN a file with `package version` a line. FOLDER gets

- sbom.json: CycloneDX 1.5, with the crates that are linked into the binary and the Debian packages of its libraries;
- licences/: the licence texts of all of them, one file each.
"""

import json
import shutil
import sys
from pathlib import Path


def linked(metadata):
    """The crates that the binary is made of: what tagstream needs, without build scripts and macros."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    found, waiting = set(), [root]
    while waiting:
        crate = waiting.pop()
        if crate in found:
            continue
        found.add(crate)
        for dependency in nodes[crate]["deps"]:
            is_normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            is_macro = any("proc-macro" in target["kind"] for target in packages[dependency["pkg"]]["targets"])
            if is_normal and not is_macro:
                waiting.append(dependency["pkg"])
    found.remove(root)
    return packages[root], sorted((packages[crate] for crate in found), key=lambda crate: (crate["name"], crate["version"]))


def texts(crate):
    """Its own, and those of a C library in a folder of it, such as librdkafka's."""
    folder = Path(crate["manifest_path"]).parent
    names = ("LICEN", "COPYING", "NOTICE", "UNLICENSE")
    files = [path for pattern in ("*", "*/*") for path in folder.glob(pattern)]
    return sorted(path for path in files if path.is_file() and path.name.upper().startswith(names))


def main():
    metadata, debian, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), Path(sys.argv[3])
    licences = folder / "licences"
    licences.mkdir(parents=True, exist_ok=True)
    root, crates = linked(metadata)
    components = []
    for crate in crates:
        name, version = crate["name"], crate["version"]
        purl = f"pkg:cargo/{name}@{version}"
        expression = (crate["license"] or "NOASSERTION").replace("/", " OR ")
        components.append({
            "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            "licenses": [{"expression": expression}],
        })
        parts = [path.read_text(errors="replace") for path in texts(crate)]
        (licences / f"{name}-{version}").write_text("\n\n".join([expression, *parts]))
    for line in debian.read_text().splitlines():
        name, version = line.split()
        name = name.split(":")[0]
        purl = f"pkg:deb/debian/{name}@{version}"
        components.append({"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl})
        shutil.copyfile(f"/usr/share/doc/{name}/copyright", licences / f"debian-{name}")
    own = f"pkg:cargo/{root['name']}@{root['version']}"
    bom = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {
            "type": "application", "bom-ref": own, "name": root["name"], "version": root["version"], "purl": own,
            "licenses": [{"expression": root["license"]}],
        }},
        "components": components,
    }
    (folder / "sbom.json").write_text(json.dumps(bom, indent=1) + "\n")
    print(f"sbom: {len(components)} components", file=sys.stderr)


main()
