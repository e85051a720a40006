"""The filter of system calls as a program for the kernel. Pure.

It refuses what leads to a network, to another process or to a new view of the machine, and leaves the rest: a list of
what is allowed would break with every release of torch or of the C library. What is newer than this list counts as not
there (ENOSYS), so that a future way out is shut before anybody has heard of it; libraries are written for older
kernels too, and go on without. Where a call is refused by its number alone, the kernel remembers what is allowed, and
allowed calls cost nothing.
"""

import errno
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fedround_training.confinement.architectures import Architecture

# Even a UNIX socket leads out: to a container runtime, to a service of the node. Pairs are refused because one of
# datagrams can be connected anew.
_SOCKETS = (
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4"),
    *("sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg"),
)
# It does all of the above, and opens files, without making the calls that are refused.
_IO_URING = ("io_uring_setup", "io_uring_enter", "io_uring_register")
_OTHER_PROCESSES = (
    *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp"),
    *("shmget", "shmat", "shmctl", "msgget", "msgsnd", "msgrcv", "msgctl"),
    *("semget", "semop", "semtimedop", "semctl", "mq_open"),
)
_VIEWS_OF_THE_MACHINE = (
    *("mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "mount_setattr"),
    *("fsopen", "fsconfig", "fsmount", "fspick", "setns", "unshare", "open_by_handle_at", "fanotify_init"),
)
_KERNEL = (
    *("bpf", "userfaultfd", "perf_event_open", "keyctl", "add_key", "request_key"),
    *("init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load"),
)
# Changes to files that Landlock does not rule on, or not in its first versions (truncation). Permission bits can
# still be changed: the cache of images sets those of its folder.
_MARKS_ON_FILES = (
    *("truncate", "chown", "fchown", "lchown", "fchownat", "utime", "utimes", "futimesat", "utimensat"),
    *("setxattr", "lsetxattr", "fsetxattr", "removexattr", "lremovexattr", "fremovexattr"),
)
# A file without a path is none that Landlock could rule on: a program that is written there could be run.
_FILES_WITHOUT_PATHS = ("memfd_create", "memfd_secret", "execveat")
REFUSED = (
    *(*_SOCKETS, *_IO_URING, *_OTHER_PROCESSES, *_VIEWS_OF_THE_MACHINE),
    *(*_KERNEL, *_MARKS_ON_FILES, *_FILES_WITHOUT_PATHS),
)

# Their flags lie in memory, where a filter cannot look. The C library then makes the older calls, judged below.
_WITHOUT_VISIBLE_FLAGS = ("clone3", "openat2")
# mseal, of Linux 6.10. From 424 on the numbers are the same on all architectures.
_NEWEST_KNOWN = 462

_NEW_NAMESPACES = 0x7E02_0000  # CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET
_ACCESS_MODE, _TRUNCATE = 0o3, 0o1000


@dataclass(frozen=True)
class _Flags:
    """The low 32 bits of an argument, masked; refused if equal to ``value``, or if unequal."""

    argument: int
    mask: int
    value: int
    equal: bool


# For the access mode 3, neither reading nor writing, Landlock asks for no right: any file could be opened with it, for
# calls of its device or, with O_TRUNC, to be cut to nothing. Nor does it see as writing what is opened for reading and
# cut to nothing.
_FLAGS = (
    ("clone", _Flags(0, _NEW_NAMESPACES, 0, equal=False)),
    ("open", _Flags(1, _ACCESS_MODE, _ACCESS_MODE, equal=True)),
    ("open", _Flags(1, _ACCESS_MODE | _TRUNCATE, _TRUNCATE, equal=True)),
    ("openat", _Flags(2, _ACCESS_MODE, _ACCESS_MODE, equal=True)),
    ("openat", _Flags(2, _ACCESS_MODE | _TRUNCATE, _TRUNCATE, equal=True)),
)

# linux/bpf_common.h, linux/seccomp.h
_LOAD, _AND, _IF_EQUAL, _IF_GREATER, _RETURN = 0x20, 0x54, 0x15, 0x25, 0x06
_ALLOW, _ERRNO = 0x7FFF_0000, 0x0005_0000
# Offsets in struct seccomp_data; of an argument the low half, as the machine is little-endian.
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_Instruction = tuple[int, int, int, int]  # code, instructions to skip if true, if false, constant


def program(architecture: Architecture) -> bytes:
    """The filter as an array of struct sock_filter."""
    return b"".join(struct.pack("<HBBI", *one) for one in _instructions(architecture))


def _instructions(architecture: Architecture) -> Iterator[_Instruction]:
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    # A 32-bit call of the same machine has other numbers.
    yield (_IF_EQUAL, 1, 0, architecture.audit)
    yield _refusal(errno.EPERM)
    yield (_LOAD, 0, 0, _NUMBER)
    # The calls of the x32 interface have numbers far above.
    yield (_IF_GREATER, 0, 1, _NEWEST_KNOWN)
    yield _refusal(errno.ENOSYS)
    yield from _by_number(architecture, REFUSED, errno.EPERM)
    yield from _by_number(architecture, _WITHOUT_VISIBLE_FLAGS, errno.ENOSYS)
    for name, flags in _FLAGS:
        if name in architecture.calls:
            yield from _by_flags(architecture.calls[name], flags)
    yield (_RETURN, 0, 0, _ALLOW)


def _by_number(architecture: Architecture, names: Sequence[str], answer: int) -> Iterator[_Instruction]:
    for number in sorted(architecture.calls[name] for name in names if name in architecture.calls):
        yield (_IF_EQUAL, 0, 1, number)
        yield _refusal(answer)


def _by_flags(number: int, flags: _Flags) -> Iterator[_Instruction]:
    yield (_IF_EQUAL, 0, 5, number)
    yield (_LOAD, 0, 0, _ARGUMENTS + 8 * flags.argument)
    yield (_AND, 0, 0, flags.mask)
    yield (_IF_EQUAL, 0, 1, flags.value) if flags.equal else (_IF_EQUAL, 1, 0, flags.value)
    yield _refusal(errno.EPERM)
    # For the rules that follow, of the same call too.
    yield (_LOAD, 0, 0, _NUMBER)


def _refusal(answer: int) -> _Instruction:
    return (_RETURN, 0, 0, _ERRNO | answer)
