"""What a round costs beyond its training and validation, and what all processes together hold in memory.

    python tests/benchmarks/round_cost.py [DEMO OPTIONS]

Runs `fedround demo` in a new state folder and prints, for each round, its seconds, the union of the intervals in which
a `train` or `validate` Job ran (from the node's log), the rest, and the peak of the summed proportional set size (PSS).
"""

import json
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import psutil

_LINE = re.compile(r"^(\S+ \S+) INFO \S+ (started|ended) pod=\S+/(\S+)-(train|validate)-\w+-a\d+-\w+ ")
_SAMPLE_SECONDS = 1.0

Interval = tuple[datetime, datetime]


def intervals(log: str, round_name: str) -> list[Interval]:
    """When `train` and `validate` Jobs of a round ran."""
    begun: dict[str, datetime] = {}
    found = []
    for line in log.splitlines():
        match = _LINE.match(line)
        if match is None or match[3] != round_name:
            continue
        pod, at = line.split("pod=")[1].split()[0], datetime.strptime(match[1], "%Y-%m-%d %H:%M:%S,%f")
        if match[2] == "started":
            begun[pod] = at
        elif pod in begun:
            found.append((begun.pop(pod), at))
    return found


def union_seconds(spans: Iterable[Interval]) -> float:
    """The length of the union of intervals."""
    total, end = 0.0, datetime.min
    for start, stop in sorted(spans):
        if stop > end:
            total += (stop - max(start, end)).total_seconds()
            end = stop
    return total


def pss_bytes(state: Path, root: int) -> int:
    """The summed PSS of the demo and of every process that knows the state folder."""
    total = 0
    ours = {process.pid for process in psutil.Process(root).children(recursive=True)} | {root}
    for process in psutil.process_iter():
        try:
            belongs = process.pid in ours or str(state) in " ".join(process.cmdline()) or _is_job(process, state)
            if belongs:
                total += process.memory_full_info().pss
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total


def _is_job(process: psutil.Process, state: Path) -> bool:
    """Jobs know the state folder by their environment only; the store by its working directory."""
    return any(str(state) in value for value in process.environ().values()) or str(state) in process.cwd()


def main() -> None:
    """Run the demo and print the figures."""
    state = Path(tempfile.mkdtemp(prefix="fedround-cost-"))
    command = [sys.executable, "-m", "fedround_cli.main", "demo", "--state", str(state), "--json", *sys.argv[1:]]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peak = [0]
    done = threading.Event()

    def sample() -> None:
        while not done.wait(_SAMPLE_SECONDS):
            peak[0] = max(peak[0], pss_bytes(state, demo.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    output, _ = demo.communicate()
    done.set()
    sampler.join()
    log = (state / "logs" / "node.log").read_text()
    for result in json.loads(output.splitlines()[-1])["rounds"]:
        work = union_seconds(intervals(log, result["name"]))
        print(
            f"{result['name']}: {result['seconds']:.1f} s, of these {work:.1f} s training or validation, "
            f"{result['seconds'] - work:.1f} s beyond; {len(result['clinics'])} clinics, {result['result']}"
        )
    print(f"peak PSS of all processes: {peak[0] / 2**20:.0f} MiB; state in {state}")


if __name__ == "__main__":
    main()
