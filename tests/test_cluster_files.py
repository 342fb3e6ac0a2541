"""The job files of docs/cluster: their form, and that what they call is there."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from sscd.cli import COMMANDS
from sscd.configs import find_config

CLUSTER = Path(__file__).parents[1] / "docs" / "cluster"
SBATCH = CLUSTER / "slurm.sbatch"


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    documents = yaml.safe_load_all((CLUSTER / "kubernetes.yaml").read_text(encoding="utf-8"))
    return {document["kind"]: document for document in documents}


def test_the_pods_find_the_first_by_its_name(manifest: dict[str, Any]) -> None:
    service, job = manifest["Service"], manifest["Job"]
    name, pod = job["metadata"]["name"], job["spec"]["template"]["spec"]
    assert pod["subdomain"] == service["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"] == {"job-name": name}
    (container,) = pod["containers"]
    env = {entry["name"]: entry["value"] for entry in container["env"]}
    assert env["MASTER_ADDR"] == f"{name}-0.{pod['subdomain']}"
    assert all(isinstance(value, str) for value in env.values())


def test_the_manifest_fits_together(manifest: dict[str, Any]) -> None:
    spec = manifest["Job"]["spec"]
    assert spec["completionMode"] == "Indexed"
    assert spec["completions"] == spec["parallelism"]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    (script,) = container["args"]
    assert f"--trainer.num_nodes {spec['completions']} " in script
    checked = subprocess.run(
        ["sh", "-n", "-c", script], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_batch_script_is_bash() -> None:
    checked = subprocess.run(
        ["bash", "-n", str(SBATCH)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(("status", "requeued"), [(75, True), (0, False), (2, False)])
def test_the_batch_script_queues_again_what_asks_for_it(
    status: int, requeued: bool, tmp_path: Path
) -> None:
    """With programs of one line in place of SLURM's, which cannot run here."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in (("srun", f'echo srun "$@"; exit {status}'), ("scontrol", 'echo "$@"')):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    variables = {"SLURM_JOB_ID": "77", "SLURM_CPUS_PER_TASK": "12", "DATA": "/data"}
    path = {"PATH": f"{programs}:/usr/bin:/bin"}

    first = subprocess.run(
        ["bash", str(SBATCH)],
        cwd=tmp_path,
        env=variables | path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert first.returncode == status, first.stderr
    assert ("requeue 77" in first.stdout) is requeued
    assert "--run_dir runs/sscd_disc21-77" in first.stdout
    assert "--ckpt_path auto" in first.stdout


@pytest.mark.parametrize("file", ["slurm.sbatch", "kubernetes.yaml"])
def test_commands_and_configurations_are_there(file: str) -> None:
    text = (CLUSTER / file).read_text(encoding="utf-8")
    commands = re.findall(r"sscd ([a-z-]+) --", text)
    assert commands
    assert set(commands) <= set(COMMANDS)
    for name in re.findall(r"--config ([a-z]\w+(?:/\w+)?)", text):
        assert find_config(name).is_file()


def test_the_image_is_made_of_what_is_there() -> None:
    text = (CLUSTER / "Dockerfile").read_text(encoding="utf-8")
    root = CLUSTER.parents[1]
    copied = [name for line in re.findall(r"COPY (.+) \S+\n", text) for name in line.split()]
    assert copied
    assert all((root / name).exists() for name in copied)
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (extras,) = re.findall(r"\.\[([a-z,]+)\]", text)
    assert set(extras.split(",")) <= set(project["optional-dependencies"])
