"""Builds the images of this checkout: `make images`.

    build.py                          both, under localhost/fedround-<image>:<version> in the builder's storage
    build.py --archive training       one, as an archive in the cache

The builder is Docker (BuildKit) where its daemon answers, else buildah. Standard output has one line an image: its tag,
or the path of its archive.
"""

import argparse
import sys

from fedround_images.archives import IMAGES, Wanted, build, ensure_archive
from fedround_images.base import FROM_MIRROR
from fedround_images.builders import find_builder
from fedround_images.packages import ImageBuildFailed


def parser() -> argparse.ArgumentParser:
    """The command line."""
    found = argparse.ArgumentParser(description="Build the images of this checkout.")
    found.add_argument("images", nargs="*", metavar="IMAGE", help=f"{' or '.join(IMAGES)}; both if none is named")
    found.add_argument("--base", help=f"base image, or `{FROM_MIRROR}`: made from this machine's Debian mirror")
    found.add_argument("--builder", choices=("auto", "docker", "buildah"), default="auto")
    found.add_argument("--archive", action="store_true", help="leave archives in the cache, and print their paths")
    found.add_argument("--fresh", action="store_true", help="use no cache: for a release, with all security updates")
    return found


def main(arguments: list[str]) -> int:
    options = parser().parse_args(arguments)
    if unknown := set(options.images) - set(IMAGES):
        parser().error(f"no such image: {', '.join(sorted(unknown))}")
    wanted = Wanted(base=options.base, builder=options.builder, fresh=options.fresh)
    try:
        for image in options.images or IMAGES:
            if options.archive:
                print(ensure_archive(image, wanted), flush=True)
            else:
                print(build(image, wanted, find_builder(wanted.builder)), flush=True)
    except ImageBuildFailed as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
