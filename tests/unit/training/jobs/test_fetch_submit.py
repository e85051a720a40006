"""`fetch` and `submit`: what is on the workspace volume afterwards, and what is refused."""

from pathlib import Path

import pytest

from fedround_api.jobs import FetchInput, SubmitInput
from fedround_training.errors import DigestMismatch, InputWrong, StoreUnavailable, TooLarge
from fedround_training.jobs.fetch import fetch
from fedround_training.jobs.submit import submit
from fedround_training.store.files import Content, save_stream
from support.job_inputs import digest_of

URL = "https://gateway/published/skin/x?signature"
CHECKPOINT = b"weights"


class OneObject:
    """A Transfer to a place that holds one object, or that is away."""

    def __init__(self, content: bytes = b"", away: bool = False) -> None:
        self.content = content
        self.away = away
        self.requests = 0

    def get(self, url: str, path: Path, limit_bytes: int) -> Content:
        self._answer()
        return save_stream(path, [self.content], limit_bytes)

    def put(self, url: str, path: Path) -> None:
        self._answer()
        self.content = path.read_bytes()

    def _answer(self) -> None:
        self.requests += 1
        if self.away:
            raise StoreUnavailable("the gateway did not answer")


def fetch_input(folder: str = "rounds/r2", keep: tuple[str, ...] = ()) -> FetchInput:
    return FetchInput(folder=folder, url=URL, digest=digest_of(CHECKPOINT), bytes=7, keep=list(keep))


def tree(workspace: Path) -> list[str]:
    return sorted(path.relative_to(workspace).as_posix() for path in workspace.rglob("*") if path.is_file())


def test_the_checkpoint_is_in_its_folder(tmp_path: Path) -> None:
    report = fetch(fetch_input(), tmp_path, OneObject(CHECKPOINT))

    assert (report.digest, report.bytes) == (digest_of(CHECKPOINT), 7)
    assert tree(tmp_path) == ["rounds/r2/checkpoint.safetensors"]


def test_a_checkpoint_that_is_there_is_not_asked_for_again(tmp_path: Path) -> None:
    fetch(fetch_input(), tmp_path, OneObject(CHECKPOINT))

    fetch(fetch_input(), tmp_path, OneObject(away=True))


def test_a_spoiled_checkpoint_is_brought_anew(tmp_path: Path) -> None:
    fetch(fetch_input(), tmp_path, OneObject(CHECKPOINT))
    (tmp_path / "rounds/r2/checkpoint.safetensors").write_bytes(b"WEIGHTS")

    fetch(fetch_input(), tmp_path, OneObject(CHECKPOINT))

    assert (tmp_path / "rounds/r2/checkpoint.safetensors").read_bytes() == CHECKPOINT


def test_other_bytes_are_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(DigestMismatch, match=digest_of(b"WEIGHTS")):
        fetch(fetch_input(), tmp_path, OneObject(b"WEIGHTS"))
    assert tree(tmp_path) == []


def test_a_longer_object_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(TooLarge):
        fetch(fetch_input(), tmp_path, OneObject(CHECKPOINT + b"."))
    assert tree(tmp_path) == []


@pytest.mark.parametrize("folder", ["rounds/r2", "r2"])
def test_folders_of_other_parts_are_removed_but_for_those_to_keep(tmp_path: Path, folder: str) -> None:
    parent = (tmp_path / folder).parent
    for name in ("r0", "r1", "r2"):
        (parent / name / "outbox").mkdir(parents=True)
        (parent / name / "outbox/update.safetensors").write_bytes(b"update")
    (parent / "ledger").mkdir()
    (parent / "ledger/ledger.jsonl").write_text("{}")
    (parent / "first-seen.json").write_text("{}")

    fetch(fetch_input(folder, keep=(str(Path(folder).with_name("r1")),)), tmp_path, OneObject(CHECKPOINT))

    assert tree(parent) == [
        "first-seen.json",
        "ledger/ledger.jsonl",
        "r1/outbox/update.safetensors",
        "r2/checkpoint.safetensors",
        "r2/outbox/update.safetensors",
    ]


def test_a_link_is_not_followed_when_folders_are_removed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "outbox").mkdir(parents=True)
    workspace = tmp_path / "workspace"
    (workspace / "rounds").mkdir(parents=True)
    (workspace / "rounds/r1").symlink_to(elsewhere)

    fetch(fetch_input(), workspace, OneObject(CHECKPOINT))

    assert (elsewhere / "outbox").is_dir()


@pytest.mark.parametrize("folder", ["/etc", "..", "rounds/../..", "rounds/../../etc", "", ".", ".scratch", "rounds/.x"])
def test_a_folder_outside_the_workspace_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(InputWrong):
        fetch(fetch_input(folder), tmp_path, OneObject(CHECKPOINT))
    with pytest.raises(InputWrong):
        fetch(fetch_input(keep=(folder,)), tmp_path, OneObject(CHECKPOINT))


def test_a_folder_that_leads_out_by_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace/rounds").symlink_to(tmp_path)

    with pytest.raises(InputWrong, match="leads out"):
        fetch(fetch_input(), tmp_path / "workspace", OneObject(CHECKPOINT))


def submit_input(digest: str = digest_of(b"update")) -> SubmitInput:
    return SubmitInput(folder="rounds/r2", url=URL, digest=digest, bytes=6)


def outbox(workspace: Path, content: bytes = b"update") -> None:
    (workspace / "rounds/r2/outbox").mkdir(parents=True)
    (workspace / "rounds/r2/outbox/update.safetensors").write_bytes(content)


def test_the_update_of_the_outbox_is_uploaded(tmp_path: Path) -> None:
    outbox(tmp_path)
    place = OneObject()

    report = submit(submit_input(), tmp_path, place)

    assert place.content == b"update"
    assert (report.digest, report.bytes) == (digest_of(b"update"), 6)


def test_another_update_than_the_named_one_is_not_uploaded(tmp_path: Path) -> None:
    outbox(tmp_path, b"UPDATE")
    place = OneObject()

    with pytest.raises(DigestMismatch):
        submit(submit_input(), tmp_path, place)
    assert place.requests == 0


def test_an_empty_outbox_is_not_uploaded(tmp_path: Path) -> None:
    with pytest.raises(DigestMismatch, match="holds no update"):
        submit(submit_input(), tmp_path, OneObject())
