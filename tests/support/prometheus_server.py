"""A real Prometheus for tests, and what they ask it."""

import json
import math
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedround_local.ports import free_ports
from support import tools

SCRAPE_SECONDS = 1


def program(name: str) -> Path:
    """`prometheus` or `promtool`; the test is skipped where there can be none."""
    try:
        return tools.prometheus(name)
    except tools.NoDebian as error:
        pytest.skip(str(error))


class Prometheus:
    """Scrapes every second, evaluates rules as often, until `close`."""

    def __init__(self, folder: Path, ports: Mapping[str, Iterable[int]], rules: Iterable[Path]) -> None:
        """`ports` by the namespace that a cluster's Prometheus would find them in."""
        self._began = time.time()
        (port,) = free_ports(1)
        self.address = f"http://127.0.0.1:{port}"
        targets = [
            {"targets": [f"127.0.0.1:{one}" for one in those], "labels": {"namespace": namespace}}
            for namespace, those in ports.items()
        ]
        every = f"{SCRAPE_SECONDS}s"
        configuration = {
            "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
            "rule_files": [str(path) for path in rules],
            "scrape_configs": [{"job_name": "fedround", "static_configs": targets}],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        argv = [
            str(program("prometheus")),
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with (folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=subprocess.STDOUT)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(20)

    def ready(self) -> bool:
        """Whether it runs and has scraped every target once."""
        assert self._process.poll() is None, "Prometheus has ended"
        try:
            targets = self.get("targets", state="active")["activeTargets"]
        except OSError:
            return False
        return all(one["health"] == "up" for one in targets)

    def get(self, path: str, **parameters: str) -> Any:
        """What its API answers."""
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - on loopback
            return json.loads(answer.read())["data"]

    def values(self, expression: str, *, instant: bool = False) -> list[float]:
        """All values, of all series, now or at any second since it began; NaN is none."""
        if instant:
            series = self.get("query", query=expression)["result"]
            found = [one["value"] for one in series]
        else:
            span = {"start": str(self._began), "end": str(time.time()), "step": str(SCRAPE_SECONDS)}
            series = self.get("query_range", query=expression, **span)["result"]
            found = [value for one in series for value in one["values"]]
        return [float(value) for _, value in found if not math.isnan(float(value))]
