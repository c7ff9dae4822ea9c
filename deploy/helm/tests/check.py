"""Renders the chart with each case, and checks what comes out.

Usage: check.py HELM DEFINITIONS STRIMZI [--write]. DEFINITIONS is a folder with the CustomResourceDefinitions of Prometheus
Operator and KEDA, STRIMZI one with the jars of Strimzi's API. --write writes the expected output anew.

- cases/*.yaml are values; golden/*.yaml is what the chart makes of them;
- bad/*.yaml are values that are refused, with a part of the message in the first line;
- every resource of Kubernetes itself is validated against the schemas of Kubernetes, those of Prometheus Operator and KEDA
  against their definitions, and those of Strimzi are read by Strimzi's own classes;
- the values in deploy.md are one more case, with the arguments that deploy.md gives to helm;
- what the chart promises holds in every case: see promises().
"""

import copy
import json
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

HERE = Path(__file__).resolve().parent
CHART = HERE.parent / "tagstream"
OPERATIONS = HERE.parents[1] / "docs" / "operations.md"
PUSH = HERE.parents[1] / "docs" / "push.md"
DOCUMENT = HERE.parents[1] / "docs" / "deploy.md"
KUBERNETES = "1.37.0"
# The chart sets these itself.
OWN = {"catalog", "service.instance", "http.listen", "state.directory"}
OF_PUSH = {"url", "secret", "credentials", "ca", "listen"}
OF_SERVE = {"listen", "directory", "tokens", "certificate", "key", "service"}
# The longest time that a stop takes.
STOP_SECONDS = 20


def helm(helm, command, values, arguments=()):
    return subprocess.run(
        [helm, *command, str(CHART), "--kube-version", KUBERNETES, "--values", str(values), *arguments],
        capture_output=True, text=True, cwd=values.parent,
    )


def render(program, values, arguments):
    result = helm(program, ["template", "shop", "--namespace", "growth"], values, arguments)
    assert result.returncode == 0, f"{values.name}: {result.stderr}"
    return result.stdout


def pods(resources):
    for resource in resources:
        if resource["kind"] == "Pod":
            yield resource, resource["spec"]
        elif "template" in resource.get("spec", {}):
            yield resource, resource["spec"]["template"]["spec"]


