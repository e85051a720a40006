"""Clinics that differ in what they see, in whom, and with which camera."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from fedround_training.data.dermoscopy.cameras import Camera


@dataclass(frozen=True)
class ClinicProfile:
    """`size` is relative to the other clinics of a set. `classes` and `skin_types` (I to VI) are shares, summing to 1.

    `children` is the share of patients under 18 among those whose lesion a child can have. `age` is the mean age of an
    adult with a mole; with other lesions they are older. `hairiness` is the mean number of hairs in a photo.
    """

    name: str
    size: float
    classes: Mapping[str, float]
    skin_types: tuple[float, float, float, float, float, float]
    camera: Camera
    children: float = 0.03
    age: float = 45.0
    hairiness: float = 4.0


def _shares(*, nv: float, mel: float, bcc: float, bkl: float, scc: float, vasc: float) -> Mapping[str, float]:
    return MappingProxyType({"nv": nv, "mel": mel, "bcc": bcc, "bkl": bkl, "scc": scc, "vasc": vasc})


#: Three clinics for the demo: a mixed city, an old and pale population with much sun damage, and children. These
#: have far more melanomas than children have in truth: in the demo every clinic needs high-risk cases.
DEMO = (
    ClinicProfile(
        "urban",
        size=0.42,
        classes=_shares(nv=0.38, mel=0.18, bcc=0.12, bkl=0.18, scc=0.08, vasc=0.06),
        skin_types=(0.08, 0.20, 0.26, 0.22, 0.14, 0.10),
        camera=Camera("contact-a", gains=(1.01, 1.00, 0.99), noise=2.0, vignette=0.10, quality=92),
    ),
    ClinicProfile(
        "northern",
        size=0.35,
        classes=_shares(nv=0.32, mel=0.18, bcc=0.16, bkl=0.18, scc=0.11, vasc=0.05),
        skin_types=(0.34, 0.44, 0.17, 0.04, 0.01, 0.00),
        camera=Camera("polarised-b", gains=(1.02, 0.98, 0.96), gamma=1.04, noise=3.5, circle=1.22, quality=85),
        children=0.0,
        age=56.0,
        hairiness=3.0,
    ),
    ClinicProfile(
        "childrens",
        size=0.23,
        classes=_shares(nv=0.46, mel=0.19, bcc=0.07, bkl=0.12, scc=0.05, vasc=0.11),
        skin_types=(0.06, 0.14, 0.22, 0.24, 0.20, 0.14),
        camera=Camera(
            "phone-c",
            gains=(0.98, 1.00, 1.02),
            mixing=(0.04, 0.04, 0.04),
            gamma=0.96,
            noise=3.0,
            vignette=0.22,
            quality=80,
        ),
        children=0.90,
        age=24.0,
        hairiness=1.5,
    ),
)

#: Five clinics of unequal size whose cases, skin types and cameras differ together: a hard test bed for federated
#: averaging.
NON_IID = (
    ClinicProfile(
        "urban",
        size=1200,
        classes=_shares(nv=0.55, mel=0.13, bcc=0.11, bkl=0.13, scc=0.04, vasc=0.04),
        skin_types=(0.25, 0.45, 0.30, 0.0, 0.0, 0.0),
        camera=Camera("contact-a", gains=(1.02, 1.00, 0.98), noise=2.0, quality=92),
    ),
    ClinicProfile(
        "darkskin",
        size=700,
        classes=_shares(nv=0.30, mel=0.05, bcc=0.04, bkl=0.45, scc=0.08, vasc=0.08),
        skin_types=(0.0, 0.0, 0.06, 0.14, 0.40, 0.40),
        camera=Camera("polarised-d", gains=(1.05, 1.00, 0.95), gamma=0.90, noise=3.0, vignette=0.16, quality=88),
    ),
    ClinicProfile(
        "paed",
        size=700,
        classes=_shares(nv=0.84, mel=0.02, bcc=0.005, bkl=0.035, scc=0.005, vasc=0.095),
        skin_types=(0.15, 0.25, 0.25, 0.15, 0.12, 0.08),
        camera=Camera(
            "phone-c", gains=(0.92, 1.00, 1.10), mixing=(0.12, 0.12, 0.12), noise=3.5, vignette=0.22, quality=80
        ),
        children=0.95,
        age=24.0,
        hairiness=1.5,
    ),
    ClinicProfile(
        "cancer",
        size=600,
        classes=_shares(nv=0.10, mel=0.36, bcc=0.27, bkl=0.08, scc=0.17, vasc=0.02),
        skin_types=(0.35, 0.40, 0.15, 0.06, 0.03, 0.01),
        camera=Camera("polarised-b", gains=(1.05, 0.94, 0.89), gamma=1.15, noise=2.5, circle=1.20, quality=90),
        children=0.0,
        age=55.0,
    ),
    ClinicProfile(
        "rural",
        size=250,
        classes=_shares(nv=0.30, mel=0.10, bcc=0.20, bkl=0.25, scc=0.12, vasc=0.03),
        skin_types=(0.20, 0.35, 0.25, 0.12, 0.06, 0.02),
        camera=Camera(
            "old-e",
            gains=(0.84, 0.90, 0.78),
            mixing=(0.20, 0.12, 0.20),
            gamma=1.25,
            noise=6.0,
            vignette=0.30,
            quality=70,
        ),
        age=58.0,
        hairiness=7.0,
    ),
)
