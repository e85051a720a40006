"""The page about installing: its Helm commands are those of the charts, and what it says of values is so."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from support.charts import BUNDLE, CHARTS, CLINIC, HUB, run_helm
from support.markdown_pages import CHECKOUT, Page

PAGE = Page(CHECKOUT / "docs" / "install.md")


def _lines(section: str) -> list[list[str]]:
    """The command lines of a section, as words."""
    (text,) = [block.text for block in PAGE.blocks if block.section == section and block.language == "sh"][:1]
    return [shlex.split(line) for line in text.replace("\\\n", " ").splitlines()]


def test_a_clinic_is_installed_by_four_commands() -> None:
    assert len(_lines("A clinic, in four commands")) == 4


@pytest.mark.parametrize("section", ["A clinic, in four commands", "A hub"])
def test_the_helm_commands_of_the_page_render(section: str, tmp_path: Path) -> None:
    """With the file that the administrator writes in its place, and as `template`, which takes what `install` takes."""
    (tmp_path / "ottawa-membership.yaml").write_text(yaml.safe_dump(BUNDLE))
    (install, check) = [words for words in _lines(section) if words[0] == "helm"]

    words = [str(tmp_path / word) if word.endswith("-membership.yaml") else word for word in install[2:]]
    rendered = run_helm(3, "template", *(str(CHECKOUT / word) if "/" in word else word for word in words))

    assert check[:3] == ["helm", "test", install[2]]
    assert f"name: {install[2]}-test" in rendered


def _named(section: str) -> set[str]:
    return {name for cells in PAGE.rows(section) for name in re.findall(r"`([\w.*]+)`", cells[0])}


@pytest.mark.parametrize(("section", "chart"), [("A clinic, in four commands", CLINIC), ("What else to know", HUB)])
def test_the_values_on_the_page_are_values_of_the_chart(section: str, chart: str) -> None:
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    assert len(_named(section)) > 5

    for name in _named(section):
        found = values
        for part in name.split("."):
            found = next(iter(found.values())) if part == "*" else found[part]
