#!/bin/bash
# with_postgres.sh TEST...: runs each test program with a PostgreSQL server of their own, which NTA_TEST_POSTGRES names;
# with_postgres.sh --command COMMAND ARGUMENT... runs one command so. Nothing of the server is left behind.
# Exit status 77: PostgreSQL is not installed.
set -u
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -x "${bin:-}/initdb" ] || { echo "skipped: PostgreSQL is not installed"; exit 77; }
dir=$(mktemp -d /tmp/nta_postgres_XXXXXX)
# The server refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
  chown postgres "$dir"
  as_owner() { setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; }
else
  as_owner() { "$@"; }
fi
stop() {
  as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1
  rm -rf "$dir"
}
trap stop EXIT
cd "$dir" || exit 1
as_owner "$bin/initdb" -D "$dir/data" -U nta -A trust -E UTF8 --locale=C >"$dir/initdb.log" 2>&1 ||
  { cat "$dir/initdb.log"; exit 1; }
# On a socket only. What a crash of the machine would lose does not matter here.
as_owner "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/server.log" \
  -o "-c listen_addresses='' -c unix_socket_directories='$dir' -c fsync=off -c max_connections=40" start >/dev/null ||
  { cat "$dir/server.log"; exit 1; }
export NTA_TEST_POSTGRES="postgresql://nta@/postgres?host=$dir"
cd / || exit 1
if [ "${1:-}" = --command ]; then shift; "$@"; exit; fi
status=0
for program in "$@"; do "$program" --gtest_brief=1 || status=1; done
exit $status
