"""Holds the template against what CloudFormation takes, and gives the actions that its roles allow the function itself.

Takes one JSON object on standard input (where the template is) and gives one on standard output.
"""

import json
import sys

from cfnlint.api import lint_file
from cfnlint.decode import cfn_yaml
from pathlib import Path

# What Lambda's poller and the database's own door need: no call of the function's.
OF_OTHERS = {"sqs:DeleteMessage", "sqs:ReceiveMessage", "rds-db:connect"}

asked = json.load(sys.stdin)
found = [f"{match.rule.id} at line {match.linenumber}: {match.message}" for match in lint_file(Path(asked["template"]))]
text = Path(asked["template"]).read_text()
template = cfn_yaml.loads(text)


def documents():
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if "PolicyDocument" in properties:
            yield properties["PolicyDocument"]
        for policy in properties.get("Policies", []):
            yield policy["PolicyDocument"]


actions = set()
for document in documents():
    for statement in document["Statement"]:
        action = statement["Action"]
        actions |= {action} if isinstance(action, str) else set(action)
        if "*" in json.dumps([action, statement["Resource"]], default=str):
            found.append("a statement allows more than it names")
# CloudFormation itself refuses what YAML calls aliases.
found += [f"line {at}: an alias" for at, line in enumerate(text.splitlines(), 1) if ": *" in line or "- *" in line]
found += [f"nobody may {action}" for action in OF_OTHERS - actions]
json.dump({"found": found, "actions": sorted(actions - OF_OTHERS)}, sys.stdout)
