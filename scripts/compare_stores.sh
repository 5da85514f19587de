#!/usr/bin/env bash
# Installs what is missing, builds, and compares libnta's store with plain SQLite, PostgreSQL and ClickHouse in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/dependencies.sh
. scripts/dependencies.sh

case "${1:-}" in
  --help | -h)
    echo "usage: scripts/compare_stores.sh [--flows N] [--directory DIRECTORY] [--only NAME]"
    exit 0 ;;
esac
# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES $PYTHON_PACKAGES postgresql
# Not everywhere to be had: the comparison says so and goes on without.
(install_packages clickhouse-server clickhouse-client) || true
cmake --preset release -DNTA_BUILD_DASHBOARD=OFF >&2
cmake --build --preset release --target store_comparison >&2
exec python3 benchmarks/compare_stores.py "$@"
