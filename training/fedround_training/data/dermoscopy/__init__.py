"""Procedural dermoscopy: lesions that are drawn, for the demo, for benchmarks and for practice.

    profiles  clinics: case mix, skin types, ages, camera     patients  who comes there, by (seed, index)
    looks     what lesions of a class look like               fields    noise and blobs in lesion coordinates
    lesions, structures   absorbers of one lesion             optics    from absorbers to light
    artefacts, cameras    from light to a photo               photos    one photo, or arrays of them
    archive   a folder of JPEGs and a table               flaws     what real folders have and should not
    sheet     a picture of all of it

numpy and Pillow only. Deterministic: a case depends on seed, clinic and index, and on nothing else.
"""

from fedround_training.data.dermoscopy.archive import write_synthetic_folder
from fedround_training.data.dermoscopy.flaws import Flaw, plant_flaws
from fedround_training.data.dermoscopy.photos import DrawnCases, draw_balanced, draw_cases
from fedround_training.data.dermoscopy.profiles import DEMO, NON_IID, ClinicProfile
from fedround_training.data.dermoscopy.sheet import contact_sheet

__all__ = [
    "DEMO",
    "NON_IID",
    "ClinicProfile",
    "DrawnCases",
    "Flaw",
    "contact_sheet",
    "draw_balanced",
    "draw_cases",
    "plant_flaws",
    "write_synthetic_folder",
]
