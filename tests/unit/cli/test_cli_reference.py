"""What is generated in docs/ is fresh, and the reference page has every word that it promises."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.reasons import Reason

CHECKOUT = Path(__file__).parents[3]
DOCS = CHECKOUT / "docs"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generator", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def page() -> str:
    return (DOCS / "reference.md").read_text()


def test_what_is_committed_is_what_the_generator_writes(generator: ModuleType) -> None:
    pages: dict[str, str] = generator.pages()

    assert [name for name, text in pages.items() if (DOCS / name).read_text() != text] == [], "run `make docs`"


def test_every_reason_and_exit_code_has_its_line(page: str) -> None:
    assert [reason for reason in Reason if f"\n| `{reason}` | " not in page] == []
    assert [code for code in ExitCode if f"\n| {int(code)} | {code.name} | `{code.reason}` | " not in page] == []


def test_every_variable_that_the_programs_read_is_on_the_page(page: str) -> None:
    """Jobs and the gateway get theirs from the operator: no person sets them."""
    sources = [
        *(CHECKOUT / "operator" / "fedround_cli").rglob("*.py"),
        *(CHECKOUT / "local").glob("fedround_local/*.py"),
    ]
    read = {
        name
        for path in sources
        for name in re.findall(r"""(?:environ|env)(?:\.get\(|\[)"([A-Z_]+)""", path.read_text())
    }

    assert {"FEDROUND_DEBUG", "FEDROUND_CACHE_DIR", "XDG_CACHE_HOME"} <= read
    assert [name for name in sorted(read - {"PATH", "HOME"}) if f"`{name}`" not in page] == []


def test_every_link_of_the_contents_leads_to_a_heading(page: str) -> None:
    anchors = re.findall(r"\]\(#([a-z-]+)\)", page)
    headings = [
        line.removeprefix("## ").lower().replace(" ", "-") for line in page.splitlines() if line.startswith("## ")
    ]

    assert anchors == headings
    assert len(anchors) == 7
