"""Where a Job finds its input and its volumes: the environment variables of the contract, read once.

Called by the Jobs' `start` functions. Everything wrong here is InputWrong: operator and image differ, another attempt
helps nothing.
"""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TypeVar

from pydantic import ValidationError

from fedround_api.fields import ClosedPart
from fedround_api.jobs import INPUT_VARIABLE
from fedround_training.errors import InputWrong

InputT = TypeVar("InputT", bound=ClosedPart)


def read_input(environ: Mapping[str, str], kind: type[InputT]) -> InputT:
    """The role's input. The error names fields, never their values: URLs are secrets."""
    try:
        return kind.model_validate_json(environ[INPUT_VARIABLE])
    except KeyError as error:
        raise InputWrong(f"{INPUT_VARIABLE} is not set") from error
    except ValidationError as error:
        fields = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'input'}: {one['type']}" for one in error.errors()[:8])
        raise InputWrong(f"{INPUT_VARIABLE} is no {kind.__name__}: {fields}") from None


def volume(environ: Mapping[str, str], variable: str) -> Path:
    """The folder that a variable names; it has to exist."""
    folder = environ.get(variable)
    if not folder or not Path(folder).is_dir():
        raise InputWrong(f"{variable} names no folder")
    return Path(folder)


def folder_below(workspace: Path, folder: str) -> Path:
    """The folder of a part of a round. Raises InputWrong for one that is not strictly below the workspace."""
    return _below(workspace, folder, "a folder of the workspace")


def file_below(folder: Path, file: str) -> Path:
    """The file on a volume. Raises InputWrong for one that is not strictly below it, or is no regular file."""
    path = _below(folder, file, f"the path {file}")
    if not path.is_file():
        raise InputWrong(f"there is no file {file} on its volume")
    return path


def _below(folder: Path, relative: str, what: str) -> Path:
    parts = PurePosixPath(relative).parts
    if not parts or relative.startswith("/") or any(part.startswith(".") for part in parts):
        raise InputWrong(f"{what} has to be relative, without '..' or hidden parts")
    path = folder.joinpath(*parts)
    # Not Path.resolve: up to Python 3.12 it raises at links that go round in a circle.
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
        raise InputWrong(f"{what} leads out of its volume")
    return path
