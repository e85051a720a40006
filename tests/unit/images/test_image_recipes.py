"""What the Dockerfiles promise without being built."""

import re
from pathlib import Path

import pytest

from fedround_images.archives import PROJECT, SOURCE_FOLDERS, SOURCES, inputs_of

RECIPES = ("operator", "training")


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_names_no_address_of_an_index_or_a_mirror(name: str) -> None:
    assert re.findall(r"\w+://[\w.-]+", _recipe(name)) == []


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_shipped_starts_from_nothing_and_runs_as_a_numeric_user(name: str) -> None:
    shipped = _recipe(name).rpartition("\nFROM ")[2]
    assert shipped.startswith("scratch\n")
    assert re.findall(r"^USER (\S+)$", shipped, re.MULTILINE) == ["65532:65532"]


@pytest.mark.parametrize("name", RECIPES)
def test_pip_takes_nothing_without_a_version_and_a_hash(name: str) -> None:
    recipe = _recipe(name).replace("\\\n", "")
    for command in re.findall(r"/pip [^&]*? ?install [^&\n]*", recipe):
        assert "--require-hashes" in command or "--no-index" in command, command
        assert "--no-deps" in command, command


@pytest.mark.parametrize("name", RECIPES)
def test_all_that_a_recipe_copies_counts_when_it_is_asked_whether_an_image_is_still_good(name: str) -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", _recipe(name), re.MULTILINE)
        for source in line.split()[:-1]
    ]
    counted = {str(path.relative_to(PROJECT)) for path in inputs_of(name)}
    assert len(copied) >= 10
    for source in copied:
        assert source in counted or any(path.startswith(source) for path in counted), source


def test_the_context_has_what_the_recipes_copy_and_no_more() -> None:
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    admitted = {line[1:] for line in lines if line.startswith("!")}
    assert admitted == {*SOURCES, *SOURCE_FOLDERS, "images"}
    assert lines[1] == "*"


def _recipe(name: str) -> str:
    return Path(PROJECT, "images", f"{name}.Dockerfile").read_text()
