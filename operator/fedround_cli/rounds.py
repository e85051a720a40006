"""`fedround rounds`: the rounds of a network with their verdicts and figures."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from fedround_api.kinds import find_condition
from fedround_api.kinds.federated_model import Metrics
from fedround_api.kinds.federated_round import Verdict
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.hub import Hub, RoundList, RoundSeen, connect_hub
from fedround_cli.plain import age, columns, cut, printable

# What the lines of `wide` take with names of usual length.
_WIDE_COLUMNS = 130
_FIGURES = {"sensitivity": "sensitivity", "specificity": "specificity", "auroc": "AUROC"}


def run(options: argparse.Namespace) -> int:
    """List them; the exit code."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return show(connect_hub(options), width, as_json=options.json, now=datetime.now(UTC))


def show(hub: Hub, width: int | None, *, as_json: bool, now: datetime) -> CommandExit:
    """The list, as it suits who reads it, in a terminal of that width or elsewhere; the exit code."""
    listed = hub.rounds()
    if as_json:
        rounds = [as_data(one) for one in listed.rounds]
        print(json.dumps({"rounds": rounds, "unreadable": dict(listed.unreadable)}))
    else:
        _show_readable(hub, listed, width, now)
    for name, sentence in listed.unreadable.items():
        print(f"fedround: round {name} is left out: {sentence}", file=sys.stderr)
    return CommandExit.FAILED if listed.unreadable else CommandExit.DONE


def _show_readable(hub: Hub, listed: RoundList, width: int | None, now: datetime) -> None:
    found = listed.rounds
    if not found:
        if not listed.unreadable:
            print(f"there are no rounds in namespace {hub.namespace}: make one with `kubectl apply -f round.yaml`")
    else:
        is_narrow = width is not None and width < _WIDE_COLUMNS
        print("\n".join(narrow(found, now) if is_narrow else wide(found, now)))


def as_data(seen: RoundSeen) -> dict[str, Any]:
    """A round for programs."""
    status, meta = seen.round.status, seen.round.metadata
    ended = find_condition(status.conditions, "Succeeded")
    return {
        "name": meta.name,
        "namespace": meta.namespace,
        "model": seen.round.spec.model_ref.name,
        "phase": status.phase,
        "reason": status.reason,
        "message": ended.message if ended else "",
        "clinics": status.participation,
        "createdAt": seen.created_at,
        "completedAt": status.completed_at,
        "candidate": status.candidate.digest if status.candidate else None,
        "verdict": status.verdict.dump() if status.verdict else None,
        "report": status.report.dump() if status.report else None,
    }


def wide(found: Sequence[RoundSeen], now: datetime) -> list[str]:
    """One line for each, in columns that `grep` and `awk` can take, as `kubectl get` has them."""
    head = ("NAME", "MODEL", "PHASE", "CLINICS", "VERDICT", "REASON", "AGE", *(n.upper() for n in _FIGURES.values()))
    rows = (_row(one, now) for one in found)
    return columns(head, rows)


def narrow(found: Sequence[RoundSeen], now: datetime) -> Iterator[str]:
    """Three lines for each, of which 80 columns hold those with names of usual length."""
    for one in found:
        name, model, phase, clinics, _, reason, age, *figures = map(printable, _row(one, now))
        told = [f"{label} {figure}" for label, figure in zip(_FIGURES.values(), figures, strict=True) if figure != "-"]
        yield f"{name}: {phase}{f' ({reason})' if reason != '-' else ''}"
        yield f"  {model}, {clinics} clinics, {age} old"
        if told:
            yield f"  {', '.join(told)}"


def _row(seen: RoundSeen, now: datetime) -> tuple[str, ...]:
    status = seen.round.status
    return (
        seen.round.metadata.name,
        seen.round.spec.model_ref.name,
        str(status.phase or "-"),
        status.participation or "-",
        str(status.verdict.result) if status.verdict else "-",
        status.reason or "-",
        age(seen.created_at, now),
        *(_change(status.verdict, name) for name in Metrics.model_fields),
    )


def _change(verdict: Verdict | None, name: str) -> str:
    if verdict is None:
        return "-"
    return f"{cut(getattr(verdict.incumbent, name))}->{cut(getattr(verdict.candidate, name))}"
