# Which Rust compiles what, and where the tools are that `scripts/setup` installed. Sourced after steps.sh.
#
# $tools/toolchain holds two words, written by `scripts/setup`:
#   host=own|debian   what compiles for this machine
#   wasm=own|debian   what compiles for the browser
# `own` is the cargo found on PATH. `debian` is Debian's rustc-web, with a standard library for wasm that set-up built
# from Debian's rust-web-src, for machines that cannot reach rustup's server.

host=own
wasm=own
if [ -r "$tools/toolchain" ]; then
  # shellcheck source=/dev/null
  . "$tools/toolchain"
fi

wasm_target=wasm32-unknown-unknown
sysroot="$tools/sysroot"

use_debian_rust() {
  export PATH="/usr/bin:$PATH" RUSTC=/usr/bin/rustc RUSTDOC=/usr/bin/rustdoc
}

# The linker must be of the LLVM that the compiler was built with.
debian_llvm() { /usr/bin/rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p'; }

use_debian_wasm() {
  use_debian_rust
  # With --target these flags reach what runs in the browser, and not build scripts and macros.
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="--sysroot $sysroot"
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER="wasm-ld-$(debian_llvm)"
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
}

if [ "$host" = debian ]; then
  use_debian_rust
fi
export PATH="$tools/bin:$tools/npm/node_modules/.bin:$PATH"
