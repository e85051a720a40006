"""The class names used everywhere, and the published spellings that mean them.

Pure tables and two look-ups, called by `columns`. The canonical names are those of HAM10000, plus `scc`, which
HAM10000 has not. A table that knows no diagnosis, only benign or malignant, has the two classes of `OUTCOMES`
instead.
"""

import re
from types import MappingProxyType

CLASSES = ("mel", "bcc", "akiec", "scc", "nv", "bkl", "df", "vasc")
BENIGN, MALIGNANT = "benign", "malignant"
OUTCOMES = (BENIGN, MALIGNANT)

#: Missing one of these is the error that the gate guards against. `akiec` is in by default: a pre-cancer missed is
#: worse than one too many.
HIGH_RISK = frozenset({"mel", "bcc", "akiec", "scc", MALIGNANT})

#: What each class can be according to a benign-or-malignant column; `akiec` is published as any of them, so it is
#: never a contradiction.
ALWAYS_MALIGNANT = frozenset({"mel", "bcc", "scc"})
ALWAYS_BENIGN = frozenset({"nv", "bkl", "df", "vasc"})

#: Column headers of a one-hot table (ISIC 2018, ISIC 2019, MILK10k). None: a column of that table which names no
#: class of ours.
ONE_HOT = MappingProxyType(
    {
        "mel": "mel",
        "nv": "nv",
        "bcc": "bcc",
        "ak": "akiec",
        "akiec": "akiec",
        "bkl": "bkl",
        "df": "df",
        "vasc": "vasc",
        "scc": "scc",
        "sccka": "scc",
        "unk": None,
        "inf": None,
        "ben_oth": None,
        "mal_oth": None,
    }
)

_SPELLINGS = {
    "mel": "mel, melanoma, melanoma nos, melanoma invasive, melanoma in situ, melanoma metastasis, "
    "malignant melanocytic proliferations melanoma, lentigo maligna, lentigo maligna melanoma",
    "bcc": "bcc, basal cell carcinoma",
    "akiec": "akiec, ak, ack, actinic keratosis, actinic keratoses, solar or actinic keratosis",
    "scc": "scc, sccka, squamous cell carcinoma, squamous cell carcinoma nos, squamous cell carcinoma invasive, "
    "squamous cell carcinoma in situ, bowen disease, bowens disease, keratoacanthoma",
    "nv": "nv, nev, nevus, naevus, melanocytic nevus, melanocytic nevi, blue nevus, spitz nevus, dysplastic nevus",
    "bkl": "bkl, sek, seborrheic keratosis, seborrhoeic keratosis, solar lentigo, lichenoid keratosis, "
    "benign keratosis, lichen planus like keratosis, pigmented benign keratosis, benign keratosis like lesions",
    "df": "df, dermatofibroma",
    "vasc": "vasc, vascular lesion, vascular lesions, hemangioma, haemangioma, angioma, angiokeratoma, "
    "pyogenic granuloma, benign soft tissue proliferations vascular",
}
_CLASS_OF = {spelling: name for name, words in _SPELLINGS.items() for spelling in words.split(", ")}
_OUTCOME_OF = {
    "benign": BENIGN,
    "malignant": MALIGNANT,
    "0": BENIGN,
    "1": MALIGNANT,
    "0.0": BENIGN,
    "1.0": MALIGNANT,
    "false": BENIGN,
    "true": MALIGNANT,
}


def class_of(diagnosis: str) -> str | None:
    """The canonical class that a written diagnosis means, or None. Whole names only: 'no nevus' is no diagnosis."""
    words = diagnosis.casefold().replace("'", "").replace("’", "")
    return _CLASS_OF.get(re.sub(r"[^a-z0-9]+", " ", words).strip())


def outcome_of(cell: str) -> str | None:
    """`benign`, `malignant`, or None; 'indeterminate' is neither."""
    return _OUTCOME_OF.get(cell.strip().casefold())
