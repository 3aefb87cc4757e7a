#!/usr/bin/env bash
# Runs the tests of the packed engine's kernels under Miri, which finds reads and writes out of bounds and other undefined
# behaviour: the AVX2 kernels and the plain ones. Miri does not know enough of AVX-512 (_mm512_min_ps among others); those
# kernels are the same text over other registers.
#
#     rustup toolchain install nightly --component miri,rust-src
#     scripts/miri.sh
set -euo pipefail
cd "$(dirname "$0")/.."
export MIRIFLAGS="-Zmiri-disable-isolation -Zmiri-no-extra-rounding-error"
export RUSTFLAGS="-C target-feature=+avx2,+fma"
exec cargo +nightly miri test --locked --lib --target-dir "${MIRI_TARGET:-target/miri}" encoder::packed
