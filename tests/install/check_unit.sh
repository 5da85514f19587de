#!/usr/bin/env bash
# check_unit.sh UNIT SERVER: systemd accepts the unit (with the program as it was built), and finds it well confined.
set -euo pipefail
command -v systemd-analyze >/dev/null || { echo "systemd-analyze is missing"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
unit=$folder/nta-server.service
sed "s#^ExecStart=[^ ]*#ExecStart=$2#" "$1" >"$unit"
complaints=$(systemd-analyze verify --man=no "$unit" 2>&1 | grep -F nta-server.service || true)
[ -z "$complaints" ] || { echo "$complaints"; exit 1; }
# In tenths: 30 is an exposure of 3.0.
systemd-analyze security --offline=true --threshold=30 "$unit" | tail -n 1
