#!/bin/sh
# check_arrow.sh PYTHON DIRECTORY: runs test_arrow.py with pyarrow, Polars and DuckDB, which Debian does not package, from
# PyPI in a virtual environment in DIRECTORY. Without them: says why and exits 77, which ctest counts as skipped.
set -eu
python=$1
directory=$2
tests=$(cd "$(dirname "$0")" && pwd)

skip() {
  echo "SKIPPED: $1"
  exit 77
}

if [ ! -e "$directory/complete" ]; then
  rm -rf "$directory"
  "$python" -m venv "$directory" || skip "cannot make a virtual environment"
  "$directory/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 \
    --only-binary :all: numpy pytest pyarrow polars duckdb || skip "pip cannot install pyarrow, polars and duckdb"
  touch "$directory/complete"
fi
exec "$directory/bin/python" -m pytest -q -rs -p no:cacheprovider "$tests/test_arrow.py" "$tests/test_columns.py" "$tests/test_examples.py"
