"""`train` in a clinic: the same update for the same input, once; and reports that name nobody."""

import logging
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import JobReport, TrainInput
from fedround_api.kinds.federated_round import Base, Cases, Training
from fedround_training.errors import DataUnusable, InputWrong, JobError, NoCases, NotFinite
from fedround_training.jobs.train import train
from fedround_training.models.checkpoint import save_checkpoint
from fedround_training.models.registry import build, tensors_of
from support.job_inputs import PICKLE, SHAPE, digest_of, lesions, save_images

TRAINING = Training(epochs=2, batch_size=4, learning_rate="0.05", momentum="0.9", seed=3)


class Clinic:
    """A workspace with a fetched checkpoint, and a folder of images beside it."""

    def __init__(self, folder: Path, count: int = 6) -> None:
        self.workspace, self.images = folder / "workspace", folder / "images"
        self.workspace.mkdir(parents=True)
        lesions(self.images, count)
        self.base = self.fetched("rounds/r1")

    def fetched(self, part: str) -> Base:
        path = self.workspace / part / "checkpoint.safetensors"
        content = save_checkpoint(path, tensors_of(build(SHAPE, seed=0)))
        return Base(version=0, digest=content.digest, bytes=content.bytes)

    def train(self, part: str = "rounds/r1", until: str = "2026-11-24T12:00:00Z", **changes: object) -> JobReport:
        given = TrainInput(
            folder=part, clinic="north", model=SHAPE, base=self.base, training=TRAINING, cases_until=until
        )
        return train(given.model_copy(update=changes), self.workspace, self.images)

    @property
    def update(self) -> Path:
        return self.workspace / "rounds/r1/outbox/update.safetensors"


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def test_the_report_tells_steps_cases_and_the_digest_of_the_outbox(clinic: Clinic) -> None:
    report = clinic.train()

    assert (report.steps, report.cases) == (4, 6)
    assert report.digest == digest_of(clinic.update.read_bytes())
    assert report.bytes == clinic.update.stat().st_size


def test_the_update_is_what_training_added_to_the_base(clinic: Clinic) -> None:
    clinic.train()

    update = load_file(clinic.update)
    base = load_file(clinic.workspace / "rounds/r1/checkpoint.safetensors")
    assert {name: values.shape for name, values in update.items()} == {name: v.shape for name, v in base.items()}
    # Two classes, a head that started at zero: what the one logit gains the other loses.
    assert np.allclose(update["head.bias"].sum(), 0, atol=1e-6)
    assert 0 < max(float(np.abs(values).max()) for values in update.values()) < 1


def test_two_clinics_with_the_same_input_make_the_same_bytes(tmp_path: Path) -> None:
    assert Clinic(tmp_path / "one").train().digest == Clinic(tmp_path / "other").train().digest


def test_fedprox_keeps_the_update_nearer_to_the_base(tmp_path: Path) -> None:
    fedprox = Training.model_validate({**TRAINING.model_dump(), "algorithm": "FedProx", "proximal_mu": "5"})
    free, drawn_back = Clinic(tmp_path / "free"), Clinic(tmp_path / "drawn-back")

    assert free.train().digest != drawn_back.train(training=fedprox).digest
    lengths = [sum(np.sum(values**2) for values in load_file(one.update).values()) for one in (free, drawn_back)]
    assert lengths[1] < 0.5 * lengths[0]


def test_bounded_batches_keep_the_update_short(tmp_path: Path) -> None:
    bounded = TRAINING.model_copy(update={"max_batch_grad_norm": "0.01", "momentum": "0"})
    clinic = Clinic(tmp_path)

    # Four steps of a rate of 0.05 along gradients of at most 0.01.
    assert clinic.train(training=bounded).steps == 4
    assert sum(np.sum(values**2) for values in load_file(clinic.update).values()) <= (4 * 0.05 * 0.0101) ** 2


def test_a_finished_outbox_is_reported_again_without_the_images(clinic: Clinic) -> None:
    first = clinic.train()
    clinic.images = clinic.images.with_name("gone")

    assert clinic.train() == first


def test_an_outbox_of_another_input_is_not_reused(clinic: Clinic) -> None:
    first = clinic.train()

    second = clinic.train(training=TRAINING.model_copy(update={"seed": 4}))

    assert second.digest != first.digest
    assert second.digest == digest_of(clinic.update.read_bytes())


def test_a_spoiled_outbox_is_made_again_with_the_same_bytes(clinic: Clinic) -> None:
    first = clinic.train()
    clinic.update.write_bytes(b"cut off")

    assert clinic.train() == first
    assert digest_of(clinic.update.read_bytes()) == first.digest


def test_a_repeated_round_does_not_see_files_that_came_since_and_the_next_round_does(clinic: Clinic) -> None:
    first = clinic.train()
    clinic.update.unlink()
    lesions(clinic.images, 8)

    assert clinic.train() == first
    clinic.fetched("rounds/r2")
    assert clinic.train("rounds/r2", until="2026-11-24T13:00:00Z").cases == 8


def test_cases_older_than_the_window_are_left_out(clinic: Clinic) -> None:
    clinic.train()
    lesions(clinic.images, 8)
    clinic.fetched("rounds/r2")
    narrow = TRAINING.model_copy(update={"cases": Cases(window_days=1)})

    assert clinic.train("rounds/r2", until="2026-11-26T12:00:00Z", training=narrow).cases == 2


