"""`fetch` brings a round's checkpoint to the clinic's workspace and removes what earlier rounds left there.

A clinic Job with no access to images. Repeating it is free: a checkpoint that is there, whole, is kept.
"""

import logging
import shutil
from collections.abc import Mapping
from pathlib import Path

from fedround_api.jobs import CERTIFICATE_VARIABLE, WORKSPACE_VARIABLE, FetchInput, JobReport, Role
from fedround_training.errors import DigestMismatch
from fedround_training.jobs.environment import folder_below, read_input, volume
from fedround_training.jobs.workspace import RECEIVED, PartFolder, is_part_folder, part_folder
from fedround_training.store.files import Content, content_of
from fedround_training.store.presigned import Gateway, Transfer

log = logging.getLogger(__name__)


def start(environ: Mapping[str, str]) -> JobReport:
    given = read_input(environ, FetchInput)
    return fetch(given, volume(environ, WORKSPACE_VARIABLE), Gateway(volume(environ, CERTIFICATE_VARIABLE)))


def fetch(given: FetchInput, workspace: Path, transfer: Transfer) -> JobReport:
    """The checkpoint in its folder, its digest checked."""
    part = part_folder(workspace, given.folder)
    remove_others(part, [folder_below(workspace, folder) for folder in given.keep])
    if not _is_there(part, given):
        _bring(part, given, transfer)
    return JobReport(role=Role.FETCH, digest=given.digest, bytes=given.bytes)


def remove_others(part: PartFolder, keep: list[Path]) -> None:
    """Remove the folders of other parts, but for those to keep. What is no part's folder stays."""
    kept = {part.path, *keep}
    for folder in sorted(part.path.parent.glob("*")):
        if folder not in kept and is_part_folder(folder):
            shutil.rmtree(folder)
            log.info("removed the folder of another part")


def _is_there(part: PartFolder, given: FetchInput) -> bool:
    wanted = Content(given.digest, given.bytes)
    return part.checkpoint.is_file() and content_of(part.checkpoint) == wanted


def _bring(part: PartFolder, given: FetchInput, transfer: Transfer) -> None:
    # Under another name until its digest is checked: `train` trusts the name.
    received = part.path / RECEIVED
    content = transfer.get(given.url, received, given.bytes)
    if content != Content(given.digest, given.bytes):
        received.unlink()
        raise DigestMismatch(
            f"the checkpoint has sha256 {content.digest} and {content.bytes} bytes, "
            f"expected {given.digest} and {given.bytes}"
        )
    received.replace(part.checkpoint)
