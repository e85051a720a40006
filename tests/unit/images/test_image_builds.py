"""Bases, options, and the archives that are kept."""

from pathlib import Path

import pytest

from fedround_images.archives import Wanted, ensure_archive, key_of
from fedround_images.base import ensure_base, sources
from fedround_images.builders import Build
from fedround_images.packages import ImageBuildFailed, ProgramMissing, require, run


class RecordingBuilder:
    """Builds nothing; its archives hold the tag."""

    default_base = "registry.example/debian:trixie"

    def __init__(self) -> None:
        self.builds: list[Build] = []
        self.loaded: list[str] = []

    def build(self, build: Build) -> None:
        self.builds.append(build)

    def save(self, tag: str, path: Path) -> None:
        path.write_text(tag)

    def has(self, tag: str) -> bool:
        return tag in self.loaded

    def load(self, path: Path, tag: str) -> None:
        self.loaded.append(tag)


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> RecordingBuilder:
    monkeypatch.setenv("FEDROUND_CACHE_DIR", str(tmp_path))
    return RecordingBuilder()


def test_an_archive_that_was_built_from_the_same_files_is_not_built_again(builder: RecordingBuilder) -> None:
    first = ensure_archive("operator", Wanted(), lambda _: builder)
    assert first.read_text() == "localhost/fedround-operator:0.1.0"
    assert ensure_archive("operator", Wanted(), lambda _: builder) == first
    assert len(builder.builds) == 1


def test_another_base_is_another_image(builder: RecordingBuilder) -> None:
    ensure_archive("operator", Wanted(base="a:1"), lambda _: builder)
    ensure_archive("operator", Wanted(base="a:2"), lambda _: builder)
    assert [build.arguments["BASE"] for build in builder.builds] == ["a:1", "a:2"]


def test_a_fresh_build_uses_no_archive_and_no_layer(builder: RecordingBuilder) -> None:
    ensure_archive("training", Wanted(), lambda _: builder)
    ensure_archive("training", Wanted(fresh=True), lambda _: builder)
    assert [build.fresh for build in builder.builds] == [False, True]


def test_the_builder_chooses_the_base_where_nobody_names_one(builder: RecordingBuilder) -> None:
    ensure_archive("training", Wanted(), lambda _: builder)
    assert builder.builds[0].arguments["BASE"] == "registry.example/debian:trixie"
    assert builder.builds[0].file.name == "training.Dockerfile"


def test_the_address_of_an_index_reaches_the_build_from_the_variable_that_pip_has_for_it(
    builder: RecordingBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    monkeypatch.setenv("PIP_CERT", "/etc/ca.pem")
    ensure_archive("operator", Wanted(), lambda _: builder)
    assert builder.builds[0].arguments["PIP_INDEX_URL"] == "https://index.example/simple"
    assert builder.builds[0].secrets == {"ca": Path("/etc/ca.pem")}


def test_the_images_are_told_apart() -> None:
    assert key_of("operator", None) != key_of("training", None)


def test_the_same_base_is_loaded_once_because_a_new_one_costs_all_layers_above_it(
    builder: RecordingBuilder, tmp_path: Path
) -> None:
    (tmp_path / "base-trixie.tar").write_bytes(b"root file system")
    tag = "localhost/fedround-base:trixie-16c5072362db"
    assert ensure_base(tmp_path, builder, fresh=False) == tag
    assert ensure_base(tmp_path, builder, fresh=False) == tag
    assert builder.loaded == [tag]


def test_a_base_comes_from_where_the_machine_gets_its_debian() -> None:
    listing = (
        "http://mirror.example/debian/ bookworm\n"
        "http://mirror.example/debian/ bookworm-updates\n"
        "http://mirror.example/debian-security/ bookworm-security\n"
    )
    assert sources(listing) == [
        "deb http://mirror.example/debian trixie main",
        "deb http://mirror.example/debian trixie-updates main",
        "deb http://mirror.example/debian-security trixie-security main",
    ]


def test_a_machine_without_debian_is_told_to_name_a_base() -> None:
    with pytest.raises(ImageBuildFailed, match="name a base image with --base"):
        sources("")


def test_both_builders_are_given_the_same_options() -> None:
    build = Build(
        context=Path("/checkout"),
        file=Path("/checkout/images/operator.Dockerfile"),
        tag="localhost/x:1",
        arguments={"BASE": "a"},
        secrets={"ca": Path("/ca.pem")},
        fresh=True,
    )
    assert build.options() == [
        *("--file", "/checkout/images/operator.Dockerfile", "--tag", "localhost/x:1"),
        *("--build-arg", "BASE=a", "--secret", "id=ca,src=/ca.pem", "--no-cache"),
    ]


def test_where_packages_cannot_be_installed_the_missing_programs_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ProgramMissing, match=r"not installed: buildah\. Install them, or start Docker"):
        require({"buildah": "buildah"})


def test_a_program_that_fails_is_named_with_its_status() -> None:
    with pytest.raises(ImageBuildFailed, match=r"`false \.\.\.` failed with status 1"):
        run(["false"])
