#!/usr/bin/env bash
# Scrapy 2.19.0: to switch an extension off with None is to import it.
#
# The documentation says to disable an extension by giving it the value None. It is then left out
# of the list of extensions, but its module has been imported on the way, and all that this module
# imports: Scrapy loads the classes that a project names, to find those of the base list again.
# Shown with the remote control, which is on by default: as long as it is not named, the list is
# made without importing its module; with the value None it is not in the list, and imported.
# A crawler that wants to start quickly has to replace EXTENSIONS_BASE instead.
#
# Expected output:
#   not named: listed True, imported False
#   None: listed False, imported True
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check scrapy==2.19.0
cat > "$folder/probe.py" <<'PY'
import sys

from scrapy.settings import Settings

MODULE = "scrapy.extensions.remote_control"
named = {"EXTENSIONS": {f"{MODULE}.RemoteControl": None}} if sys.argv[1] == "None" else {}
extensions = Settings(named).get_component_priority_dict_with_base("EXTENSIONS")
listed = any("RemoteControl" in str(extension) for extension in extensions)
print(f"{sys.argv[1]}: listed {listed}, imported {MODULE in sys.modules}")
PY
seen=$("$folder/venv/bin/python" "$folder/probe.py" "not named"
       "$folder/venv/bin/python" "$folder/probe.py" "None")
echo "$seen"
[ "$seen" = "not named: listed True, imported False
None: listed False, imported True" ]
