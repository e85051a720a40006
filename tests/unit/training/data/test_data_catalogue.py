"""An image folder becomes cases whoever published it, and a wrong one an error in one sentence."""

import os
import subprocess
import sys
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fedround_training.data.cases import GroupUnit
from fedround_training.data.catalogue import Skipped, read_catalogue
from fedround_training.data.errors import FolderWrong
from unit.training.data.lesions import make_folder

PUBLISHED = {
    "HAM10000": (
        "lesion_id,image_id,dx,dx_type,age,sex,localization,dataset\r\nL1,A,bkl,histo,80.0,male,scalp,rosendahl\r\n"
        "L1,B,akiec,histo,,unknown,unknown,rosendahl\r\n",
        {"A": "bkl", "B": "akiec"},
        GroupUnit.LESION,
    ),
    "ISIC archive": (
        "isic_id,benign_malignant,diagnosis,patient_id,lesion_id\nA,benign,nevus,P1,L1\nB,malignant,melanoma,P2,L2\n",
        {"A": "nv", "B": "mel"},
        GroupUnit.PATIENT,
    ),
    "ISIC archive with levels": (
        "isic_id,diagnosis_1,diagnosis_2,diagnosis_3,diagnosis_4,diagnosis_5,patient_id\n"
        'A,Malignant,Malignant melanocytic proliferations (Melanoma),"Melanoma, NOS",unheard of,,P1\n'
        "B,Indeterminate,Indeterminate epidermal proliferations,Solar or actinic keratosis,,,P2\n",
        {"A": "mel", "B": "akiec"},
        GroupUnit.PATIENT,
    ),
    "ISIC 2019": (
        "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK,lesion_id\n"
        "A,0.0,0.0,0.0,1.0,0.0,0.0,0.0,0.0,0.0,L1\nB,0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,\n",
        {"A": "akiec", "B": "scc"},
        GroupUnit.IMAGE,
    ),
    "ISIC 2020": (
        "image_name,patient_id,sex,age_approx,anatom_site_general_challenge,diagnosis,benign_malignant,target\n"
        "A,IP_1,male,45,head/neck,nevus,benign,0\nB,IP_1,male,45,torso,melanoma,malignant,1\n",
        {"A": "nv", "B": "mel"},
        GroupUnit.PATIENT,
    ),
    "BCN20000": (
        "bcn_filename,age_approx,anatom_site_general,diagnosis,lesion_id,capture_date,sex,split\n"
        "A.jpg,55.0,head/neck,SCC,BCN_1,2013-05-20,male,train\nB.jpg,55.0,torso,MEL,BCN_2,2014-05-20,male,train\n",
        {"A": "scc", "B": "mel"},
        GroupUnit.LESION,
    ),
    "PAD-UFES-20": (
        "patient_id,lesion_id,fitspatrick,diagnostic,img_id,biopsed\nPAT_1,7,3.0,ACK,A.png,True\nPAT_1,8,,SEK,B.png,\n",
        {"A": "akiec", "B": "bkl"},
        GroupUnit.PATIENT,
    ),
    "Excel in Europe": (
        "\ufeffImage ID;dx;patient\r\nA.JPG;mel;0012\r\n\r\nB.JPG;'nv';\r\n".replace("'", '"'),
        {"A": "mel", "B": "nv"},
        GroupUnit.IMAGE,
    ),
    "benign or malignant only": (
        "isic_id,patient_id,target\nA,P1,0\nB,P1,1\n",
        {"A": "benign", "B": "malignant"},
        GroupUnit.PATIENT,
    ),
}


@pytest.mark.parametrize(("table", "labels", "unit"), PUBLISHED.values(), ids=PUBLISHED.keys())
def test_a_published_table_is_recognised_by_its_header(
    tmp_path: Path, table: str, labels: dict[str, str], unit: GroupUnit
) -> None:
    catalogue = read_catalogue(make_folder(tmp_path, table, ["A.jpg", "deep/er/B.PNG"]))
    assert {case.image_id: case.label for case in catalogue.cases} == labels
    assert catalogue.unit is unit
    assert catalogue.skipped == {}


