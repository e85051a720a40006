"""Small models, checkpoints and image folders for tests of the Jobs. Values are spelled out."""

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from safetensors.numpy import save

from fedround_api.jobs import StoreAddress
from fedround_api.kinds.clinic_round import ModelShape
from fedround_api.kinds.federated_model import Architecture

Array = npt.NDArray[np.float32]

ADDRESS = StoreAddress(endpoint="127.0.0.1:9000", bucket="federation", https=False)
SHAPE = ModelShape(
    name="skin", architecture=Architecture.TINY_GN, classes=["mel", "nv"], high_risk_classes=["mel"], image_size=32
)
PICKLE = pickle.dumps({"weight": [1.0, 2.0]})


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def safetensors(**tensors: Sequence[float] | Sequence[Sequence[float]]) -> bytes:
    """A file of float32 tensors."""
    return save({name: np.array(values, np.float32) for name, values in tensors.items()})


def save_images(folder: Path, colours: Mapping[str, tuple[int, int, int]], labels: Mapping[str, str]) -> None:
    """An ISIC-style folder of images of one colour each."""
    folder.mkdir(parents=True, exist_ok=True)
    for image_id, colour in colours.items():
        Image.new("RGB", (40, 40), colour).save(folder / f"{image_id}.png")
    rows = [f"{image_id},{label},P{image_id}" for image_id, label in labels.items()]
    (folder / "metadata.csv").write_text("\n".join(["image_id,dx,patient_id", *rows]) + "\n")


def lesions(folder: Path, count: int) -> None:
    """`count` images, every second one a dark melanoma, the others light naevi; each a little different."""
    dark = {f"L{n:03d}": (60 + n % 7, 30, 30) for n in range(0, count, 2)}
    light = {f"L{n:03d}": (220, 180 + n % 7, 170) for n in range(1, count, 2)}
    labels = {image_id: "mel" if image_id in dark else "nv" for image_id in sorted({**dark, **light})}
    save_images(folder, {**dark, **light}, labels)
