"""Puts together the root file system of an image: the files that the program needs, and nothing else.

Called by the Dockerfiles in their build stage, where Debian's packages and the program are installed:

    assemble.py DESTINATION --package NAME ... --tree FOLDER ...

Taken are the named Debian packages, the trees, and every shared library that one of their files links. What is not
taken is not there: no shell, no package manager, no pip. For scanners and licences, the record and the copyright file
of each Debian package that a file came from go along, where scanners look for them (`/var/lib/dpkg/status.d`).
"""

import argparse
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

# Of a package: what a person reads, a compiler needs, or a package's own tests need.
LEFT_OUT = re.compile(
    r"^/usr/(bin/(?!python3\.\d+$)|(include|lib/binfmt\.d|share)/)|^/etc/"
    r"|\.(a|h|hpp|cuh|pyi|pyx|pxd)$"
    r"|/dist-packages/.+/(tests?|testing/_internal|include)(/|$)"
    r"|/python3\.\d+/(ensurepip|idlelib|lib2to3|pydoc_data|test|tkinter|turtledemo|venv)(/|$)"
)
_LINKED = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x[0-9a-f]+\)$", re.MULTILINE)
_MISSING = re.compile(r"^\s*(\S+) => not found$", re.MULTILINE)
_ELF = b"\x7fELF"
# Where the loader and Debian's scripts expect them: links since the merge of /usr.
_MERGED = ("bin", "lib", "lib64", "sbin")
_USER = 65532
_ACCOUNTS = {
    "etc/passwd": f"root:x:0:0:root:/:/nonexistent\nfedround:x:{_USER}:{_USER}:fedround:/tmp:/nonexistent\n",
    "etc/group": f"root:x:0:\nfedround:x:{_USER}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


class Assembly:
    """Copies out of one root file system into another, keeping paths, links and times."""

    def __init__(self, source: Path, destination: Path) -> None:
        self._source, self._destination = source, destination
        self.taken: set[str] = set()

    def take(self, path: str) -> None:
        """The file, folder or link at an absolute path, and what the links on the way to it lead to."""
        parts = Path(os.path.normpath(path)).parts[1:]
        for depth in range(1, len(parts) + 1):
            here = "/" + "/".join(parts[:depth])
            found = self._source / here[1:]
            if found.is_symlink():
                self._link(here)
                target = os.path.join(os.path.dirname(here), os.readlink(found), *parts[depth:])
                self.take(target)
                return
            self._copy(here)

    def _link(self, path: str) -> None:
        if path in self.taken:
            return
        link = self._destination / path[1:]
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.readlink(self._source / path[1:]))
        self.taken.add(path)

    def _copy(self, path: str) -> None:
        source, copy = self._source / path[1:], self._destination / path[1:]
        if path in self.taken:
            return
        if source.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
        else:
            shutil.copy2(source, copy)
            # Nothing here needs another's rights, and nothing is to be written.
            copy.chmod(0o755 if os.access(source, os.X_OK) else 0o644)
        self.taken.add(path)


def files_of(package: str) -> Iterator[str]:
    """The files of a Debian package that a program may need, and the bytecode that its installation made."""
    for path in _output(["dpkg-query", "--listfiles", package]).splitlines():
        if path == "/." or LEFT_OUT.search(path):
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            continue
        yield path
        if path.endswith(".py"):
            yield from map(str, sorted((Path(path).parent / "__pycache__").glob(f"{Path(path).stem}.cpython-*.pyc")))


def files_below(tree: str) -> Iterator[str]:
    """Every file and link of a tree."""
    for folder, folders, files in os.walk(tree):
        yield folder
        yield from (os.path.join(folder, name) for name in (*folders, *files))


def linked(output: str) -> list[str]:
    """The libraries in what `ldd` prints. Raises SystemExit if one is missing: the image would not start."""
    if missing := _MISSING.findall(output):
        raise SystemExit(f"assemble: not installed: {', '.join(missing)}")
    return _LINKED.findall(output)


def libraries(paths: Iterable[str]) -> set[str]:
    """What the programs and libraries among the paths link, and those in turn."""
    binaries = [path for path in paths if _is_elf(path)]
    # A status other than 0 only says that one of them links nothing.
    done = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False)
    return set(linked(done.stdout))


def owners(paths: Iterable[str]) -> set[str]:
    """The Debian packages that the paths belong to; what an installation made itself belongs to none."""
    # A package names a file by the path of its time: before or after the merge of /usr.
    asked = [form for path in sorted(paths) for form in (path, path.removeprefix("/usr"))]
    done = subprocess.run(["dpkg-query", "--search", *asked], capture_output=True, text=True, check=False)
    return {
        name.split(":")[0]
        for line in done.stdout.splitlines()
        if not line.startswith("diversion ")
        for name in line.partition(": /")[0].split(", ")
    }


def record(package: str, assembly: Assembly, destination: Path) -> None:
    """What scanners and licences ask of a package."""
    folder = destination / "var/lib/dpkg/status.d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / package).write_text(_output(["dpkg-query", "--status", package]))
    copyright_file = f"/usr/share/doc/{package}/copyright"
    if os.path.exists(copyright_file):
        assembly.take(copyright_file)


def assemble(destination: Path, packages: list[str], trees: list[str]) -> None:
    assembly = Assembly(Path("/"), destination)
    for name in _MERGED:
        if os.path.islink(f"/{name}"):
            assembly.take(f"/{name}")
    wanted = [path for package in packages for path in files_of(package)]
    wanted += [path for tree in trees for path in files_below(tree)]
    for path in (*wanted, *sorted(libraries(wanted)), "/etc/ld.so.cache", "/usr/lib/locale/C.utf8"):
        assembly.take(path)
    for path in files_below("/usr/lib/locale/C.utf8"):
        assembly.take(path)
    for package in sorted(owners(path for path in assembly.taken if os.path.isfile(path))):
        record(package, assembly, destination)
    for name, content in _ACCOUNTS.items():
        (destination / name).write_text(content)
    (destination / "tmp").mkdir()
    (destination / "tmp").chmod(0o1777)


def _is_elf(path: str) -> bool:
    if os.path.islink(path) or not stat.S_ISREG(os.stat(path).st_mode):
        return False
    with open(path, "rb") as file:
        return file.read(len(_ELF)) == _ELF


def _output(argv: list[str]) -> str:
    return subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=True).stdout


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Put together the root file system of an image.")
    parser.add_argument("destination", type=Path)
    parser.add_argument("--package", nargs="+", default=[], help="Debian packages to take")
    parser.add_argument("--tree", nargs="+", default=[], help="folders to take whole")
    options = parser.parse_args(arguments)
    assemble(options.destination, options.package, options.tree)


if __name__ == "__main__":
    main(sys.argv[1:])
