"""What the trainer may open: its volumes, and of the machine what an interpreter and its libraries need to run.

Called by the launcher, whose own interpreter and search path are those of the trainer.
"""

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fedround_training.confinement.architectures import ARCHITECTURES
from fedround_training.confinement.landlock import Access

_READ, _USE = Access.READ, Access.READ | Access.WRITE

# Shared libraries. To load one is to read it: only the interpreter and the loader may be executed, no other program.
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib")
# What torch and OpenBLAS ask about processors and memory. Of /proc itself only these: Landlock hides what other
# processes hold, but not from the superuser. The launcher's own folder stays the trainer's, whose process it becomes.
_MACHINE = (
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/self"),
    *("/sys/devices/system/cpu", "/sys/devices/system/node"),
)
_FILES = ("/etc/ld.so.cache", "/etc/localtime", "/dev/random", "/dev/urandom")


@dataclass(frozen=True)
class Grant:
    """A file or a folder with all below it, and what may be done there."""

    path: Path
    access: Access


def program_grants(machine: str, working_folder: Path) -> tuple[Grant, ...]:
    """The interpreter, its packages and the shared libraries, read-only; of these, what is there."""
    known = ARCHITECTURES.get(machine)
    programs = [Path(sys.executable), *([known.loader] if known else [])]
    execute = (Grant(path, _READ | Access.EXECUTE) for path in programs)
    read = (Grant(path, _READ) for path in _program_paths(working_folder))
    return _existing([*execute, Grant(Path("/dev/null"), _USE), *read])


def _program_paths(working_folder: Path) -> Iterator[Path]:
    yield from map(Path, (*_LIBRARIES, *_MACHINE, *_FILES))
    yield from (Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
    yield Path(sys.base_prefix, sys.platlibdir)
    if sys.prefix != sys.base_prefix:
        yield Path(sys.prefix)
    yield from map(Path, site.getsitepackages())
    # `python -m` puts the working folder first, which may be anything; the trainer is started without it.
    named = (Path(entry) for entry in sys.path if entry)
    yield from (path for path in named if path not in (working_folder, Path("/")))


def _existing(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    """Each path once. What is not there needs no grant, and the kernel takes none for it."""
    return tuple(dict.fromkeys(grant for grant in grants if os.path.exists(grant.path)))
