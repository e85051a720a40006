"""The images' constraints: complete, hashed, and those that the tests run with."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = Path(__file__).parents[3]
_PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)", re.MULTILINE)
_HASHED = re.compile(r"^(?P<name>[a-z0-9-]+)==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", re.MULTILINE)
_ADVICE = "run `make image-constraints`"


@pytest.mark.parametrize("image", ["operator", "training"])
def test_an_image_has_what_its_extra_requires(image: str) -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    required = [Requirement(one) for one in (*project["dependencies"], *project["optional-dependencies"][image])]
    pinned = _pins(PROJECT / "images" / f"{image}-constraints.txt")
    for one in required:
        name = canonicalize_name(one.name)
        assert name in pinned, f"{name} is not pinned: {_ADVICE}"
        assert one.specifier.contains(Version(pinned[name])), f"{name} {pinned[name]} is not {one.specifier}: {_ADVICE}"


@pytest.mark.parametrize("image", ["operator", "training"])
def test_an_image_has_the_versions_that_the_tests_run_with_but_for_torch_and_numpy_of_debian(image: str) -> None:
    tested = _pins(PROJECT / "constraints.txt")
    pinned = _pins(PROJECT / "images" / f"{image}-constraints.txt")
    other = {name: version for name, version in pinned.items() if version != tested.get(name)}
    assert other == ({} if image == "operator" else {"numpy": "2.2.4", "torch": "2.6.0"}), _ADVICE


@pytest.mark.parametrize(("name", "without"), [("build", set()), ("operator", set()), ("training", {"numpy", "torch"})])
def test_every_pin_but_those_of_debian_has_its_hashes(name: str, without: set[str]) -> None:
    text = (PROJECT / "images" / f"{name}-constraints.txt").read_text()
    pinned = {match["name"] for match in _PIN.finditer(text)}
    assert len(pinned) >= 5
    assert pinned - {match["name"] for match in _HASHED.finditer(text)} == without


def _pins(path: Path) -> dict[str, str]:
    return {match["name"]: match["version"] for match in _PIN.finditer(path.read_text())}
