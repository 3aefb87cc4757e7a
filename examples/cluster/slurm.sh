#!/usr/bin/env bash
# A corpus in shards by Slurm, one for each task of an array; then merged:
#
#     job=$(sbatch --parsable --array=1-16 examples/cluster/slurm.sh quotes.csv run news/ --target "the merger")
#     sbatch --dependency=afterany:$job --wrap 'quotestance merge part*.quotes.csv -o quotes.csv'
#
# The output, then the command as it would be given without shards. A task that comes to its time limit ends in order, is queued
# again, and goes on where it was; so does one whose node fails. The merge refuses to do half the work, should a shard be missing.
#SBATCH --job-name=quotestance
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
# Two minutes before the limit; the program needs five seconds.
#SBATCH --signal=B:TERM@120
set -uo pipefail
out=$1
shift
number=$SLURM_ARRAY_TASK_ID of=$SLURM_ARRAY_TASK_COUNT
part=$(dirname "$out")/part$number.$(basename "$out")

"${QUOTESTANCE:-quotestance}" "$@" --shard "$number/$of" --output "$part" --threads "${SLURM_CPUS_PER_TASK:-1}" --log json &
run=$!
trap 'kill -TERM "$run"' TERM
wait "$run"
code=$?
# The trap has interrupted the wait, not the program.
while kill -0 "$run" 2>/dev/null; do
    wait "$run"
    code=$?
done
case $code in
    # Some documents failed; they are named in the log and in the errors.jsonl beside the part.
    0 | 3) exit 0 ;;
    143) scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" ;;
    *) exit "$code" ;;
esac
