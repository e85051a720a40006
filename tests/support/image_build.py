"""The project's images for tests: built once, kept in the cache, skipped with a reason where they cannot be built."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from fedround_images.archives import Wanted, ensure_archive
from fedround_images.packages import ProgramMissing
from fedround_images.running import Rootfs, ensure_rootfs


def image_archive(image: str) -> Path:
    """The archive of `operator` or `training`, for `ctr images import`."""
    with _skipped_where_impossible():
        return ensure_archive(image, Wanted())


@cache
def image_rootfs(image: str) -> Rootfs:
    """The files and configuration of `operator` or `training`."""
    with _skipped_where_impossible():
        return ensure_rootfs(image, Wanted())


@contextmanager
def _skipped_where_impossible() -> Iterator[None]:
    if platform.system() != "Linux" or os.geteuid() != 0:
        pytest.skip("images are built and run on Linux as root only")
    try:
        yield
    except ProgramMissing as missing:
        pytest.skip(str(missing))