def test_rows_and_images_without_a_partner_and_unknown_labels_are_counted(tmp_path: Path) -> None:
    table = (
        "isic_id,diagnosis,benign_malignant\n"
        "known,nevus,benign\n"
        "no_diagnosis,,benign\n"
        "rare,Merkel cell carcinoma,malignant\n"
        "contradiction,nevus,malignant\n"
        "no_image,melanoma,malignant\n"
    )
    images = ["known.jpg", "no_diagnosis.jpg", "rare.jpg", "contradiction.jpg", "no_row.jpg", "._known.jpg"]
    catalogue = read_catalogue(make_folder(tmp_path, table, images))
    assert [case.image_id for case in catalogue.cases] == ["known"]
    assert catalogue.skipped == {
        Skipped.NO_IMAGE: 1,
        Skipped.NO_LABEL: 1,
        Skipped.UNKNOWN_LABEL: 1,
        Skipped.CONTRADICTION: 1,
    }
    assert catalogue.images_without_row == 1
    assert catalogue.unknown_labels == {"Merkel cell carcinoma": 1}
    assert "left out 1 images without a row" in catalogue.summary()


def test_two_classes_of_one_image_are_no_label(tmp_path: Path) -> None:
    folder = make_folder(
        tmp_path, "image,MEL,NV,BCC,UNK\nA,1,1,0,0\nB,0,1,0,0\nC,0,0,0,1\n", ["A.jpg", "B.jpg", "C.jpg"]
    )
    catalogue = read_catalogue(folder)
    assert [case.image_id for case in catalogue.cases] == ["B"]
    assert catalogue.skipped == {Skipped.UNKNOWN_LABEL: 2}


def test_the_summary_says_when_photos_are_not_grouped_by_patient(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "image_id,dx,patient_id\nA,nv,P1\nB,nv,unknown\n", ["A.jpg", "B.jpg"])
    assert (
        "kept together 1 by patient, 1 by image "
        "(not always by patient: two photos of one patient can be on both sides of a split)"
    ) in read_catalogue(folder).summary()


def test_an_image_without_a_patient_stays_with_the_patient_of_its_lesion(tmp_path: Path) -> None:
    table = "image_id,dx,patient_id,lesion_id\nA,nv,P1,L1\nB,nv,,L1\nC,nv,,L2\n"
    cases = read_catalogue(make_folder(tmp_path, table, ["A.jpg", "B.jpg", "C.jpg"])).cases
    assert [case.group for case in cases] == ["patient:P1", "patient:P1", "lesion:L2"]


def test_dates_are_instants_in_utc(tmp_path: Path) -> None:
    table = "image_id,dx,visit_date,date_added\nA,nv,2026-03-01,2026-03-02T01:30:00+02:00\nB,nv,,\n"
    first, second = read_catalogue(make_folder(tmp_path, table, ["A.jpg", "B.jpg"])).cases
    assert first.visit_date == datetime(2026, 3, 1, tzinfo=UTC)
    assert first.added_date == datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    assert second.visit_date is None


def test_other_columns_are_kept_as_attributes(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "image_id,dx,Camera\nA,nv, NIKON E995\n", ["A.jpg"])
    assert read_catalogue(folder).cases[0].attributes["Camera"] == "NIKON E995"


def test_the_same_image_in_two_folders_is_one_image(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "image_id,dx\nA,nv\n", ["one/A.jpg"])
    (folder / "two").mkdir()
    (folder / "two/A.jpg").write_bytes((folder / "one/A.jpg").read_bytes())
    assert [case.path for case in read_catalogue(folder).cases] == [folder / "one/A.jpg"]


def test_linked_image_folders_are_followed_without_end(tmp_path: Path) -> None:
    images = make_folder(tmp_path / "images", "", ["A.jpg"])
    folder = make_folder(tmp_path / "data", "image_id,dx\nA,nv\n", [])
    (folder / "link").symlink_to(images)
    for loop in ("loop1", "loop2"):  # two, so that without a limit the paths double at each level
        (folder / loop).symlink_to(folder)
    assert [case.image_id for case in read_catalogue(folder).cases] == ["A"]


