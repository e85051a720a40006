"""The text that the gateway imports: what is written, and what is read of it again."""

import pytest

from fedround_operator.kit.revokedlist import revoked_in, revoked_text

ONE, OTHER = "a" * 64, "0" * 64


def test_what_was_written_is_read_again() -> None:
    text = revoked_text([ONE, OTHER, ONE])

    assert text == f"# <sha256 of the certificate> yes\n{OTHER} yes\n{ONE} yes\n"
    assert revoked_in(text) == {ONE, OTHER}


@pytest.mark.parametrize("bad", ["", "A" * 64, "a" * 63, "a" * 64 + "\n", "~.* yes", "import /etc/passwd"])
def test_what_is_no_fingerprint_is_never_written(bad: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256 fingerprint"):
        revoked_text([bad])


def test_what_is_no_line_of_the_list_is_not_read() -> None:
    lines = (f"{ONE} no", f" {ONE} yes", f"{OTHER} yes trailing", "import /etc/passwd", f"{ONE[:-1]} yes")

    assert revoked_in("\n".join(lines)) == frozenset()
