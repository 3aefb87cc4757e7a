#!/usr/bin/env bash
# Runs this crate's engine beside others on the same token ids, and prints who is how much faster:
#
#     benches/peers/run.sh [--rounds 4] [--texts 1000] [--only NAME]… [--record FILE]
#
# The first run sets up a venv (several GB: PyTorch) in target/peers; QUOTESTANCE_PEERS_PYTHON names a Python
# that has requirements.txt installed already. With LIBTORCH set (scripts/libtorch.sh), rust-bert runs beside them.
# Nothing else should run on the machine meanwhile.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$root/target/peers
python=${QUOTESTANCE_PEERS_PYTHON:-$work/venv/bin/python}
if [ ! -x "$python" ]; then
    python3 -m venv "$work/venv"
    "$python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
fi
if [ -z "${QUOTESTANCE_PEERS_BUILT:-}" ]; then
    (cd "$root" && cargo build --release --locked --example peer_native ${LIBTORCH:+--features libtorch})
    (cd "$here/rten" && cargo build --release --locked --target-dir "$work/rten")
fi
exec "$python" "$here/compare.py" --work "$work" --native "$root/target/release/examples/peer_native" \
    --rten "$work/rten/release/peer-rten" ${LIBTORCH:+--libtorch} "$@"
