#!/usr/bin/env bash
# check_install.sh static|shared|subdirectory SOURCE BUILD WORK: builds the consumer that way and runs it on the sample.
set -euo pipefail
way=$1 source=$2 build=$3 work=$4
here=$(cd "$(dirname "$0")" && pwd)
sample=$source/tests/data/sample.pcap
rm -rf "$work"
mkdir -p "$work"
prefix=$work/prefix
launcher=()
command -v ccache >/dev/null && launcher=(-DCMAKE_CXX_COMPILER_LAUNCHER=ccache)

# The consumer prints the number of flows and of packets in them; the capture has this many packets, ARP and all.
check_output() {
  local flows packets received
  read -r flows packets received <<<"$("$@" "$sample")"
  echo "$*: $flows flows, $packets packets in flows, $received received"
  [ "$received" -eq 2748 ] && [ "$packets" -gt 2600 ] && [ "$flows" -gt 100 ]
}

configure_consumer() {
  "$CMAKE" -S "$here/consumer" -B "$work/$1" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" "${launcher[@]}" "${@:2}"
  "$CMAKE" --build "$work/$1"
}

# The installed extension, in the sqlite3 shell and in Python's sqlite3, on a store that the consumer fills.
check_extension() {
  local extension database=$work/flows.db flows
  extension=$(find "$prefix" -name 'nta_flows.so' -print -quit)
  [ -n "$extension" ] || { echo "the extension nta_flows is not installed"; exit 1; }
  read -r flows _ <<<"$("$work/all/consumer" "$sample" "$database")"
  if command -v sqlite3 >/dev/null; then
    [ "$(sqlite3 -readonly "$database" ".load ${extension%.so}" 'SELECT count(*) FROM flows')" = "$flows" ] ||
      { echo "the sqlite3 shell does not read the flows of a store"; exit 1; }
  fi
  if /usr/bin/python3 -c 'import sqlite3; sqlite3.connect(":memory:").enable_load_extension(True)' 2>/dev/null; then
    [ "$(/usr/bin/python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.enable_load_extension(True)
database.load_extension(sys.argv[2])
print(database.execute("SELECT count(*) FROM flows").fetchone()[0])' "$database" "$extension")" = "$flows" ] ||
      { echo "sqlite3 of Python does not read the flows of a store"; exit 1; }
  fi
  echo "nta_flows reads $flows flows"
}

case $way in
  static)
    "$CMAKE" --install "$build" --prefix "$prefix"
    # The watchdog of firewall changes is found beside the programs.
    [ -x "$prefix/bin/nta-firewall-guard" ] || { echo "nta-firewall-guard is not installed"; exit 1; }
    configure_consumer all
    check_output "$work/all/consumer"
    check_extension
    # Only decode and flows: neither libpcap, compression nor SQLite may be needed.
    "$CMAKE" -S "$here/consumer" -B "$work/parts" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" "${launcher[@]}" \
      -DCONSUMER_COMPONENTS=flow
    "$CMAKE" --build "$work/parts"
    "$work/parts/consumer_flow"
    if ldd "$work/parts/consumer_flow" | grep -E 'libpcap|libz|libsqlite3'; then
      echo "a program of the flow module links libraries that it does not need"
      exit 1
    fi
    # A component that there is not is named.
    if "$CMAKE" -S "$here/consumer" -B "$work/wrong" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" "${launcher[@]}" \
      -DCONSUMER_COMPONENTS=flows >"$work/wrong.log" 2>&1 || ! grep -q 'no component "flows"' "$work/wrong.log"; then
      echo "a wrong component is not told"
      exit 1
    fi
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name nta.pc)")
    export PKG_CONFIG_PATH
    # shellcheck disable=SC2046
    "$CXX" "$here/consumer/consumer.cc" -o "$work/by_pkg_config" $(pkg-config --cflags --libs nta)
    check_output "$work/by_pkg_config"
    ;;
  shared)
    "$CMAKE" -S "$source" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON \
      -DNTA_BUILD_TESTS=OFF -DNTA_BUILD_SERVER=OFF -DNTA_BUILD_EXAMPLES=OFF -DNTA_BUILD_BENCHMARKS=OFF \
      -DNTA_BUILD_PYTHON=OFF -DNTA_BUILD_DASHBOARD=OFF
    "$CMAKE" --build "$work/build"
    "$CMAKE" --install "$work/build" --prefix "$prefix"
    library=$(find "$prefix" -name 'libnta.so' -print -quit)
    readelf -d "$library" | grep -E 'SONAME.*libnta\.so\.[0-9]' || { echo "libnta has no versioned soname"; exit 1; }
    # Names of nta, and what the compiler makes of templates that take them, are all that may leave the library.
    if nm -D --defined-only -C "$library" | grep -vE '\bnta::' | grep -vE ' [wWVuA] '; then
      echo "libnta exports names that are not its own"
      exit 1
    fi
    configure_consumer all
    check_output env LD_LIBRARY_PATH="$(dirname "$library")" "$work/all/consumer"
    ;;
  subdirectory)
    # Compiled as the library itself was, and as deep below the source, so that a compiler cache has the objects already.
    tree=${build}_$way
    rm -rf "$tree"
    "$CMAKE" -S "$here/subdirectory" -B "$tree" -G Ninja -DNTA_SOURCE="$source" -DCMAKE_BUILD_TYPE=Release \
      -DNTA_WARNINGS_AS_ERRORS=ON "${launcher[@]}"
    "$CMAKE" --build "$tree" --target consumer
    check_output "$tree/consumer"
    ;;
  *)
    echo "unknown way: $way"
    exit 2
    ;;
esac
