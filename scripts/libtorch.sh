#!/usr/bin/env bash
# Sets up libtorch 2.4.0, which the feature `libtorch` is tied to, and prints what to export:
#
#     eval "$(scripts/libtorch.sh)"            # CPU, from PyPI, about 0.5 GB in target/libtorch
#     eval "$(scripts/libtorch.sh --cuda)"     # with the CUDA 12.1 libraries, about 5 GB
#     cargo build --release --features libtorch
#
# With LIBTORCH set to a libtorch 2.4 of your own, nothing is fetched. Needs python3 with pip, and gcc.
set -euo pipefail

VERSION=2.4.0
kind=cpu
[ "${1:-}" != --cuda ] || kind=cuda
here=$(cd "$(dirname "$0")/.." && pwd)
dir=${QUOTESTANCE_LIBTORCH_DIR:-$here/target/libtorch}/$kind

say() { echo "libtorch.sh: $*" >&2; }
fail() { say "$1"; say "hint: $2"; exit 2; }

# abi LIB_DIR: 1 where libtorch was built with the C++11 ABI of libstdc++, else 0.
abi() {
    if grep -q '_ZN3c105ErrorC1ENS_14SourceLocationENSt7__cxx1112basic_string' "$1/libc10.so"; then echo 1; else echo 0; fi
}

exports() {
    echo "export LIBTORCH='$1'"
    echo "export LIBTORCH_CXX11_ABI=$(abi "$1/lib")"
    echo "export LD_LIBRARY_PATH='$1/lib'\"\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}\""
}

if [ -n "${LIBTORCH:-}" ]; then
    [ -e "$LIBTORCH/lib/libtorch_cpu.so" ] || fail "LIBTORCH=$LIBTORCH has no lib/libtorch_cpu.so" \
        "point it at a libtorch $VERSION, or unset it to have one set up"
    exports "$LIBTORCH"
    exit
fi

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] || fail "no recipe for $(uname -s) on $(uname -m)" \
    "set LIBTORCH to a libtorch $VERSION for it"

# wheel NAME==VERSION: unpacks a wheel, without what it depends on, into $dir/wheels.
wheel() {
    say "fetching $1"
    local tmp
    tmp=$(mktemp -d)
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --python-version 3.11 --platform manylinux1_x86_64 --dest "$tmp" "$1" >&2
    python3 -m zipfile -e "$tmp"/*.whl "$dir/wheels"
    rm -r "$tmp"
}

if [ ! -e "$dir/ready" ]; then
    rm -rf "$dir"
    mkdir -p "$dir/wheels"
    if [ $kind = cuda ]; then
        say "installing torch $VERSION with its CUDA libraries"
        python3 -m pip install --quiet --disable-pip-version-check --only-binary=:all: --python-version 3.11 \
            --platform manylinux2014_x86_64 --platform manylinux1_x86_64 --target "$dir/wheels" "torch==$VERSION" >&2
        ln -s wheels/torch "$dir/libtorch"
    else
        wheel "torch==$VERSION"
        # libtorch_cpu.so of PyPI's wheel names these two, though the CPU never calls them.
        wheel nvidia-cuda-runtime-cu12==12.1.105
        wheel nvidia-cuda-cupti-cu12==12.1.105
        torch=$dir/wheels/torch
        mkdir -p "$dir/libtorch/lib"
        mv "$torch/include" "$dir/libtorch/include"
        mv "$torch"/lib/{libtorch_cpu.so,libc10.so,libgomp-*.so.1} "$dir/libtorch/lib"
        mv "$dir"/wheels/nvidia/cuda_runtime/lib/libcudart.so.12 "$dir/libtorch/lib"
        mv "$dir"/wheels/nvidia/cuda_cupti/lib/libcupti.so.12 "$dir/libtorch/lib"
        # The wheel's libtorch.so wants the CUDA half; an empty one that wants the CPU half does.
        echo > "$dir/stub.c"
        gcc -shared -fPIC -o "$dir/libtorch/lib/libtorch.so" "$dir/stub.c" -Wl,--no-as-needed \
            -L"$dir/libtorch/lib" -ltorch_cpu -lc10 -Wl,-rpath,'$ORIGIN' -Wl,--allow-shlib-undefined
        rm -r "$dir/wheels" "$dir/stub.c"
    fi
    touch "$dir/ready"
    say "ready in $dir/libtorch"
fi
exports "$dir/libtorch"
