#!/usr/bin/env bash
# check_run.sh sample|interface|errors SOURCE: runs scripts/run.sh on the sample, on lo during a download, and on bad input.
set -euo pipefail
way=$1 source=$2
run=$source/scripts/run.sh

case $way in
  sample)
    "$run" --check | tee /dev/stderr |
      grep -E '^check: .* [1-9][0-9]* packets captured from sample\.pcap, [1-9][0-9]* flows.* [1-9][0-9]* alerts'
    # Paths are the caller's.
    cd "$source/tests/data"
    "$run" --check --file sample.pcap --listen 127.0.0.1:0 2>&1 | tee /dev/stderr | grep -E '^check: .* 2748 packets captured from sample\.pcap'
    ;;
  interface)
    # A network of its own, where lo carries only the download.
    unshare -n true 2>/dev/null || { echo "skipped: making a network namespace needs root"; exit 77; }
    # shellcheck disable=SC2016
    unshare -n bash -euc '
      ip link set lo up
      work=$(mktemp -d)
      head -c 300000 /dev/urandom >"$work/file"
      (cd "$work" && exec python3 -m http.server --bind 127.0.0.1 8099 >/dev/null 2>&1) &
      server=$!
      (while sleep 0.3; do curl -s -o /dev/null http://127.0.0.1:8099/file; done) &
      client=$!
      trap "kill $server $client; rm -rf $work" EXIT
      "$0" --interface lo --check
    ' "$run" | tee /dev/stderr | grep -E '^check: .* packets captured from lo, [1-9][0-9]* flows'
    ;;
  errors)
    expect() {
      local wanted=$1 status=0 output
      shift
      output=$("$run" --check "$@" 2>&1 >/dev/null) || status=$?
      echo "$output" | tail -n 1
      [ "$status" -ne 0 ] && grep -qF "$wanted" <<<"$output"
    }
    expect 'cannot read the capture file' --pcap /none.pcap
    expect 'no such interface' --interface no-such-if0
    expect 'not a capture file' --pcap "$source/README.md"
    expect 'directory' --database /no/such/directory/nta.db
    ;;
esac
