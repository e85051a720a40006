"""Bad images, tables and folders: each has a message of its own, and no round dies of one bad file.

They are met as a user meets them, by `fedround data check`, and as a clinic meets them, by what `train` loads.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fedround_api.dataproblems import DataProblem, QuarantineCause
from fedround_api.jobs import TrainInput
from fedround_api.kinds.federated_round import Base, Training
from fedround_cli.main import main
from fedround_training.errors import DataUnusable
from fedround_training.jobs.recent_images import RecentImages, load_recent_images
from support.bad_data import BAD_IMAGES, BAD_OBJECTS, make_good_folder
from support.bad_tables import BAD_FOLDERS, BAD_TABLES
from support.job_inputs import SHAPE


def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    """Exit code and document of `fedround data check`."""
    code = main(["data", "check", str(folder), "--json"])
    return code, json.loads(capsys.readouterr().out)


def load(folder: Path) -> RecentImages:
    """What `train` loads, all classes of the good folder being the model's."""
    given = TrainInput(
        folder="rounds/r1",
        clinic="north",
        model=SHAPE.model_copy(update={"classes": ["mel", "bcc", "nv"]}),
        base=Base(version=0, digest="0" * 64, bytes=1),
        training=Training(),
        cases_until="2026-03-03T00:00:00Z",
    )
    return load_recent_images(given, folder, folder.with_name("index.json"), folder.with_name("cache"))


Spoil = Callable[[Path], object]


def writes(name: str, content: bytes) -> Spoil:
    """Puts the bytes into a file of the folder."""
    return lambda folder: (folder / name).write_bytes(content)


SET_ASIDE: dict[str, tuple[Spoil, QuarantineCause]] = {
    **{name: (writes("B.jpg", content), cause) for name, (content, cause) in BAD_IMAGES.items()},
    **BAD_OBJECTS,
}
REFUSED: dict[str, tuple[Spoil, DataProblem, str]] = {
    **{name: (writes("metadata.csv", bad.content), bad.problem, bad.message) for name, bad in BAD_TABLES.items()},
    **{name: (bad.spoil, bad.problem, bad.message) for name, bad in BAD_FOLDERS.items()},
}
BAD = {**{name: (spoil, cause, None) for name, (spoil, cause) in SET_ASIDE.items()}, **REFUSED}


@pytest.mark.parametrize(("spoil", "word", "message"), BAD.values(), ids=BAD.keys())
def test_each_bad_thing_has_its_message_and_a_bad_image_costs_only_itself(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Spoil,
    word: QuarantineCause | DataProblem,
    message: str | None,
) -> None:
    folder = make_good_folder(tmp_path / "clinic")
    spoil(folder)
    code, found = check(folder, capsys)
    if message is None:
        assert (code, found["usable"], found["readable"]) == (0, True, 3)
        assert found["setAside"] == {word: {"images": 1, "first": ["B"]}}
    else:
        assert (code, found["usable"], found["problem"]) == (1, False, word)
        where, _, said = str(found["message"]).partition(": ")
        assert where in (str(folder), str(folder / "metadata.csv"))
        assert said == f"{message}; {word.advice}"
        assert said.isprintable()


@pytest.mark.parametrize(("spoil", "cause"), SET_ASIDE.values(), ids=SET_ASIDE.keys())
def test_a_training_goes_on_without_a_bad_image_and_counts_it(
    tmp_path: Path, spoil: Spoil, cause: QuarantineCause
) -> None:
    folder = make_good_folder(tmp_path / "clinic")
    spoil(folder)
    loaded = load(folder)
    assert loaded.labels.tolist() == [0, 2, 1]
    assert loaded.quarantined == {cause: 1}


@pytest.mark.parametrize(("spoil", "problem", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_training_that_cannot_go_on_says_why_in_fixed_words_and_the_rest_to_the_clinics_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, spoil: Spoil, problem: DataProblem, message: str
) -> None:
    folder = make_good_folder(tmp_path / "clinic")
    spoil(folder)
    with pytest.raises(DataUnusable) as caught:
        load(folder)
    assert str(caught.value) == f"{problem}: {problem.advice}; the Job's log has the details"
    if problem is DataProblem.NO_READABLE_IMAGE:
        assert caught.value.quarantined == {"not a JPEG or PNG": 3, "empty": 1}
    else:
        assert message in caplog.text


def test_every_problem_and_cause_has_a_case_here() -> None:
    words = {word for _, word, _ in BAD.values()}
    # By a file of more than 64 MiB, and by the operating system: further down. By the index: test_train.
    elsewhere = {
        DataProblem.TABLE_TOO_LARGE,
        DataProblem.TABLE_NOT_READ,
        DataProblem.FOLDER_NOT_READ,
        DataProblem.INDEX_CORRUPT,
    }
    assert {*DataProblem, *QuarantineCause} - words == elsewhere


def test_fixed_words_hold_nothing_but_words() -> None:
    """They go to the clinic's API server: plain text, short enough for a termination message."""
    for problem in DataProblem:
        text = f"{problem}: {problem.advice}"
        assert text.isascii()
        assert text.isprintable()
        assert len(text) < 200


@contextmanager
def without_rights() -> Iterator[Path]:
    """A folder of which root and everybody else is refused what its modes refuse."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        before = os.geteuid()
        folder = make_good_folder(Path(name) / "clinic")
        try:
            yield folder
        finally:
            os.seteuid(before)
            folder.chmod(0o755)


def give_up_rights() -> None:
    if os.geteuid() == 0:
        os.seteuid(65534)


def test_an_image_that_may_not_be_read_is_set_aside(capsys: pytest.CaptureFixture[str]) -> None:
    with without_rights() as folder:
        (folder / "B.jpg").chmod(0)
        give_up_rights()
        code, found = check(folder, capsys)
    assert (code, found["setAside"]) == (0, {"refused by the operating system": {"images": 1, "first": ["B"]}})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("metadata.csv", "the operating system refuses to open the table (Permission denied); let the user that runs"),
        ("", "the operating system refuses to list the image folder (Permission denied); let the user that runs"),
    ],
)
def test_a_table_or_folder_that_may_not_be_read_is_told(
    capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    with without_rights() as folder:
        (folder / name).chmod(0)
        give_up_rights()
        code, found = check(folder, capsys)
    assert code == 1
    assert message in str(found["message"])


def test_a_subfolder_that_may_not_be_read_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with without_rights() as folder:
        (folder / "private").mkdir(mode=0)
        give_up_rights()
        code, found = check(folder, capsys)
    assert code == 0
    assert "passed over 1 folders that the operating system refuses to list" in str(found["remarks"])


def test_a_table_of_more_than_64_mib_is_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_good_folder(tmp_path / "clinic")
    os.truncate(folder / "metadata.csv", 64 * 2**20 + 1)
    assert check(folder, capsys)[1]["message"] == (
        f"{folder}/metadata.csv: the table has more than 64 MiB; leave out columns or rows that are not needed"
    )
