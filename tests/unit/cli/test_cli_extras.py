"""The commands of the guide run with the extra that the guide has a person install, and with no package beside it."""

import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from fedround_cli.arguments.parsers import UsageError
from fedround_cli.failures import _EXTRAS
from fedround_cli.main import parser
from support.markdown_pages import CHECKOUT, FEDROUND, Page

PAGES = ("install.md", "operations.md", "enrolment.md", "clinic-it.md", "your-images.md")
# Whoever makes a test set or looks at images needs what reads images; a federation on this machine needs all of it.
EXTRAS = {"data": "training", "demo": "local", "local": "local"}

# Imports each runner as `fedround` does and then calls command lines, while every other package cannot be found.
PROGRAM = """
import importlib, importlib.abc, json, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

blocked, runners, lines = json.load(sys.stdin)
sys.meta_path.insert(0, Missing())
from fedround_cli.main import main
for runner in runners:
    importlib.import_module(runner)
for line in lines:
    print("called", line, main(line), flush=True)
"""


def commands(extra: str) -> list[tuple[str, ...]]:
    """The words after `fedround` of every command of the pages that needs the extra."""
    found = (one for page in PAGES for one in Page(CHECKOUT / "docs" / page).commands() if one.words[0] in FEDROUND)
    words = dict.fromkeys(one.words[1:] for one in found)
    return [one for one in words if EXTRAS.get(one[0], "operator") == extra]


def runners(lines: Iterable[tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The module that runs a command, with one of the lines; what a page only mentions need not be complete."""
    found = {}
    for words in (one for one in lines if not {"--help", "--state"} & set(one)):
        try:
            options = parser().parse_args(list(words))
        except UsageError:
            continue
        if hasattr(options, "runner"):
            found[options.runner] = words
    return found


def installed_by(extra: str) -> set[str]:
    """The distributions that `pip install '.[EXTRA]'` brings."""
    seen: set[tuple[str, str]] = set()
    todo = [("fedround", extra)]
    while todo:
        name, wanted = todo.pop()
        if (name, wanted) in seen:
            continue
        seen.add((name, wanted))
        for one in map(Requirement, requirements(name)):
            if one.marker is None or one.marker.evaluate({"extra": wanted}):
                todo += [(canonical(one.name), more) for more in ("", *one.extras)]
    return {name for name, _ in seen}


def requirements(name: str) -> list[str]:
    """None of what torch-excludes.txt leaves out."""
    try:
        return importlib.metadata.requires(name) or []
    except importlib.metadata.PackageNotFoundError:
        return []


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_beside(extra: str) -> list[str]:
    """All modules that are installed here by something else."""
    kept = installed_by(extra)
    return [
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if not kept & set(map(canonical, owners)) and not module.startswith("fedround_")
    ]


@pytest.mark.parametrize(
    ("extra", "beside", "expected"),
    [
        (
            "operator",
            {"torch", "numpy", "PIL", "rich", "psutil", "jinja2", "shtab"},
            {"rounds", "report", "backup", "restore", "clinic_readmit", "clinic_preflight"},
        ),
        ("training", {"kubernetes", "kopf", "cryptography", "rich", "psutil"}, {"data_check", "data_testset"}),
    ],
)
def test_a_command_of_the_guide_needs_no_more_than_its_extra(
    extra: str, beside: set[str], expected: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked, used = packages_beside(extra), runners(commands(extra))
    assert beside <= set(blocked)
    assert expected <= {name.removeprefix("fedround_cli.") for name in used}
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    (tmp_path / "passphrase").write_text("long and secret\n")

    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps([blocked, list(used), list(used.values())]),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("called") == len(used)
    assert not re.search(r"is missing: install|a defect", ended.stderr), ended.stderr


def test_what_is_missing_is_looked_for_in_the_extra_that_has_it() -> None:
    extras = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    owners = importlib.metadata.packages_distributions()
    for extra, modules in _EXTRAS.items():
        named = {canonical(Requirement(one).name) for one in extras[extra]}
        if extra == "training":
            named -= {canonical(Requirement(one).name) for one in extras["operator"]}
        owned = {canonical(owner) for module in modules for owner in owners[module]}
        assert named <= owned
        assert owned <= installed_by(extra)


def test_no_page_and_no_message_has_anybody_install_a_name_that_is_not_ours() -> None:
    places = [*CHECKOUT.glob("docs/*.md"), CHECKOUT / "README.md", *CHECKOUT.glob("operator/fedround_cli/**/*.py")]

    assert [path.name for path in places if re.search(r"pip install '?\"?fedround", path.read_text())] == []
