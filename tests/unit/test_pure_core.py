"""The code whose coverage is measured is the code that import-linter keeps pure."""

import configparser
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
ROOTS = {
    "fedround_api": "crds",
    "fedround_local": "local",
    "fedround_operator": "operator",
    "fedround_training": "training",
}
# Pure by contracts of their own (the API), or but for reading its files (the mean of updates).
BESIDES = {"crds/fedround_api/*", "training/fedround_training/aggregation/*"}


def pattern_of(module: str) -> str:
    """The pattern of coverage for a module or a package."""
    path = Path(ROOTS[module.partition(".")[0]], *module.split("."))
    return f"{path}/*" if (CHECKOUT / path).is_dir() else f"{path}.py"


def test_coverage_is_measured_of_every_pure_module_and_of_nothing_else() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(CHECKOUT / ".importlinter")
    pure = contracts["importlinter:contract:pure"]["source_modules"].split()

    measured = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["coverage"]["run"]["include"]

    assert sorted(measured) == sorted({*map(pattern_of, pure), *BESIDES})