def promises(resources):
    """What holds whatever the values are."""
    names = [(resource["kind"], resource["metadata"]["name"]) for resource in resources]
    assert len(names) == len(set(names)), "two resources have one name"
    for resource, spec in pods(resources):
        where = f"{resource['kind']} {resource['metadata']['name']}"
        assert spec["securityContext"]["runAsNonRoot"] and not spec["automountServiceAccountToken"], where
        volumes = {volume["name"] for volume in spec["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in resource["spec"].get("volumeClaimTemplates", [])}
        for container in spec["containers"] + spec.get("initContainers", []):
            assert container["securityContext"]["readOnlyRootFilesystem"], where
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, where
            mounts = container["volumeMounts"]
            assert {mount["name"] for mount in mounts} <= volumes, f"{where}: a mount without a volume"
            assert not any("subPath" in mount for mount in mounts), f"{where}: a changed ConfigMap would not be seen"
            variables = [variable["name"] for variable in container.get("env", [])]
            assert len(variables) == len(set(variables)), f"{where}: a variable is there twice"
            for variable in container.get("env", []):
                secret = re.search(r"PASSWORD|SECRET", variable["name"])
                file = variable.get("value", "")
                assert not secret or file.startswith("/run/secrets/"), f"{where}: a secret as a value"
                if file.startswith(("/run/", "/etc/", "/var/")):
                    assert any(file.startswith(mount["mountPath"]) for mount in mounts), f"{where}: {file} is not mounted"
        if resource["kind"] == "StatefulSet":
            assert spec["terminationGracePeriodSeconds"] > STOP_SECONDS, where
            (container,) = spec["containers"]
            instance = next(variable for variable in container["env"] if variable["name"] == "TAGSTREAM__SERVICE__INSTANCE")
            assert instance["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name", where
            assert container["livenessProbe"]["httpGet"]["path"] == "/livez", where
            assert container["readinessProbe"]["httpGet"]["path"] == "/readyz", where
            assert ("replicas" in resource["spec"]) != any(kind == "ScaledObject" for kind, _ in names), where
    for resource in resources:
        if resource["kind"] == "ConfigMap" and "tagstream.json" in resource["data"]:
            dashboard = (HERE.parents[1] / "watching" / "dashboard.json").read_text()
            assert resource["data"]["tagstream.json"] == dashboard, "the dashboard is another one"
    # Every selector of a service, a policy or a budget selects a pod of this release.
    labels = [resource["spec"]["template"]["metadata"]["labels"] for resource, _ in pods(resources) if "template" in resource["spec"]]
    for resource in resources:
        selector = resource.get("spec", {}).get("selector")
        if resource["kind"] in ("Service", "PodDisruptionBudget"):
            wanted = selector.get("matchLabels", selector)
            assert any(wanted.items() <= label.items() for label in labels), f"{resource['metadata']['name']} selects nothing"


def settings_of(schema):
    sections = schema["properties"]["settings"]["properties"]
    keys = {f"{section}.{key}" for section, body in sections.items() for key in body["properties"]}
    serve = schema["properties"]["serve"]["properties"]["settings"]["properties"]
    push = schema["properties"]["push"]["properties"]["settings"]["properties"]
    keys |= {f"serve.{key}" for key in serve} | {f"push.{key}" for key in push}
    return keys | {f"serve.{key}" for key in OF_SERVE} | {f"push.{key}" for key in OF_PUSH} | OWN


def documented():
    text = OPERATIONS.read_text() + PUSH.read_text()
    cells = re.findall(r"^\| (`[a-z_.]+`(?:, `[a-z_.]+`)*) \| .* \| .* \|$", text, re.MULTILINE)
    sections = ("kafka.", "input.", "schema_registry.", "output.", "service.", "state.", "scoring.", "http.", "serve.", "push.")
    keys = {key for cell in cells for key in re.findall(r"`([a-z_.]+)`", cell)}
    return {key for key in keys if key == "catalog" or key.startswith(sections)}


def strict(schema):
    """A definition's schema as JSON Schema, which refuses what the API server would drop without a word."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {name: strict(each) for name, each in schema.items() if name not in ("properties", "default", "example")}
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {name: strict(each) for name, each in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made.setdefault("additionalProperties", False)
    if schema.get("nullable") and "type" in made:
        made["type"] = [made["type"], "null"]
    return made


def definitions(folder):
    """By apiVersion and kind: what validates such a resource."""
    found = {}
    for path in sorted(Path(folder).glob("*.yaml")):
        spec = yaml.safe_load(path.read_text())["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            # What all resources have is described where Kubernetes describes it.
            schema["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = jsonschema.Draft202012Validator(schema)
    return found


def validate(resource, others, strimzi):
    """Validates a resource; one of Strimzi is put to the others that are read together."""
    version, kind = resource["apiVersion"], resource["kind"]
    group = version.split("/")[0]
    if group == "kafka.strimzi.io":
        strimzi.append(resource)
    elif "." not in group or group.endswith(".k8s.io"):
        kubernetes_validate.validate(resource, KUBERNETES, strict=True)
    else:
        assert (version, kind) in others, f"there is no definition of {kind}, {version}"
        others[version, kind].validate(resource)


def read_by_strimzi(jars, resources):
    """Whether Strimzi's classes read them. Returns what they say."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, resource in enumerate(resources):
            paths.append(Path(folder) / f"{number}.json")
            paths[-1].write_text(json.dumps(resource))
        command = ["java", "-cp", f"{jars}/*", str(HERE / "strimzi" / "ReadsAll.java"), *map(str, paths)]
        result = subprocess.run(command, capture_output=True, text=True)
    return result.returncode == 0, result.stderr


def check_validation(others, jars, resources):
    """The validation itself: one wrong member in each of these resources is noticed."""
    for resource in resources:
        wrong = copy.deepcopy(resource)
        wrong["spec"]["misspelt"] = 1
        if wrong["apiVersion"].startswith("kafka.strimzi.io/"):
            good, words = read_by_strimzi(jars, [wrong])
            assert not good and "misspelt" in words, words
            continue
        try:
            validate(wrong, others, [])
        except jsonschema.ValidationError:
            continue
        raise AssertionError(f"a wrong {wrong['kind']} is not noticed")


def from_the_document(folder):
    """The values that deploy.md shows, as a file, and the arguments that it gives to helm."""
    text = DOCUMENT.read_text()
    blocks = re.findall(r"```yaml\n(.*?) *```", text, re.DOTALL)
    (block,) = [block for block in blocks if "# values.yaml" in block]
    path = Path(folder) / "deploy-md.yaml"
    path.write_text(textwrap.dedent(block))
    (path.parent / "catalog.yaml").write_text("version: 1")
    (command,) = re.findall(r"^ *\$ helm (.* upgrade .*)$", text, re.MULTILINE)
    words = shlex.split(command)
    assert words[:6] == ["-n", "growth", "upgrade", "--install", "tagstream", "deploy/helm/tagstream"], words
    assert words[6:8] == ["-f", "values.yaml"] and words[-1] == "--wait", words
    return path, words[8:-1]


def main():
    (program, folder_of_definitions, jars), write = sys.argv[1:4], "--write" in sys.argv
    others, strimzi, kinds = definitions(folder_of_definitions), [], {}
    count = 0
    schema = json.loads((CHART / "values.schema.json").read_text())
    differ = settings_of(schema) ^ documented()
    assert not differ, f"settings of the chart and of operations.md differ: {sorted(differ)}"
    folder = tempfile.TemporaryDirectory()
    cases = [(path, []) for path in sorted((HERE / "cases").glob("*.yaml"))] + [from_the_document(folder.name)]
    for values, arguments in cases:
        lint = helm(program, ["lint", "--strict"], values, arguments)
        assert lint.returncode == 0, f"{values.name}: {lint.stdout}{lint.stderr}"
        text = render(program, values, arguments)
        resources = [resource for resource in yaml.safe_load_all(text) if resource]
        assert len(resources) >= 4, values.name
        for resource in resources:
            validate(resource, others, strimzi)
            if "." in resource["apiVersion"].split("/")[0] and ".k8s.io" not in resource["apiVersion"]:
                kinds[resource["kind"]] = resource
        promises(resources)
        # The dashboard is in its own file already.
        text = re.sub(r"^  tagstream\.json: .*$", "  tagstream.json: (deploy/watching/dashboard.json)", text, flags=re.MULTILINE)
        golden = HERE / "golden" / values.name
        if write:
            golden.write_text(text)
        assert golden.exists() and golden.read_text() == text, f"{golden} differs: look at it, then run with --write"
        print(f"{values.name}: {len(resources)} resources")
        count += 1
    good, words = read_by_strimzi(jars, strimzi)
    assert good, words
    assert len(kinds) >= 5, sorted(kinds)
    check_validation(others, jars, kinds.values())
    print(f"resources with definitions of their own: {', '.join(sorted(kinds))}")
    for values in sorted((HERE / "bad").glob("*.yaml")):
        expected = values.read_text().splitlines()[0].removeprefix("# expect: ")
        result = helm(program, ["template", "shop"], values)
        assert result.returncode != 0, f"{values.name} is not refused"
        assert expected in result.stderr, f"{values.name}: expected {expected!r}, got {result.stderr}"
        print(f"{values.name}: refused")
        count += 1
    print(f"{count} passed, 0 failed")


main()
