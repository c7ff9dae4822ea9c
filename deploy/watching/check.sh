#!/bin/sh
# Checks the alerts and has them fire and not fire, and checks that Prometheus can read every query of the dashboard.
# Needs promtool (Debian's package prometheus) and Python 3.
set -eu
cd "$(dirname "$0")"
promtool check rules alerts.yaml
promtool test rules alerts.test.yaml
queries=$(mktemp)
trap 'rm -f "$queries"' EXIT
python3 - >"$queries" <<'PYTHON'
import json

variables = {"$__rate_interval": "1m", "$__interval": "1m", "$job": ".*", "$serve": ".*", "$push": ".*"}
dashboard = json.load(open("dashboard.json"))
queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
queries += [annotation["expr"] for annotation in dashboard["annotations"]["list"]]
for name, value in variables.items():
    queries = [query.replace(name, value) for query in queries]
# A rule that records a query is refused where the query is wrong. JSON is YAML, too.
rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries)]
print(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
PYTHON
promtool check rules "$queries"
