#!/usr/bin/env bash
# Installs what is missing, builds everything and runs every test. Ends with "N passed, N failed, N skipped".
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
# shellcheck source=scripts/dependencies.sh
. scripts/dependencies.sh

preset=${NTA_TEST_PRESET:-release}
case "${1:-}" in
  --help | -h)
    echo "usage: scripts/test.sh [arguments of ctest]"
    echo "NTA_TEST_PRESET names another preset than release; NTA_CORPUS_DIR a corpus of captures to compare with."
    exit 0 ;;
esac

# shellcheck disable=SC2086
install_packages $BUILD_PACKAGES $RUN_PACKAGES $PYTHON_PACKAGES $TEST_PACKAGES
ensure_node "$root/build/node"
build_dashboard "$root/server/dashboard"
cmake --preset "$preset"
cmake --build --preset "$preset"

report=$root/build/$preset/tests.xml
status=0
ctest --preset "$preset" --output-junit "$report" "$@" || status=$?
[ -s "$report" ] || die "no test ran"

count() { sed -n "s/.*[[:space:]]$1=\"\([0-9]*\)\".*/\1/p" "$report" | head -n 1; }
total=$(count tests)
failed=$(count failures)
skipped=$(count skipped)
disabled=$(count disabled)
skipped=$((skipped + disabled))
if [ "$skipped" -gt 0 ]; then
  say "Skipped:"
  grep -oE '<testcase name="[^"]*"[^>]*status="(notrun|disabled)"' "$report" | sed 's/<testcase name="\([^"]*\)".*/  \1/' >&2 || true
fi
[ "$total" -gt 0 ] || die "no test ran"
echo "$((total - failed - skipped)) passed, $failed failed, $skipped skipped"
exit "$status"
