"""What the pages say is so: links lead somewhere, commands can be typed, objects are taken, tables are the code's."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from fedround_api.crd import definitions
from fedround_api.dataproblems import DataProblem, QuarantineCause
from fedround_api.kinds import KINDS, ParticipantState, RoundPhase
from fedround_api.kinds.federated_model import GateRule
from fedround_api.kinds.federated_round import Algorithm, Recency, VerdictResult, Weighting
from fedround_api.kinds.policy import ClinicPolicy
from fedround_api.policyfile import read_policy
from fedround_api.reasons import Reason
from fedround_local.demo.story import Step
from fedround_operator.agent.progress import PartPhase
from fedround_operator.hub.protection import TRAINING_LOCKED_IN, UPDATES_PROTECTED
from fedround_training.data import columns
from fedround_training.data.vocabulary import CLASSES, HIGH_RISK, ONE_HOT, class_of
from support.command_lines import refused
from support.markdown_pages import CHECKOUT, FOREIGN, PROGRAMS, Command, Page, pages
from support.structural_schema import problems

PAGES = {page.name: page for page in pages()}
COMMANDS = [command for page in PAGES.values() for command in page.commands()]
LANGUAGES = {"", "json", "python", "sh", "text", "yaml"}
CRDS = definitions()


# --- links


def broken(page: Page, target: str) -> str | None:
    """What is wrong with a link of a page, if anything."""
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        whole = parts.scheme == "https" and re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc)
        return None if whole and not re.search(r"[\s<>]|[.,)]$", target) else "is no https address"
    path = page.path.parent / unquote(parts.path) if parts.path else page.path
    if not path.exists():
        return "leads to no file"
    if not path.resolve().is_relative_to(CHECKOUT):
        return "leads out of the checkout"
    if parts.fragment and parts.fragment not in Page(path.resolve()).anchors:
        return "leads to no heading"
    return None


@pytest.mark.parametrize("name", PAGES)
def test_every_link_and_image_of_a_page_leads_somewhere(name: str) -> None:
    page = PAGES[name]

    assert {target: found for target in page.links if (found := broken(page, target))} == {}


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("docs/walk.md#10-validating", None),
        ("docs/walk.md#validating", "leads to no heading"),
        ("docs/no-such-page.md", "leads to no file"),
        ("../somewhere-else", "leads to no file"),
        ("/etc", "leads out of the checkout"),
        ("https://fedround.dev/a", None),
        ("http://fedround.dev/a", "is no https address"),
        ("https://fedround.dev/a.", "is no https address"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(target: str, found: str | None) -> None:
    assert broken(PAGES["README.md"], target) == found


def test_every_page_can_be_reached_from_the_index() -> None:
    linked = {(CHECKOUT / "docs" / link.partition("#")[0]).resolve() for link in PAGES["docs/README.md"].links}

    assert [name for name, page in PAGES.items() if name.startswith("docs/") and page.path not in linked] == [
        "docs/README.md"
    ]


def test_the_files_that_pages_name_are_there() -> None:
    """By their last parts, as in `hub/gather.py`; `...` stands for folders that are left out."""
    files = set(_files())
    named = {
        (page.name, word)
        for page in PAGES.values()
        for text in (*(code for _, code in page.codes), *(block.text for block in page.blocks if not block.language))
        for word in re.findall(r"(?<![\w/.<])[\w.-]+(?:/[\w.-]+)+\.(?:py|yaml|md|go|toml)\b", text)
    }

    assert len(named) > 20
    assert [one for one in sorted(named) if not any(fnmatch(file, _pattern(one[1])) for file in files)] == []


def _files() -> Iterator[str]:
    for folder, folders, names in os.walk(CHECKOUT):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in ("build", "__pycache__")]
        yield from (f"/{Path(folder, name).relative_to(CHECKOUT).as_posix()}" for name in names)


def _pattern(word: str) -> str:
    return f"*/{word.replace('...', '*')}"


# --- commands


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_command_of_a_page_can_be_typed(command: Command) -> None:
    assert refused(command) is None


def test_the_pages_have_commands_of_every_kind() -> None:
    """Else the test above has lost sight of them."""
    assert {command.words[0] for command in COMMANDS} == {*PROGRAMS, *FOREIGN}
    assert len([command for command in COMMANDS if not command.prose]) > 20


@pytest.mark.parametrize(
    "line",
    [
        "fedround data chek DIR",
        "fedround local up --data DIR --clinics N --state DIR2",
        "fedround local status",
        "fedround local kubectl --state DIR -- get fedruonds",
        "fedround local kubectl --state DIR -- describe fedround NAME",
        "fedround explain HighRiskCasesFound",
        "make dmeo",
        "kubectl apply -f examples/rounds.yaml",
        "kubectl fedround rnds",
        "python tests/benchmarks/no_such.py",
        "rm -r build",
    ],
)
def test_a_command_that_cannot_be_typed_is_found(line: str) -> None:
    assert refused(Command("a page", 1, "", tuple(line.split()))) is not None


@pytest.mark.parametrize(
    "line", ["fedround data chek", "fedround report --opne", "fedround local kubectl -- get rounds"]
)
def test_a_wrong_word_in_an_abbreviated_command_is_found(line: str) -> None:
    assert refused(Command("a page", 1, "", tuple(line.split()), prose=True)) is not None


# --- blocks


@pytest.mark.parametrize("name", PAGES)
def test_every_block_says_its_language(name: str) -> None:
    """One that does not is shown without colours and, if it is a command, without a button to copy it."""
    assert [(block.line, block.language) for block in PAGES[name].blocks if block.language not in LANGUAGES] == []


def test_every_yaml_block_is_an_object_that_is_taken() -> None:
    documents = [
        (f"{page.name}:{block.line}", document)
        for page in PAGES.values()
        for block in page.blocks
        if block.language == "yaml"
        for document in yaml.safe_load_all(block.text)
    ]

    assert documents
    for where, document in documents:
        assert _wrong_with(document) == [], where


def _wrong_with(document: Mapping[str, Any]) -> list[str]:
    if document["kind"] == "ClinicPolicy":
        read_policy(document)
        return []
    crd = next(crd for crd in CRDS if crd["spec"]["names"]["kind"] == document["kind"])
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    next(kind for kind in KINDS if kind.__name__ == document["kind"]).model_validate(document)
    return list(problems(schema, document["spec"]))


# --- words and tables

ENUMS: Sequence[type[StrEnum]] = (
    *(Algorithm, GateRule, PartPhase, ParticipantState, Reason, Recency, RoundPhase, VerdictResult, Weighting),
)


def test_words_of_the_contract_are_written_as_it_writes_them() -> None:
    """Every word in two humps that stands in code, such as `RolledBack`, is a kind, an enum or a value of the API."""
    known = {str(value) for values in ENUMS for value in values}
    known |= {kind.__name__ for kind in KINDS}
    known |= {
        ClinicPolicy.__name__,
        DataProblem.__name__,
        QuarantineCause.__name__,
        TRAINING_LOCKED_IN,
        UPDATES_PROTECTED,
    }
    named = {
        (page.name, word)
        for page in PAGES.values()
        for _, code in page.codes
        for word in re.findall(r"\b(?:[A-Z][a-z]+){2,}\b", code)
    }

    assert len(named) > 20
    assert [one for one in sorted(named) if one[1] not in known] == []


def test_every_message_about_images_is_on_its_page_with_the_advice_of_the_code() -> None:
    page = PAGES["docs/your-images.md"]

    assert page.rows("The folder or its table cannot be used") == [[one, one.advice] for one in DataProblem]
    assert page.rows("One image is set aside") == [[one, one.advice] for one in QuarantineCause]


def test_the_columns_on_their_page_are_those_that_are_recognised() -> None:
    rows = PAGES["docs/your-images.md"].rows("The columns")
    named = [tuple(name.lower() for name in re.findall(r"`(\w+)`", cells[-1])) for cells in rows]

    assert named == [
        columns.IMAGE,
        columns.DIAGNOSIS,
        ("mel", "nv", "bcc", "ak", "akiec", "bkl", "df", "vasc", "scc", "sccka", "unk", "inf", "ben_oth", "mal_oth"),
        columns.OUTCOME,
        columns.PATIENT,
        columns.LESION,
        columns.VISIT,
        columns.ADDED,
    ]
    assert set(named[2]) == set(ONE_HOT)


def test_the_classes_on_their_page_are_those_of_the_vocabulary() -> None:
    rows = PAGES["docs/your-images.md"].rows("The classes")

    assert [name for name, *_ in rows] == [f"`{name}`" for name in CLASSES]
    assert [risky for _, _, risky, _ in rows] == ["yes" if name in HIGH_RISK else "no" for name in CLASSES]
    assert [
        (spelling, name)
        for name, _, _, spellings in rows
        for spelling in spellings.split(", ")
        if f"`{class_of(spelling)}`" != name
    ] == []


def test_the_demo_on_the_first_page_speaks_as_it_does_when_it_runs() -> None:
    """What it explains is indented below its times; names and numbers are those of one run."""
    shown = next(block.text for block in PAGES["README.md"].blocks if "demo-3" in block.text)
    paragraphs = [" ".join(text.split()) for text in re.findall(r"(?:^ {6}\S.*\n)+", shown, re.MULTILINE)]
    told = "|".join(re.sub(r"\\{\w+\\}", ".+", re.escape(step)) for step in Step)

    assert paragraphs
    assert [one for one in paragraphs if not re.fullmatch(f"({told})( ({told}))*", one)] == []
