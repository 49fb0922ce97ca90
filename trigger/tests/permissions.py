"""Holds the template's permissions against everything that the function asked for while the whole suite ran.

permissions.py DIRECTORY: in each of its files there are operations, one a line, as the tests kept them.
"""

import json
import pathlib
import subprocess
import sys

here = pathlib.Path(__file__).parent
asked = json.dumps({"template": str(here.parent / "deploy" / "template.yaml")})
# As a text: beside that script there are others that are called as Python's own modules are.
script = (here / "it" / "template.py").read_text()
answer = subprocess.run([sys.executable, "-c", script], input=asked, text=True, check=True, stdout=subprocess.PIPE)
allowed = set(json.loads(answer.stdout)["actions"])
made = {line for file in pathlib.Path(sys.argv[1]).iterdir() for line in file.read_text().split()}
for action in sorted(made - allowed):
    print(f"the tests saw {action}, which no role allows", file=sys.stderr)
for action in sorted(allowed - made):
    print(f"a role allows {action}, which no test saw", file=sys.stderr)
if made != allowed:
    sys.exit(1)
print(f"{len(made)} operations, and the roles allow just these", file=sys.stderr)
