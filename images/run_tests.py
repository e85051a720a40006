"""Runs the unit tests of contract and training code inside the training image: `make test-image`.

They see the image's own Python, torch, numpy and constraints, and its installed program; only the test tools come from
outside, into a folder of the cache. Arguments go to pytest.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from fedround_images.archives import PROJECT, Wanted
from fedround_images.packages import ImageBuildFailed
from fedround_images.running import USER, Bind, Program, Rootfs, ensure_rootfs, run
from fedround_local.controlplane import cache_folder

TESTS = ("tests/unit/api", "tests/unit/training")
# Attacks on the lock need a machine to attack, with a shell and other programs: what the image does not have.
LEFT_OUT = ("tests/unit/training/confinement/test_confinement_escape.py",)
# What the tests import beside the program itself, in the versions that the image has where both have one.
TOOLS = ("cryptography", "hypothesis", "jsonschema", "psutil", "pytest", "pytest-timeout", "pyyaml", "rich")
PYTHON = "3.13"
TIMEOUT_SECONDS = 1800


def ensure_tools(rootfs: Rootfs) -> Path:
    """The folder with the test tools, as constraints.txt pins them, for the image's Python and compiled by it."""
    constraints = PROJECT / "constraints.txt"
    key = hashlib.sha256(constraints.read_bytes() + repr((TOOLS, PYTHON)).encode()).hexdigest()
    folder = cache_folder() / "images" / "test-tools"
    if (folder / "key").exists() and (folder / "key").read_text() == key:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    uv = Path(sys.executable).with_name("uv")
    argv = [str(uv), "pip", "install", "--quiet", "--target", str(folder), "--python-version", PYTHON]
    argv += ["--only-binary", ":all:", "--constraint", str(constraints), *TOOLS]
    subprocess.run(argv, check=True)
    os.chown(folder, USER, USER)
    for path in folder.rglob("*"):
        os.chown(path, USER, USER)
    compiler = Program(["python", "-m", "compileall", "-q", "/tools"], {}, [Bind(folder, "/tools", read_only=False)])
    run(rootfs, compiler, timeout_seconds=TIMEOUT_SECONDS)
    (folder / "key").write_text(key)
    return folder


def main(arguments: list[str]) -> int:
    try:
        rootfs = ensure_rootfs("training", Wanted())
        done = run(rootfs, program(rootfs, arguments), timeout_seconds=TIMEOUT_SECONDS, capture=False)
    except ImageBuildFailed as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return done.returncode


def program(rootfs: Rootfs, arguments: Sequence[str] = ()) -> Program:
    """pytest on the tests of this checkout: those that the arguments name, else all that concern the image."""
    named = any(not argument.startswith("-") for argument in arguments)
    chosen = () if named else (*TESTS, *(f"--ignore={one}" for one in LEFT_OUT))
    return Program(
        argv=["python", "-c", _PYTEST, "-p", "no:cacheprovider", *chosen, *arguments],
        environment={"PYTHONPATH": "/tools"},
        binds=[Bind(ensure_tools(rootfs), "/tools"), Bind(PROJECT, "/checkout")],
    )


_PYTEST = """\
import os, sys
import numpy, torch, pytest
print("python", sys.version.split()[0], "torch", torch.__version__, "numpy", numpy.__version__, flush=True)
os.chdir("/checkout")
sys.exit(pytest.main(sys.argv[1:]))
"""

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
