"""`fedround data check`: what a training would make of a folder, for its owner."""

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.failures import UsageProblem
from fedround_cli.terminal import Progress
from fedround_training.data.cases import Case
from fedround_training.data.errors import DataWrong, SplitImpossible, listed, quoted, shown
from fedround_training.data.inspection import Inspection, Report, ages, dates, inspect, remarks, skin_types, split
from fedround_training.data.splits import Cases
from fedround_training.data.vocabulary import HIGH_RISK

_WIDTH = 79
# So many ids are enough to find the folder or the camera that they come from.
_SHOWN_IDS = 5
# A photo takes about 5 ms: a line every few seconds.
_IMAGES_A_LINE = 1000

Clinics = Mapping[str, Cases]


def run(options: argparse.Namespace) -> int:
    """Print what was found; 0 where a training can use the folder, else 1."""
    if options.split_by and options.clinics is None:
        raise UsageProblem("--split-by needs --clinics N: say to how many clinics the cases are dealt")
    try:
        found = inspect(options.folder, _progress())
        clinics = split(found, options.clinics, options.split_by, seed=0) if options.clinics else {}
    except DataWrong as error:
        print(json.dumps(_refusal(error), indent=2) if options.json else "\n".join(_refused(error)))
        return CommandExit.FAILED
    except SplitImpossible as error:
        raise UsageProblem(str(error)) from error
    told = remarks(found, datetime.now(UTC))
    if options.json:
        print(json.dumps(_document(found, clinics, told), indent=2))
    else:
        print("\n".join(_lines(found, clinics, told)))
    return CommandExit.DONE


def _progress() -> Report:
    say = Progress(sys.stderr)

    def report(done: int, total: int) -> None:
        if done % _IMAGES_A_LINE == 0 and done < total:
            say(f"{done} of {total} images read")

    return report


def _refused(error: DataWrong) -> Iterator[str]:
    yield textwrap.fill(str(error), _WIDTH, break_long_words=False, break_on_hyphens=False)
    yield "not usable: mend this and check again"


def _refusal(error: DataWrong) -> dict[str, Any]:
    return {"usable": False, "problem": str(error.problem), "message": str(error)}


def _lines(found: Inspection, clinics: Clinics, told: Sequence[str]) -> Iterator[str]:
    yield shown(found.catalogue.table)
    yield from (f"  {name:<11} {text}" for name, text in _facts(found))
    if found.quarantined:
        yield f"set aside: {_images(len(found.quarantined))}"
        for cause, ids in found.set_aside.items():
            yield from _item(f"{cause} ({len(ids)}): {_first(ids)}; {cause.advice}")
    if clinics:
        yield f"dealt to {len(clinics)} clinics:"
        yield from (f"  {name:<24} {len(cases):>6} cases, {_risky(cases)} high-risk" for name, cases in clinics.items())
    if told:
        yield "to know:"
        for remark in told:
            yield from _item(remark)
    yield f"usable: a training can use {len(found.readable)} of {len(found.catalogue.cases)} cases"


def _facts(found: Inspection) -> Iterator[tuple[str, str]]:
    yield "cases", f"{len(found.readable)}, of which {_risky(found.readable)} high-risk (*)"
    yield "classes", ", ".join(f"{name}{'*' * (name in HIGH_RISK)} {count}" for name, count in found.classes.items())
    yield "together", ", ".join(f"{count} by {unit}" for unit, count in found.units.items())
    span = dates(found.readable)
    yield "dates", f"{span[0]} to {span[1]}" if span else "none"
    types = skin_types(found.readable)
    if types is not None:
        yield "skin types", listed([f"{quoted(value)} {count}" for value, count in types.items()])
    known = ages(found.readable)
    if known is not None:
        yield "ages", f"{known[0]:g} to {known[1]:g}, {known[2]} unknown"


def _item(text: str) -> Iterator[str]:
    wrapped = textwrap.wrap(text, _WIDTH, initial_indent="  - ", subsequent_indent="    ", break_on_hyphens=False)
    yield from wrapped


def _document(found: Inspection, clinics: Clinics, told: Sequence[str]) -> dict[str, Any]:
    span, known = dates(found.readable), ages(found.readable)
    return {
        "usable": True,
        "table": str(found.catalogue.table),
        "cases": len(found.catalogue.cases),
        "readable": len(found.readable),
        "classes": {name: {"cases": count, "highRisk": name in HIGH_RISK} for name, count in found.classes.items()},
        "groups": {str(unit): count for unit, count in found.units.items()},
        "dates": {"first": span[0], "last": span[1], "undated": span[2]} if span else None,
        "skinTypes": skin_types(found.readable),
        "ages": {"youngest": known[0], "oldest": known[1], "unknown": known[2]} if known else None,
        "setAside": {
            str(cause): {"images": len(ids), "first": list(ids[:_SHOWN_IDS])} for cause, ids in found.set_aside.items()
        },
        "clinics": {name: {"cases": len(cases), "highRisk": _risky(cases)} for name, cases in clinics.items()},
        "remarks": list(told),
    }


def _risky(cases: Sequence[Case]) -> int:
    return sum(case.label in HIGH_RISK for case in cases)


def _first(ids: Sequence[str]) -> str:
    return listed([quoted(one) for one in ids], most=_SHOWN_IDS)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