def test_of_several_tables_the_one_named_metadata_is_read(tmp_path: Path) -> None:
    make_folder(tmp_path, "image_id,dx\nA,nv\n", ["A.jpg"], table_name="a.csv")
    make_folder(tmp_path, "image_id,dx\nA,bcc\n", [], table_name="Metadata.CSV")
    assert read_catalogue(tmp_path).labels == {"bcc": 1}


def test_two_different_files_of_one_id_are_left_out_and_the_others_stay(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "image_id,dx\nA,nv\nB,mel\n", ["one/A.jpg", "two/A.png", "B.jpg"])
    catalogue = read_catalogue(folder)
    assert [case.image_id for case in catalogue.cases] == ["B"]
    assert catalogue.skipped == {Skipped.TWO_IMAGES: 1}
    assert "left out 1 rows with several different image files of its name" in catalogue.summary()


def test_a_table_is_read_without_numpy_pillow_or_torch() -> None:
    modules = ("catalogue", "clinic_folder", "first_seen", "recency", "splits", "testset")
    program = "import sys\n" + "".join(f"import fedround_training.data.{name}\n" for name in modules)
    program += "print(sorted({'numpy', 'PIL', 'torch'} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_images_of_other_formats_are_counted_and_hidden_files_are_not(tmp_path: Path) -> None:
    beside = ("a.tiff", "b.HEIC", "c.heic", "d.webp", "e.bmp", "f.dcm", "notes.txt", ".g.tif")
    folder = make_folder(tmp_path, "image_id,dx\nA,nv\n", ["A.Jpeg"])
    for name in beside:
        (folder / name).touch()
    catalogue = read_catalogue(folder)
    assert catalogue.passed_over == {".heic": 2, ".tiff": 1, ".webp": 1, ".bmp": 1, ".dcm": 1}
    assert (
        "passed over images in other formats than JPEG and PNG: .heic 2, .bmp 1, .dcm 1, .tiff 1, .webp 1"
        in catalogue.summary()
    )


def test_names_of_files_may_hold_anything(tmp_path: Path) -> None:
    # macOS writes an umlaut in two signs; the table of an export has it in one.
    names = ("Läsion", "line\nend", "name with blanks", "皮膚", "quote'\"", "dotted.v2", "\u202eabc")
    table = "image_id,dx\n" + "".join('"{}",nv\n'.format(name.replace('"', '""')) for name in names)
    files = [unicodedata.normalize("NFD", f"{name}.jpg") for name in names]
    catalogue = read_catalogue(make_folder(tmp_path, table, files))
    assert {case.image_id for case in catalogue.cases} == set(names)


def test_a_name_that_is_not_unicode_is_passed_over_as_an_image_without_a_row(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "image_id,dx\nA,nv\n", ["A.jpg"])
    (folder / os.fsdecode(b"L\xe4sion.jpg")).touch()
    assert read_catalogue(folder).images_without_row == 1


def test_a_name_in_a_message_can_write_nothing_to_the_terminal(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "clinic\x1b[2J\n", "image_id,dx\nX,nv\n", [os.fsdecode(b"\xff\x1b]0;\n.jpg")])
    with pytest.raises(FolderWrong) as caught:
        read_catalogue(folder)
    assert str(caught.value) == (
        f"{tmp_path}/clinic\\x1b[2J\\n: no image has the name of a row: 1 images such as '\\udcff\\x1b]0;\\n', "
        "rows such as 'X'; the image column has to hold the names of the files, with or without their ending"
    )


def test_folders_nested_deeper_than_python_can_call_are_read(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "image_id,dx\nA,nv\n", ["A.jpg"])
    deepest = str(folder)
    for _ in range(1200):
        deepest += "/d"
        os.mkdir(deepest)
    Path(deepest, "B.jpg").touch()
    assert read_catalogue(folder).images_without_row == 1
    # What pytest would remove them by calls itself, too.
    Path(deepest, "B.jpg").unlink()
    os.removedirs(deepest)


def test_a_folder_whose_name_ends_like_an_image_is_a_folder(tmp_path: Path) -> None:
    folder = make_folder(tmp_path, "image_id,dx\nA,nv\nB,mel\n", ["A.jpg/B.jpg"])
    catalogue = read_catalogue(folder)
    assert [case.image_id for case in catalogue.cases] == ["B"]
    assert catalogue.skipped == {Skipped.NO_IMAGE: 1}
