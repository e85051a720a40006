"""`submit` uploads what is in the outbox. It has no access to images; repeating it uploads the same bytes."""

from collections.abc import Mapping
from pathlib import Path

from fedround_api.jobs import CERTIFICATE_VARIABLE, WORKSPACE_VARIABLE, JobReport, Role, SubmitInput
from fedround_training.errors import DigestMismatch
from fedround_training.jobs.environment import read_input, volume
from fedround_training.jobs.workspace import part_folder
from fedround_training.store.files import Content, content_of
from fedround_training.store.presigned import Gateway, Transfer


def start(environ: Mapping[str, str]) -> JobReport:
    given = read_input(environ, SubmitInput)
    return submit(given, volume(environ, WORKSPACE_VARIABLE), Gateway(volume(environ, CERTIFICATE_VARIABLE)))


def submit(given: SubmitInput, workspace: Path, transfer: Transfer) -> JobReport:
    """The update of the outbox under its URL, if it is the one that the agent was told of."""
    update = part_folder(workspace, given.folder).update
    if not update.is_file():
        raise DigestMismatch("the outbox holds no update")
    content = content_of(update)
    if content != Content(given.digest, given.bytes):
        raise DigestMismatch(f"the update in the outbox has sha256 {content.digest}, expected {given.digest}")
    transfer.put(given.url, update)
    return JobReport(role=Role.SUBMIT, digest=content.digest, bytes=content.bytes)
