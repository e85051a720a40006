"""The filter of calls, judged call by call on both architectures; and Landlock's rights, version by version."""

import errno
import struct
from collections.abc import Iterator

import pytest

from fedround_training.confinement.architectures import ARCHITECTURES
from fedround_training.confinement.landlock import Access, rights, rule, ruleset
from fedround_training.confinement.seccomp import REFUSED, program

X86_64, AARCH64, I386 = 0xC000003E, 0xC00000B7, 0x40000003
ALLOWED = 0


def instructions(machine: str) -> list[tuple[int, int, int, int]]:
    content = program(ARCHITECTURES[machine])
    unpacked: Iterator[tuple[int, int, int, int]] = struct.iter_unpack("<HBBI", content)
    return list(unpacked)


def answer(machine: str, architecture: int, number: int, *arguments: int) -> int:
    """What the kernel's machine makes of the program for a call: 0, or the number of the error."""
    given = struct.pack("<IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    code, place, value = instructions(machine), 0, 0
    while True:
        what, if_true, if_false, constant = code[place]
        place += 1
        match what:
            case 0x20:
                (value,) = struct.unpack_from("<I", given, constant)
            case 0x54:
                value &= constant
            case 0x15:
                place += if_true if value == constant else if_false
            case 0x25:
                place += if_true if value > constant else if_false
            case 0x06:
                return ALLOWED if constant == 0x7FFF0000 else constant & 0xFFFF
            case _:
                raise AssertionError(f"no instruction of the filter: {what:#x}")


@pytest.mark.parametrize(
    ("machine", "architecture", "calls"),
    [
        ("x86_64", X86_64, {"socket": 41, "socketpair": 53, "ptrace": 101, "io_uring_setup": 425, "mount": 165}),
        ("aarch64", AARCH64, {"socket": 198, "socketpair": 199, "ptrace": 117, "io_uring_setup": 425, "mount": 40}),
    ],
)
def test_ways_out_are_refused(machine: str, architecture: int, calls: dict[str, int]) -> None:
    assert {name: answer(machine, architecture, number) for name, number in calls.items()} == dict.fromkeys(calls, 1)


@pytest.mark.parametrize(
    ("machine", "architecture", "calls"),
    [
        # read, write, mmap, futex, execve, exit_group, getrandom, mkdirat, renameat, mseal
        ("x86_64", X86_64, [0, 1, 9, 202, 59, 231, 318, 258, 264, 462]),
        ("aarch64", AARCH64, [63, 64, 222, 98, 221, 94, 278, 34, 38, 462]),
    ],
)
def test_what_training_calls_is_allowed(machine: str, architecture: int, calls: list[int]) -> None:
    assert {answer(machine, architecture, number) for number in calls} == {ALLOWED}


@pytest.mark.parametrize(("machine", "architecture"), [("x86_64", X86_64), ("aarch64", AARCH64)])
def test_each_call_of_the_list_is_refused_where_the_architecture_has_it(machine: str, architecture: int) -> None:
    numbers = [ARCHITECTURES[machine].calls[name] for name in REFUSED if name in ARCHITECTURES[machine].calls]

    assert {answer(machine, architecture, number) for number in numbers} == {errno.EPERM}
    assert len(numbers) == len(set(numbers)) > 60


@pytest.mark.parametrize("number", [0, 41, 102, 359])
def test_calls_of_another_architecture_are_refused_whatever_they_are(number: int) -> None:
    assert answer("x86_64", I386, number) == errno.EPERM


@pytest.mark.parametrize("number", [463, 470, 1 << 30, (1 << 30) | 41, (1 << 32) - 1])
def test_calls_that_nobody_knew_and_those_of_x32_are_as_if_not_there(number: int) -> None:
    assert answer("x86_64", X86_64, number) == errno.ENOSYS


@pytest.mark.parametrize(("machine", "architecture", "clone"), [("x86_64", X86_64, 56), ("aarch64", AARCH64, 220)])
def test_threads_and_children_may_be_made_and_namespaces_not(machine: str, architecture: int, clone: int) -> None:
    thread, child, new_network, new_user = 0x3D0F00, 0x01200011, 0x40000011, 0x10000011

    assert [answer(machine, architecture, clone, flags) for flags in (thread, child)] == [ALLOWED, ALLOWED]
    assert [answer(machine, architecture, clone, flags) for flags in (new_network, new_user)] == [1, 1]
    # Their flags cannot be seen, so that the C library has to make the calls above.
    assert answer(machine, architecture, 435) == errno.ENOSYS


@pytest.mark.parametrize(("machine", "architecture", "openat"), [("x86_64", X86_64, 257), ("aarch64", AARCH64, 56)])
def test_a_file_may_be_emptied_only_where_it_is_opened_for_writing(
    machine: str, architecture: int, openat: int
) -> None:
    read, write, truncate, close_on_exec = 0o0, 0o1, 0o1000, 0o2000000

    def opened(flags: int) -> int:
        return answer(machine, architecture, openat, 0xFFFFFF9C, 0, flags)

    assert [opened(read), opened(read | close_on_exec), opened(write | truncate)] == [ALLOWED, ALLOWED, ALLOWED]
    assert [opened(read | truncate), opened(read | truncate | close_on_exec)] == [errno.EPERM, errno.EPERM]


def test_the_old_call_to_open_is_judged_by_the_same_rule() -> None:
    assert [answer("x86_64", X86_64, 2, 0, flags) for flags in (0o0, 0o1001, 0o1000)] == [ALLOWED, ALLOWED, 1]


@pytest.mark.parametrize(
    ("version", "handled"),
    [
        (1, [0x1FFF]),
        (2, [0x3FFF]),
        (3, [0x7FFF]),
        (4, [0x7FFF, 3]),
        (5, [0xFFFF, 3]),
        (6, [0xFFFF, 3, 3]),
        (7, [0xFFFF, 3, 3]),
        (12, [0xFFFF, 3, 3]),
    ],
)
def test_each_version_of_landlock_is_asked_for_all_that_it_can_take(version: int, handled: list[int]) -> None:
    assert list(struct.unpack(f"<{len(handled)}Q", ruleset(version))) == handled


def test_a_folder_to_read_may_be_listed_and_a_file_may_not() -> None:
    read_file, read_folder = 1 << 2, 1 << 3

    assert rights(Access.READ, 7, folder=True) == read_file | read_folder
    assert rights(Access.READ, 7, folder=False) == read_file


def test_what_may_be_written_may_not_be_run_and_holds_no_devices_sockets_or_links() -> None:
    execute, special = 1 << 0, (1 << 6 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12)

    assert rights(Access.READ | Access.WRITE, 7, folder=True) & (execute | special) == 0


def test_a_rule_names_no_right_that_the_version_lacks() -> None:
    moved, emptied = 1 << 13, 1 << 14

    assert rights(Access.WRITE, 1, folder=True) & (moved | emptied) == 0
    assert rights(Access.WRITE, 2, folder=True) & (moved | emptied) == moved
    assert rights(Access.WRITE, 3, folder=True) & (moved | emptied) == moved | emptied


def test_a_rule_is_packed_as_the_kernel_reads_it() -> None:
    assert rule(0x0102, 7) == bytes([2, 1, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0])
