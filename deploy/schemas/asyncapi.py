"""Validates asyncapi.yaml against AsyncAPI's own JSON Schema: asyncapi.py SCHEMA. Needs jsonschema_rs and PyYAML."""

import json
import sys
from pathlib import Path

import jsonschema_rs
import yaml

document = yaml.safe_load((Path(__file__).resolve().parent / "asyncapi.yaml").read_text())
validator = jsonschema_rs.validator_for(json.loads(Path(sys.argv[1]).read_text()))
for error in validator.iter_errors(document):
    sys.exit(f"asyncapi.yaml: {error}")
document["operations"]["writeTags"]["action"] = "write"
assert not validator.is_valid(document), "the schema takes what is wrong"
print("asyncapi.yaml: fine")
