"""`train` as a container runs it: a process with its input, its volumes and its report."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fedround_api.jobs import TrainInput
from fedround_api.kinds.federated_round import Base, Training
from fedround_training.models.checkpoint import save_checkpoint
from fedround_training.models.registry import build, tensors_of
from support.job_inputs import SHAPE, lesions


def train_environment(folder: Path, *, allow_unlocked: bool = False) -> dict[str, str]:
    """A clinic with six images and a fetched checkpoint, as a container sees it."""
    lesions(folder / "images", 6)
    path = folder / "workspace/rounds/r1/checkpoint.safetensors"
    content = save_checkpoint(path, tensors_of(build(SHAPE, seed=0)))
    given = TrainInput(
        folder="rounds/r1",
        clinic="north",
        model=SHAPE,
        base=Base(version=0, digest=content.digest, bytes=content.bytes),
        training=Training(epochs=1, batch_size=4),
        cases_until="2026-11-24T12:00:00Z",
        allow_unlocked=allow_unlocked,
    )
    return {
        **os.environ,
        "FEDROUND_INPUT": given.text(),
        "FEDROUND_REPORT": str(folder / "log"),
        "FEDROUND_WORKSPACE": str(folder / "workspace"),
        "FEDROUND_IMAGES": str(folder / "images"),
    }


def python(environ: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The interpreter of the tests, with this environment, to its end."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=100)
