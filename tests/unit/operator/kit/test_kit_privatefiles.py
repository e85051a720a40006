"""Files for their owner only, on file systems that know less than others."""

import errno
import os
from pathlib import Path

import pytest

from fedround_operator.kit.privatefiles import sync_folder

# The kernel's own file system can sync no folder, as some network shares cannot.
PROC = Path("/proc")


@pytest.mark.skipif(not PROC.is_dir(), reason="only Linux has it")
def test_a_folder_that_cannot_be_synced_is_no_failure() -> None:
    descriptor = os.open(PROC, os.O_RDONLY)
    try:
        with pytest.raises(OSError, match="Invalid argument") as refused:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
    assert refused.value.errno == errno.EINVAL

    sync_folder(PROC)
