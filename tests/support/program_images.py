"""Images of one program each, for what the charts take from others: a registry has them, tests build them.

    <cache>/images/program-<name>-<hash>.tar    in the format that `ctr images import` reads

A program is one static file, which is found by its name as in the image that it stands for.
"""

import hashlib
import shutil
import tempfile
from pathlib import Path

from fedround_images.builders import Build, find_builder
from fedround_local.controlplane import cache_folder

_DOCKERFILE = 'FROM scratch\nCOPY program /bin/{name}\nENV PATH=/bin\nENTRYPOINT ["/bin/{name}"]\n'


def tag_of(name: str) -> str:
    """What the image is called in a node's store."""
    return f"localhost/{name}:1"


def program_archive(name: str, program: Path) -> Path:
    """The archive of the image with this program, built unless it is there."""
    with program.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    archive = cache_folder() / "images" / f"program-{name}-{digest[:12]}.tar"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    builder = find_builder("auto")
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=f"program-{name}-") as folder:
        context = Path(folder)
        shutil.copyfile(program, context / "program")
        (context / "program").chmod(0o755)
        file_ = context / "Dockerfile"
        file_.write_text(_DOCKERFILE.format(name=name))
        (context / ".dockerignore").touch()
        builder.build(Build(context, file_, tag_of(name)))
        part = context / "archive.tar"
        builder.save(tag_of(name), part)
        part.replace(archive)
    return archive
