#!/usr/bin/env bash
# Builds everything and starts nta-server with its dashboard on http://127.0.0.1:8080.
set -euo pipefail
# Paths among the arguments are the caller's, so only what has to happen in the source tree happens there.
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=scripts/dependencies.sh
. "$root/scripts/dependencies.sh"

usage() {
  cat <<'END'
usage: scripts/run.sh [--interface NAME | --pcap FILE] [--check] [options of nta-server]

Installs what is missing, builds the library, the server and the dashboard, and starts the server.

  --interface NAME   show the traffic of this network interface (needs root or CAP_NET_RAW)
  --pcap FILE        replay this capture file in real time
                     with neither, the bundled sample capture is replayed
  --check            start, wait until the API reports traffic, print what it saw, and stop
  --help             this text; for the server's own options: build/release/bin/nta-server --help

Data is kept in $NTA_DATA_DIR, by default ~/.local/share/nta.
END
}

check=false
has_source=false
has_data=false
has_listen=false
arguments=()
while [ $# -gt 0 ]; do
  case "$1" in
    --help | -h) usage; exit 0 ;;
    --check) check=true; shift; continue ;;
    --pcap | --replay | --file)
      [ $# -ge 2 ] || die "$1 needs a file"
      [ -r "$2" ] || die "cannot read the capture file \"$2\"" ;;
    --interface) [ $# -ge 2 ] || die "--interface needs a name" ;;
  esac
  case "$1" in
    --pcap | --pcap=* | --replay | --replay=* | --file | --file=* | --interface | --interface=*) has_source=true ;;
    # A configuration file may name the source and the data directory.
    --config | --config=*) has_source=true has_data=true ;;
    --data-dir | --data-dir=*) has_data=true ;;
    --listen | --listen=*) has_listen=true ;;
  esac
  arguments+=("$1")
  shift
done
[ -z "${NTA_INTERFACE:-}${NTA_PCAP:-}${NTA_FILE:-}${NTA_CONFIG:-}" ] || has_source=true
[ -z "${NTA_CONFIG:-}" ] || has_data=true
has_sample=false
if ! $has_source; then
  has_sample=true
  arguments+=(--pcap "$root/tests/data/sample.pcap")
fi

# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES $RUN_PACKAGES
ensure_node "$root/build/node"
build_dashboard "$root/server/dashboard"
say "Building the server"
# A build log is only of interest when the build fails.
log=$root/build/run.log
mkdir -p "$root/build"
if ! (cd "$root" && cmake --preset release && cmake --build --preset release --target nta-server) >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  die "the server did not build; the whole log is $log"
fi
server=$root/build/release/bin/nta-server

if ! $check; then
  if ! $has_data; then
    data=${NTA_DATA_DIR:-$HOME/.local/share/nta}
    mkdir -p "$data"
    arguments+=(--data-dir "$data")
  fi
  exec "$server" "${arguments[@]}"
fi

# --check: a server of its own, on a free port, with data that goes away again.
work=$(mktemp -d)
server_pid=
stop() {
  [ -n "$server_pid" ] && kill "$server_pid" 2>/dev/null && wait "$server_pid" 2>/dev/null
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 130' INT TERM

$has_listen || arguments+=(--listen 127.0.0.1:0)
$has_data || arguments+=(--data-dir "$work/data")
: >"$work/out"
"$server" "${arguments[@]}" >"$work/out" 2>"$work/err" &
server_pid=$!

# wait_for SECONDS COMMAND...: until the command succeeds; fails when the server ends or the time is over.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    kill -0 "$server_pid" 2>/dev/null || die "the server ended: $(tail -n 1 "$work/err")"
    [ "$SECONDS" -lt "$deadline" ] || return 1
    sleep 0.2
  done
}

url=
token=
started() {
  url=$(grep -oE 'http://127\.0\.0\.1:[0-9]+' "$work/out" | head -n 1) || return 1
  token=$(sed -n 's/^bootstrap token: *//p' "$work/out") || return 1
  [ -n "$url" ] && [ -n "$token" ] && curl -fsS -o /dev/null "$url/healthz" 2>/dev/null
}
wait_for 30 started || die "the server did not start within 30 s"

password=$(head -c 24 /dev/urandom | base64 | tr -d '/+=')
session=$(jq -n --arg token "$token" --arg password "$password" \
  '{bootstrap_token: $token, username: "check", password: $password}' |
  curl -fsS -H 'Content-Type: application/json' --data @- "$url/api/v1/setup" | jq -r .token) ||
  die "the server did not accept its own bootstrap token"

summary=
# The sample ends with a port scan; with it, the check waits for the alert, too.
wanted='.flows > 0 and .packets > 0 and .capture.ledger.received > 0'
$has_sample && wanted="$wanted and .alerts > 0"
has_traffic() {
  summary=$(curl -fsS -H "Authorization: Bearer $session" "$url/api/v1/summary?since=2000-01-01T00:00:00Z") || return 1
  [ "$(jq "$wanted" <<<"$summary")" = true ]
}
wait_for "${NTA_CHECK_SECONDS:-120}" has_traffic ||
  die "no traffic was reported; the last answer was: ${summary:-none}"
curl -fsS "$url/" | grep -qi '<html' || die "the dashboard is not served at $url/"

jq -r '"check: the API at '"$url"' reported \(.capture.ledger.received) packets captured from \(.capture.source), " +
  "\(.flows) flows, \(.packets) packets in flows, \(.bytes) bytes, \(.alerts) alerts"' <<<"$summary"
