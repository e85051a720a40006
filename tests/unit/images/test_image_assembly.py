"""How the root file system of an image is put together: paths, links, what is left out."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

PROJECT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def assemble() -> ModuleType:
    spec = importlib.util.spec_from_file_location("image_assembly", PROJECT / "images" / "assemble.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _merged(root: Path) -> Path:
    """A Debian with a merged /usr: a library under its version, a link that programs link, and a chain of choices."""
    library = root / "usr/lib/libblas.so.3.1"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"library")
    os.utime(library, (1_700_000_000, 1_700_000_000))
    (root / "lib").symlink_to("usr/lib")
    (root / "etc/alternatives").mkdir(parents=True)
    (root / "usr/lib/libblas.so.3").symlink_to("/etc/alternatives/libblas")
    (root / "etc/alternatives/libblas").symlink_to("/usr/lib/libblas.so.3.1")
    return root


def test_a_library_comes_along_with_every_link_on_the_way_to_it(assemble: ModuleType, tmp_path: Path) -> None:
    copy = tmp_path / "image"
    assemble.Assembly(_merged(tmp_path / "debian"), copy).take("/lib/libblas.so.3")
    assert {str(path.relative_to(copy)) for path in copy.rglob("*") if not path.is_dir() or path.is_symlink()} == {
        "lib",
        "usr/lib/libblas.so.3",
        "usr/lib/libblas.so.3.1",
        "etc/alternatives/libblas",
    }
    assert os.readlink(copy / "lib") == "usr/lib"
    assert os.readlink(copy / "usr/lib/libblas.so.3") == "/etc/alternatives/libblas"
    assert (copy / "usr/lib/libblas.so.3.1").read_bytes() == b"library"


def test_a_file_keeps_its_time_because_bytecode_is_checked_by_it(assemble: ModuleType, tmp_path: Path) -> None:
    copy = tmp_path / "image"
    assemble.Assembly(_merged(tmp_path / "debian"), copy).take("/usr/lib/libblas.so.3.1")
    assert (copy / "usr/lib/libblas.so.3.1").stat().st_mtime == 1_700_000_000


@pytest.mark.parametrize(("mode", "kept"), [(0o4755, 0o755), (0o2644, 0o644), (0o666, 0o644), (0o777, 0o755)])
def test_a_file_lends_no_rights_and_is_not_to_be_written(
    assemble: ModuleType, tmp_path: Path, mode: int, kept: int
) -> None:
    source = tmp_path / "debian/usr/bin/program"
    source.parent.mkdir(parents=True)
    source.write_bytes(b"program")
    source.chmod(mode)
    assemble.Assembly(tmp_path / "debian", tmp_path / "image").take("/usr/bin/program")
    assert (tmp_path / "image/usr/bin/program").stat().st_mode & 0o7777 == kept


def test_the_libraries_that_a_program_links_are_read_from_what_the_loader_says(assemble: ModuleType) -> None:
    said = (
        "/usr/bin/python3.13:\n"
        "\tlinux-vdso.so.1 (0x00007fff)\n"
        "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f12)\n"
        "\t/lib64/ld-linux-x86-64.so.2 (0x00007f34)\n"
        "/opt/fedround/static:\n"
        "\tstatically linked\n"
    )
    assert assemble.linked(said) == ["/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"]


def test_a_library_that_is_not_installed_ends_the_build(assemble: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"not installed: libtorch\.so\.2"):
        assemble.linked("\tlibtorch.so.2 => not found\n\tlibm.so.6 => /lib/libm.so.6 (0x1)\n")


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("/usr/lib/python3.13/ssl.py", False),
        ("/usr/bin/python3.13", False),
        ("/usr/lib/python3/dist-packages/torch/testing/_utils.py", False),
        ("/usr/lib/python3/dist-packages/torch/testing/_internal/common_utils.py", True),
        ("/usr/lib/python3/dist-packages/numpy/tests/test_public_api.py", True),
        ("/usr/lib/python3.13/ensurepip/__init__.py", True),
        ("/usr/include/python3.13/Python.h", True),
        ("/usr/bin/pdb3.13", True),
        ("/usr/share/man/man1/python3.13.1.gz", True),
        ("/usr/lib/binfmt.d/python3.13.conf", True),
    ],
)
def test_what_only_people_compilers_and_other_tests_need_is_left_out(
    assemble: ModuleType, path: str, left_out: bool
) -> None:
    assert bool(assemble.LEFT_OUT.search(path)) is left_out