def test_no_case_in_the_window_has_its_own_error(clinic: Clinic) -> None:
    clinic.train()
    clinic.fetched("rounds/r2")
    narrow = TRAINING.model_copy(update={"cases": Cases(window_days=1)})

    with pytest.raises(NoCases) as caught:
        clinic.train("rounds/r2", until="2026-12-24T12:00:00Z", training=narrow)
    assert caught.value.exit_code is ExitCode.NO_CASES


def test_cases_of_classes_that_the_model_lacks_are_left_out(clinic: Clinic) -> None:
    save_images(clinic.images, {"L900": (9, 9, 9)}, {"L000": "mel", "L900": "bcc"})

    assert clinic.train().cases == 1


def test_only_cases_of_classes_that_the_model_lacks_are_no_cases(clinic: Clinic) -> None:
    save_images(clinic.images, {"L900": (9, 9, 9)}, {"L900": "bcc"})

    with pytest.raises(NoCases, match="classes"):
        clinic.train()


def test_damaged_images_are_set_aside_and_counted_by_cause(clinic: Clinic) -> None:
    (clinic.images / "L002.png").write_bytes(b"no image")
    (clinic.images / "L003.png").write_bytes(b"")
    (clinic.images / "L004.png").write_bytes(b"")

    report = clinic.train()

    assert report.cases == 3
    assert report.quarantined == {"empty": 2, "not a JPEG or PNG": 1}


def test_without_a_damaged_image_the_count_is_empty_and_not_missing(clinic: Clinic) -> None:
    assert clinic.train().quarantined == {}


def test_an_image_that_left_the_folder_leaves_the_cache(clinic: Clinic) -> None:
    """A patient who no longer takes part: with the next training, no pixel of the image is on the volume."""
    clinic.train()
    cache = clinic.workspace / "image-cache"
    before = set(cache.iterdir())
    (clinic.images / "L002.png").unlink()
    clinic.fetched("rounds/r2")

    clinic.train("rounds/r2", until="2026-11-24T13:00:00Z")

    assert len(before) == 6
    assert len(before - set(cache.iterdir())) == 1


def test_a_window_without_cases_empties_the_cache(clinic: Clinic) -> None:
    clinic.train()
    clinic.fetched("rounds/r2")
    narrow = TRAINING.model_copy(update={"cases": Cases(window_days=1)})

    with pytest.raises(NoCases):
        clinic.train("rounds/r2", until="2026-12-24T12:00:00Z", training=narrow)

    assert list((clinic.workspace / "image-cache").iterdir()) == []


def test_with_and_without_a_cache_the_update_is_the_same_bytes(clinic: Clinic) -> None:
    first = clinic.train()
    clinic.fetched("rounds/r2")

    second = clinic.train("rounds/r2")

    assert (first.digest, first.steps) == (second.digest, second.steps)


def test_a_clinic_without_high_risk_cases_trains_and_its_log_says_so(
    clinic: Clinic, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    save_images(clinic.images, {}, {"L001": "nv", "L003": "nv"})

    assert clinic.train().cases == 2

    notes = [record.getMessage() for record in caplog.records if record.getMessage().startswith("note: ")]
    assert notes == [
        "note: no high-risk case: the clinic takes part, but teaches nothing of what must not be missed",
        "note: one class only: nv",
        "note: no case of mel: other clinics may have some",
    ]


def test_a_folder_without_table_is_unusable_and_the_message_names_no_file(clinic: Clinic) -> None:
    (clinic.images / "metadata.csv").unlink()

    with pytest.raises(DataUnusable) as caught:
        clinic.train()
    assert str(caught.value) == (
        "the image folder has no table: put one CSV, such as metadata.csv, beside the images; "
        "the Job's log has the details"
    )


def test_a_corrupt_index_is_unusable_and_stays_as_it_is(clinic: Clinic) -> None:
    (clinic.workspace / "first-seen.json").write_text("{")

    with pytest.raises(DataUnusable, match="the index of first-seen images cannot be read"):
        clinic.train()
    assert (clinic.workspace / "first-seen.json").read_text() == "{"


def test_images_of_which_none_can_be_read_are_unusable(clinic: Clinic) -> None:
    for path in clinic.images.glob("*.png"):
        path.write_bytes(b"no image")

    with pytest.raises(DataUnusable, match="none of the images"):
        clinic.train()


def test_training_that_diverges_leaves_no_update(clinic: Clinic) -> None:
    wild = Training(epochs=20, batch_size=1, learning_rate="10", momentum="0.999")

    with pytest.raises(NotFinite, match="learning rate"):
        clinic.train(training=wild)
    assert not clinic.update.exists()


def test_a_missing_checkpoint_is_told(clinic: Clinic) -> None:
    with pytest.raises(InputWrong, match="fetch"):
        clinic.train("rounds/r9")


@pytest.mark.parametrize(("content", "code"), [(PICKLE, ExitCode.NOT_SAFETENSORS), (b"x", ExitCode.NOT_SAFETENSORS)])
def test_a_checkpoint_in_another_format_is_refused(clinic: Clinic, content: bytes, code: ExitCode) -> None:
    (clinic.workspace / "rounds/r1/checkpoint.safetensors").write_bytes(content)
    base = Base(version=0, digest=digest_of(content), bytes=len(content))

    with pytest.raises(JobError, match="the checkpoint to start from") as caught:
        clinic.train(base=base)
    assert caught.value.exit_code is code


@pytest.mark.parametrize("until", ["yesterday", "2026-11-24T12:00:00"])
def test_an_instant_that_is_none_is_refused(clinic: Clinic, until: str) -> None:
    with pytest.raises(InputWrong, match="casesUntil"):
        clinic.train(until=until)
