#!/usr/bin/env bash
# A corpus in shards by GNU parallel, on one machine or on several that share a file system, and merged in the end:
#
#     examples/cluster/parallel.sh 16 quotes.csv run news/ --target "the merger"
#
# 16 shards; the output; and the command as it would be given without shards. Given again after an interruption it goes on:
# shards that are done are passed over, the others continue where they were. JOBS and THREADS say how many run at once, and with
# how many threads each; PARALLEL_OPTIONS="--sshloginfile hosts --workdir ." spreads them over machines.
set -euo pipefail
shards=$1 out=$2
shift 2
quotestance=${QUOTESTANCE:-quotestance}
log=$out.joblog
parts=()
for number in $(seq "$shards"); do
    parts+=("$(dirname "$out")/part$number.$(basename "$out")")
done

# Exit code 3 of a shard means that some documents failed: it is done all the same, and so that parallel does not start it again,
# the shell says 0. The merge tells of these documents.
shard() {
    local code=0
    "$1" "${@:4}" --shard "$2" --output "$3" --threads "${THREADS:-1}" --quiet || code=$?
    [ "$code" = 3 ] || return "$code"
}
export -f shard
export THREADS
# shellcheck disable=SC2086
parallel --joblog "$log" --resume-failed --jobs "${JOBS:-100%}" --env shard --env THREADS ${PARALLEL_OPTIONS:-} --quote \
    shard "$quotestance" "{1}/$shards" "{2}" "$@" ::: $(seq "$shards") :::+ "${parts[@]}"
code=0
"$quotestance" merge "${parts[@]}" --output "$out" || code=$?
case $code in 0 | 3) rm -f "$log" ;; esac
exit "$code"
