"""Validates records against the schemas: validate.py FILE. Needs jsonschema_rs and PyYAML.

FILE has an object a line: `schema`, the name of a schema beside this file, and `record`. A schema that takes a record also
without one of the members that it requires is a schema that cannot fail: that is an error, too. Every schema has to be met,
and asyncapi.yaml may refer only to files that exist. Prints how many records each schema has taken.
"""

import json
import sys
from collections import Counter
from pathlib import Path

import jsonschema_rs
import yaml

HERE = Path(__file__).resolve().parent


def references(value):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "$ref":
                yield inner
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def main():
    texts = {path.name.removesuffix(".schema.json"): json.loads(path.read_text()) for path in HERE.glob("*.schema.json")}
    for text in texts.values():
        jsonschema_rs.meta.validate(text)
    validators = {name: jsonschema_rs.validator_for(text, validate_formats=True) for name, text in texts.items()}
    taken = Counter()
    for line in Path(sys.argv[1]).read_text().splitlines():
        entry = json.loads(line)
        name, record = entry["schema"], entry["record"]
        for error in validators[name].iter_errors(record):
            sys.exit(f"{name}: {error}: {line}")
        for member in texts[name]["required"]:
            without = {key: value for key, value in record.items() if key != member}
            assert not validators[name].is_valid(without), f"{name} takes a record without {member}"
        taken[name] += 1
    missing = set(texts) - set(taken)
    assert not missing, f"no record of {sorted(missing)}"
    asyncapi = yaml.safe_load((HERE / "asyncapi.yaml").read_text())
    for reference in references(asyncapi):
        if reference.startswith("./"):
            assert (HERE / reference).exists(), f"asyncapi.yaml: {reference} does not exist"
        else:
            part = asyncapi
            for step in reference.removeprefix("#/").split("/"):
                part = part[step]
    print(json.dumps(taken))


main()
