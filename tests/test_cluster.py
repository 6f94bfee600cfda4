"""The examples for clusters start what the launcher takes; there is no cluster to try them on."""

import os
import shutil
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


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_slurm_starts_every_host_with_its_number(tmp_path):
    for name, text in STAND_INS.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUN": f"{tmp_path}/a run",
        "SLURM_JOB_ID": "70001",
        "SLURM_JOB_NAME": "faces",
        "SLURM_JOB_NODELIST": "node",
        "SLURM_NNODES": "2",
    }
    command = ["bash", "-eu", CLUSTER / "slurm.sh"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    started = [each.split("\n")[2:-1] for each in said.stdout.split("END\n")[:-1]]
    assert len(started) == 2
    for place, arguments in enumerate(started):
        own, train = launch.parse(arguments)
        assert (own.processes, own.hosts, own.host_index) == (4, 2, place)
        assert own.coordinator == "node-0:30001"
        assert f"--output={tmp_path}/a run" in train


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
