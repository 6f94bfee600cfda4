#!/bin/bash
# One training on several hosts under Slurm, a process a GPU: sbatch docs/cluster/slurm.sh
# DATA and RUN must be folders that all hosts see. What is set above is kept: DATA=... sbatch ...
#SBATCH --job-name=mtl_dm
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=12:00:00
# A job that is requeued goes on after its last finished epoch.
#SBATCH --requeue
#SBATCH --open-mode=append
# Two minutes before the time is up: the launcher ends its processes, and the job is requeued. Not
# TERM, which scancel sends, too.
#SBATCH --signal=B:USR1@120
set -euo pipefail

DATA=${DATA:-$HOME/data}
RUN=${RUN:-$HOME/runs/$SLURM_JOB_NAME}
PROCESSES=${PROCESSES:-4}
# Whoever reaches this port takes part in the training: keep it inside the cluster.
PORT=${PORT:-$((20000 + SLURM_JOB_ID % 20000))}
# sed reads on to the end; head would break the pipe.
FIRST=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | sed -n 1p)
export KERAS_BACKEND=jax

# SLURM_NODEID is each task's own: it stands in single quotes. When one host fails, all are ended.
srun --kill-on-bad-exit=1 bash -c 'exec python -m mtl_dm.launch \
  --processes="$1" --hosts="$SLURM_NNODES" --host_index="$SLURM_NODEID" --coordinator="$2" \
  -- --data_dir="$3" --output="$4" \
  --datasets=synthetic_faces/expression_only,synthetic_faces/action_units_only \
  --validation=synthetic_faces/fully_annotated:validation --relatedness=facs' \
  launch "$PROCESSES" "$FIRST:$PORT" "$DATA" "$RUN" &
training=$!
stop() {
  kill -TERM "$training"
  wait "$training" || true
  scontrol requeue "$SLURM_JOB_ID"
  exit 0
}
trap stop USR1
wait "$training"
