"""The examples for clusters start what the launcher takes; there is no cluster to try them on."""

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from mtl_dm import launch

CLUSTER = Path(__file__).parents[1] / "docs" / "cluster"
STAND_INS = {
    # Two tasks, each with its number.
    "srun": 'shift; for n in 0 1; do SLURM_NODEID=$n "$@"; done',
    "scontrol": 'if [ "$1" = show ]; then echo "$3-0"; echo "$3-1"; fi',
    "python": 'printf "%s\\n" "$@"; echo END',
}


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")


def stand_in(folder, **further):
    """Write programs that stand for Slurm's; return the environment that finds them."""
    for name, text in {**STAND_INS, **further}.items():
        (folder / name).write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return {
        "PATH": f"{folder}:{os.environ['PATH']}",
        "HOME": str(folder),
        "RUN": f"{folder}/a run",
        "SLURM_JOB_ID": "70001",
        "SLURM_JOB_NAME": "faces",
        "SLURM_JOB_NODELIST": "node",
        "SLURM_NNODES": "2",
    }


@needs_bash
def test_slurm_starts_every_host_with_its_number(tmp_path):
    environment = stand_in(tmp_path)
    command = ["bash", "-eu", CLUSTER / "slurm.sh"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    started = [each.split("\n")[2:-1] for each in said.stdout.split("END\n")[:-1]]
    assert len(started) == 2
    for place, arguments in enumerate(started):
        own, train = launch.parse(arguments)
        assert (own.processes, own.hosts, own.host_index) == (4, 2, place)
        assert own.coordinator == "node-0:30001"
        assert f"--output={tmp_path}/a run" in train


@needs_bash
@pytest.mark.parametrize("name", ["USR1", "TERM"])
def test_slurm_requeues_when_the_time_is_up_not_when_it_is_cancelled(name, tmp_path):
    assert "#SBATCH --signal=B:USR1@" in (CLUSTER / "slurm.sh").read_text(encoding="utf-8")
    # After a while, in which the script sets its trap.
    wait = "[ $NAME = TERM ] || for n in {1..60}; do sleep 0.05; done"
    training = f'trap "echo ended; exit" TERM; sleep 0.2; kill -$NAME $PPID; {wait}'
    environment = {**stand_in(tmp_path, srun=training), "NAME": name}
    (tmp_path / "scontrol").write_text('#!/bin/bash\necho "$1" >> "$HOME/asked"', encoding="utf-8")
    command = ["bash", "-eu", CLUSTER / "slurm.sh"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    asked = (tmp_path / "asked").read_text(encoding="utf-8").split()
    if name == "USR1":
        assert (done.returncode, done.stdout, asked) == (0, b"ended\n", ["show", "requeue"])
    else:
        assert (done.returncode, asked) == (-signal.SIGTERM, ["show"])


def test_jobset_starts_every_host_with_its_number():
    yaml = pytest.importorskip("yaml")
    jobs, policy = yaml.safe_load_all((CLUSTER / "jobset.yaml").read_text(encoding="utf-8"))
    assert (jobs["apiVersion"], jobs["kind"]) == ("jobset.x-k8s.io/v1alpha2", "JobSet")
    name, network = jobs["metadata"]["name"], jobs["spec"]["network"]
    (job,) = jobs["spec"]["replicatedJobs"]
    job_spec = job["template"]["spec"]
    pod = job_spec["template"]
    (container,) = pod["spec"]["containers"]
    assert container["command"][:3] == ["python", "-m", "mtl_dm.launch"]
    filled = [each.replace("$(HOST_INDEX)", "1") for each in container["command"][3:]]
    assert "HOST_INDEX" in {each["name"] for each in container["env"]}
    own, train = launch.parse(filled)
    assert own.hosts == job_spec["completions"] == job_spec["parallelism"]
    assert own.host_index == 1
    # What JobSet calls the first pod of the first job.
    assert own.coordinator == f"{name}-{job['name']}-0-0.{network['subdomain']}:12345"
    assert own.processes == container["resources"]["limits"]["nvidia.com/gpu"]
    mounts = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    assert {each["name"] for each in pod["spec"]["volumes"]} == set(mounts.values())
    for flag in ("--data_dir=", "--output="):
        (path,) = [each.removeprefix(flag) for each in train if each.startswith(flag)]
        assert any(path.startswith(place) for place in mounts)
    labels = pod["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"] == labels
    assert policy["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"] == labels
