#!/usr/bin/env bash
# Runs the program end to end beside a Python stack that does (almost) the same, and prints who is how much faster:
#
#     benches/peers/stack.sh [--articles 60] [--rounds 3] [--threads N]
#
# The first run sets up a venv (several GB: PyTorch) in target/peers; QUOTESTANCE_STACK_PYTHON names a Python that has
# stack-requirements.txt installed already, QUOTESTANCE a program that is built already. Nothing else should run meanwhile.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=$root/target/peers/stack
python=${QUOTESTANCE_STACK_PYTHON:-$venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$venv"
    "$python" -m pip install --quiet --disable-pip-version-check -r "$here/stack-requirements.txt"
fi
if [ -z "${QUOTESTANCE:-}" ]; then
    (cd "$root" && cargo build --release --locked)
fi
exec "$python" "$here/stack.py" --program "${QUOTESTANCE:-$root/target/release/quotestance}" "$@"
