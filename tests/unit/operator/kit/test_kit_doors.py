"""How host:port is read, at the edges."""

import pytest

from fedround_operator.kit.doors import host_and_port


@pytest.mark.parametrize(
    ("address", "want"),
    [
        ("fedround.example.org:8443", ("fedround.example.org", 8443)),
        ("fedround.example.org", ("fedround.example.org", 443)),
        ("10.0.0.7:443", ("10.0.0.7", 443)),
        ("[2001:db8::7]:8443", ("2001:db8::7", 8443)),
        ("[2001:db8::7]", ("2001:db8::7", 443)),
    ],
)
def test_host_and_port_are_read_as_in_the_authority_of_a_url(address: str, want: tuple[str, int]) -> None:
    assert host_and_port(address) == want


@pytest.mark.parametrize(
    "address", ["", ":443", "host:port", "host:65536", "host:443/path", "2001:db8::7", "[::1", "a" * 64 + ":443"]
)
def test_what_is_no_address_is_told_with_it(address: str) -> None:
    with pytest.raises(OSError, match="is no host:port") as caught:
        host_and_port(address)

    assert repr(address) in str(caught.value)
