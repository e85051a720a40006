"""Writes the CustomResourceDefinitions beside this file: `make crds`."""

from pathlib import Path

import yaml

from fedround_api.crd import definitions

HEADER = "# Generated from crds/fedround_api by `make crds`. Do not edit.\n"


def render(crd: dict[str, object]) -> str:
    """The YAML text of one definition."""
    return HEADER + yaml.safe_dump(crd, sort_keys=False, width=120)


def file_name(crd: dict[str, object]) -> str:
    """`fedround.dev_<plural>.yaml`."""
    spec = crd["spec"]
    assert isinstance(spec, dict)  # noqa: S101
    return f"{spec['group']}_{spec['names']['plural']}.yaml"


def main() -> None:
    """Write every definition."""
    for crd in definitions():
        (Path(__file__).parent / file_name(crd)).write_text(render(crd))


if __name__ == "__main__":
    main()
