"""The sum over files: its value, its order, its bytes, and what it refuses."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save

from fedround_training.aggregation.weighted_mean import WeightedUpdate, save_weighted_mean
from fedround_training.errors import NotFinite
from fedround_training.models.checkpoint import StoredCheckpoint, open_checkpoint
from support.job_inputs import digest_of, safetensors


def stored(path: Path, content: bytes) -> StoredCheckpoint:
    path.write_bytes(content)
    return open_checkpoint(path, digest_of(content), len(content))


def update(folder: Path, clinic: str, values: list[float], weight: int) -> WeightedUpdate:
    return WeightedUpdate(clinic, stored(folder / clinic, safetensors(weight=values)), weight)


def test_the_candidate_is_the_base_plus_the_weighted_mean(tmp_path: Path) -> None:
    base = stored(tmp_path / "base", safetensors(weight=[10, 20]))
    updates = [update(tmp_path, "north", [1, 0], 300), update(tmp_path, "south", [5, -4], 100)]

    save_weighted_mean(base, updates, tmp_path / "candidate")

    assert (tmp_path / "candidate").read_bytes() == safetensors(weight=[12, 19])


def test_the_order_in_which_clinics_are_given_changes_no_byte(tmp_path: Path) -> None:
    base = stored(tmp_path / "base", safetensors(weight=[0.1]))
    a, b, c = (update(tmp_path, name, [value], 1) for name, value in (("a", 1e20), ("b", 1.0), ("c", -1e20)))

    save_weighted_mean(base, [a, b, c], tmp_path / "one")
    save_weighted_mean(base, [a, c, b], tmp_path / "other")

    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_an_update_with_its_tensors_in_another_order_is_summed_by_name(tmp_path: Path) -> None:
    weight, bias = (f'{{"dtype":"F32","shape":[1],"data_offsets":[{start},{start + 4}]}}' for start in (0, 4))
    header = f'{{"weight":{weight},"bias":{bias}}}'.encode()
    content = len(header).to_bytes(8, "little") + header + np.array([7, 1], "<f4").tobytes()
    base = stored(tmp_path / "base", safetensors(bias=[0], weight=[0]))

    save_weighted_mean(base, [WeightedUpdate("north", stored(tmp_path / "u", content), 1)], tmp_path / "candidate")

    assert (tmp_path / "candidate").read_bytes() == safetensors(bias=[1], weight=[7])


def test_an_update_with_nan_is_told_of_its_clinic(tmp_path: Path) -> None:
    base = stored(tmp_path / "base", safetensors(weight=[0, 0]))
    updates = [update(tmp_path, "north", [1, 1], 1), update(tmp_path, "south", [1, float("nan")], 1)]

    with pytest.raises(NotFinite, match="the update of clinic south") as caught:
        save_weighted_mean(base, updates, tmp_path / "candidate")
    assert caught.value.clinic == "south"


def test_a_sum_that_overflows_is_nobodys(tmp_path: Path) -> None:
    base = stored(tmp_path / "base", safetensors(weight=[3e38]))

    with pytest.raises(NotFinite, match="overflows") as caught:
        save_weighted_mean(base, [update(tmp_path, "north", [3e38], 1)], tmp_path / "candidate")
    assert caught.value.clinic is None


SEVEN = st.lists(st.floats(-1e6, 1e6, width=32), min_size=7, max_size=7)


@settings(max_examples=50)
@given(
    chunk=st.integers(1, 8),
    clinics=st.lists(st.tuples(st.integers(1, 10_000), SEVEN), min_size=1, max_size=5),
)
def test_it_is_exact_to_the_last_digit_and_the_pieces_do_not_show(
    tmp_path_factory: pytest.TempPathFactory, chunk: int, clinics: list[tuple[int, list[float]]]
) -> None:
    folder = tmp_path_factory.mktemp("sum")
    base_values = [0.5, -1, 2, 3, 1e5, -7, 0]
    base = stored(folder / "base", save({"a": np.array(base_values, np.float32)}))
    updates = [
        WeightedUpdate(f"c{i}", stored(folder / f"c{i}", save({"a": np.array(values, np.float32)})), weight)
        for i, (weight, values) in enumerate(clinics)
    ]

    save_weighted_mean(base, updates, folder / "pieces", chunk_elements=chunk)
    save_weighted_mean(base, updates, folder / "whole")

    total = sum(weight for weight, _ in clinics)
    exact = [
        Fraction(base_values[i]) + sum(weight * Fraction(values[i]) for weight, values in clinics) / total
        for i in range(7)
    ]
    assert (folder / "pieces").read_bytes() == (folder / "whole").read_bytes()
    found = load_file(folder / "whole")["a"]
    # float64 sums of numbers below 1e10 are good to 1e-5 where they cancel; float32 to 6e-8 of the value.
    assert np.allclose(found, [float(value) for value in exact], rtol=1e-7, atol=1e-5)
