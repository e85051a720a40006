"""Programs that building images needs, installed from Debian's packages where that is possible."""

import os
import shutil
import subprocess
import sys


class ImageBuildFailed(Exception):
    """An image cannot be built here; the sentence says what to do."""


class ProgramMissing(ImageBuildFailed):
    """A program is neither here nor can it be installed."""


def require(programs: dict[str, str]) -> None:
    """Each program (with the Debian package that has it) is there, or is installed: on Debian, as root.

    Raises ProgramMissing, with what to do, where that is not possible.
    """
    missing = {program: package for program, package in programs.items() if shutil.which(program) is None}
    if not missing:
        return
    names = ", ".join(missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise ProgramMissing(f"not installed: {names}. Install them, or start Docker, then try again.")
    print(f"installing {', '.join(missing.values())}", file=sys.stderr)
    apt = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "-qq"]
    run([*apt, "update"])
    run([*apt, "install", "--yes", "--no-install-recommends", *missing.values()])


def run(argv: list[str], env: dict[str, str] | None = None) -> None:
    """Run a program whose output is progress. Raises ImageBuildFailed if it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=env, check=False)
    if done.returncode != 0:
        raise ImageBuildFailed(f"`{' '.join(argv[:3])} ...` failed with status {done.returncode}; its output says why.")
