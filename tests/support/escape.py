"""A trainer that tries to get out. A test starts it in the real one's place, by the real launcher.

It prints, for each attempt, `done` or the name of the error. It must run from its own folder with the standard library
alone, and every attempt must fail for no other reason than the lock: a test runs them without one too.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

OUTSIDE = Path(os.environ["ESCAPE_OUTSIDE"])
IMAGES = Path(os.environ["FEDROUND_IMAGES"])
WORKSPACE = Path(os.environ["FEDROUND_WORKSPACE"])
OTHER = int(os.environ["ESCAPE_OTHER_PROCESS"])
HANDED_IN = int(os.environ["ESCAPE_DESCRIPTOR"])
MACHINE = os.uname().machine
_X86 = MACHINE == "x86_64"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_VSOCK = 40
_SIGCHLD, _NEW_USER, _NEW_NET = 17, 0x1000_0000, 0x4000_0000

#: name: (x86-64, aarch64), and arguments that are harmless where the call is made.
CALLS: dict[str, tuple[int, int, tuple[int | None, ...]]] = {
    "io_uring_setup": (425, 425, (0, None)),
    "io_uring_enter": (426, 426, (-1, 0, 0, 0, None, 0)),
    "ptrace": (101, 117, (16, OTHER, 0, 0)),  # PTRACE_ATTACH
    "process_vm_readv": (310, 270, (OTHER, None, 0, None, 0, 0)),
    "pidfd_getfd": (438, 438, (-1, 0, 0)),
    "bpf": (321, 280, (0, None, 0)),
    "userfaultfd": (323, 282, (-1,)),
    "perf_event_open": (298, 241, (None, 0, -1, -1, 0)),
    "keyctl": (250, 219, (0, -3, 0)),
    "memfd_create": (319, 279, (None, 0)),
    "execveat": (322, 281, (-1, None, None, None, 0)),
    "add_key": (248, 217, (None, None, None, 0, -3)),
    "shmget": (29, 194, (0, 0, 0)),
    "msgget": (68, 186, (-1, 0)),
    "mount": (165, 40, (None, None, None, 0, None)),
    "open_tree": (428, 428, (-1, None, 0)),
    "setns": (308, 268, (-1, 0)),
    "unshare": (272, 97, (_NEW_USER | _NEW_NET,)),
    "clone3": (435, 435, (None, 0)),
    "openat2": (437, 437, (-1, None, None, 0)),
    "a_call_newer_than_the_lock": (470, 470, ()),
    "connect": (42, 203, (-1, None, 0)),
    "sendto": (44, 206, (-1, None, 0, 0, None, 0)),
}


def outcome(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return "done"


def system_call(number: int, *arguments: int | None) -> int:
    answer = int(_libc.syscall(ctypes.c_long(number), *(ctypes.c_long(one or 0) for one in arguments)))
    if answer < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return answer


def a_child_in_namespaces_of_its_own() -> None:
    child = system_call(56 if _X86 else 220, _NEW_USER | _NEW_NET | _SIGCHLD, None, None, None, None)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def a_32_bit_socket_call() -> None:
    """`int 0x80` with the number of socketcall, whose arguments it cannot read: EFAULT where it is let through."""
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    # mov eax, 102; mov ebx, 1; xor ecx, ecx; int 0x80; movsxd rax, eax; ret, with rbx kept.
    code.write(bytes.fromhex("53 b8 66 00 00 00 bb 01 00 00 00 31 c9 cd 80 48 63 c0 5b c3"))
    address = ctypes.addressof(ctypes.c_char.from_buffer(code))
    answer = int(ctypes.CFUNCTYPE(ctypes.c_long)(address)())
    if answer < 0:
        raise OSError(-answer, "refused")


def sockets() -> Iterator[tuple[str, Callable[[], object]]]:
    """An attempt with each family, and with a pair."""
    for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, _VSOCK):
        yield f"family {int(family)}", partial(socket.socket, family, socket.SOCK_DGRAM)
    yield "a pair", partial(socket.socketpair, socket.AF_UNIX, socket.SOCK_DGRAM)


def all_sockets() -> dict[str, str]:
    return {name: outcome(attempt) for name, attempt in sockets()}


def in_a_thread() -> dict[str, str]:
    found: dict[str, str] = {}
    thread = threading.Thread(target=lambda: found.update(all_sockets()))
    thread.start()
    thread.join()
    return found


def in_a_fork() -> dict[str, str]:
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, json.dumps(all_sockets()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    found: dict[str, str] = json.loads(os.read(reader, 65_536))
    return found


def in_another_interpreter() -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, "-c", "import escape, json; print(json.dumps(escape.all_sockets()))"],
        stdout=subprocess.PIPE,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def files() -> dict[str, str]:
    """Attempts to read, write, run and mark what is not the trainer's."""
    image, outside, inside = IMAGES / "L000.png", OUTSIDE / "secret", WORKSPACE / "inside"
    inside.write_bytes(b"mine")
    return {
        "list the root": outcome(lambda: os.listdir("/")),
        "read /etc/passwd": outcome(Path("/etc/passwd").read_bytes),
        "read another clinic's file": outcome(outside.read_bytes),
        "list another clinic's folder": outcome(lambda: os.listdir(OUTSIDE)),
        "read through a link": outcome((WORKSPACE / "link-to-secret").read_bytes),
        "read what was handed in": outcome(lambda: os.read(HANDED_IN, 1)),
        "read an image": outcome(image.read_bytes),
        "write to an image": outcome(lambda: image.open("r+b").close()),
        "empty an image that is opened for reading": outcome(
            lambda: os.close(os.open(IMAGES / "L001.png", os.O_RDONLY | os.O_TRUNC))
        ),
        "open another clinic's file neither to read nor to write": outcome(lambda: os.close(os.open(outside, 3))),
        "empty another clinic's file that is opened for neither": outcome(
            lambda: os.close(os.open(OUTSIDE / "log", 3 | os.O_TRUNC))
        ),
        "empty an image by its name": outcome(lambda: os.truncate(IMAGES / "L001.png", 0)),
        "add a file to the images": outcome((IMAGES / "new").touch),
        "mark an image with an attribute": outcome(lambda: os.setxattr(image, "user.note", b"x")),
        "mark an image with a time": outcome(lambda: os.utime(image, (1, 1))),
        "remove an image": outcome((IMAGES / "L002.png").unlink),
        "write outside": outcome(lambda: (OUTSIDE / "new").write_bytes(b"x")),
        "make a folder outside": outcome((OUTSIDE / "folder").mkdir),
        "move a file out": outcome(lambda: inside.rename(OUTSIDE / "moved")),
        "link a file from outside": outcome(lambda: os.link(outside, WORKSPACE / "linked")),
        "write to the program": outcome(lambda: Path(os.__file__).open("r+b").close()),
        "make a pipe": outcome(lambda: os.mkfifo(WORKSPACE / "pipe")),
        "make a link": outcome(lambda: os.symlink("/", WORKSPACE / "root")),
        "run a shell": outcome(lambda: subprocess.run(["/bin/sh", "-c", ":"], check=True)),
        "run a copy of a program": outcome(lambda: subprocess.run([WORKSPACE / "copied"], check=True)),
        "read another process's memory": outcome(lambda: os.open(f"/proc/{OTHER}/mem", os.O_RDONLY)),
        "read another process's environment": outcome(Path(f"/proc/{OTHER}/environ").read_bytes),
        "read files by way of another process": outcome(Path(f"/proc/{OTHER}/root/etc/hostname").read_bytes),
        "signal another process": outcome(lambda: os.kill(OTHER, 0)),
        "write to the workspace": outcome(lambda: (WORKSPACE / "a").write_bytes(b"x")),
        "make and move folders in the workspace": outcome(in_the_workspace),
        "write the report": outcome(lambda: Path(os.environ["FEDROUND_REPORT"]).write_bytes(b"{}")),
    }


def in_the_workspace() -> None:
    (WORKSPACE / "one/two").mkdir(parents=True)
    (WORKSPACE / "one/two/file").write_bytes(b"x")
    (WORKSPACE / "one/two/file").rename(WORKSPACE / "file")
    (WORKSPACE / "one/two").rmdir()


def calls() -> dict[str, str]:
    """Calls by number, as no library makes them. Last: one that is let through may change this process."""
    attempts: dict[str, Callable[[], object]] = {
        name: partial(system_call, x86 if _X86 else arm, *arguments) for name, (x86, arm, arguments) in CALLS.items()
    }
    attempts["clone"] = a_child_in_namespaces_of_its_own
    if _X86:
        attempts["a socket by the x32 interface"] = partial(system_call, 0x4000_0000 | 41, 2, 2, 0)
        attempts["a socket by the 32-bit interface"] = a_32_bit_socket_call
    return {name: outcome(attempt) for name, attempt in attempts.items()}


def reach_listeners() -> dict[str, str]:
    """Connections to what listens outside."""

    def connect(family: int, address: str | tuple[str, int]) -> None:
        with socket.socket(family, socket.SOCK_STREAM) as opened:
            opened.connect(address)

    return {
        "tcp": outcome(lambda: connect(socket.AF_INET, ("127.0.0.1", int(os.environ["ESCAPE_PORT"])))),
        "abstract": outcome(lambda: connect(socket.AF_UNIX, "\0" + os.environ["ESCAPE_ABSTRACT"])),
        "by path": outcome(lambda: connect(socket.AF_UNIX, str(OUTSIDE / "docker.sock"))),
    }


if __name__ == "__main__":
    print(
        json.dumps(
            {
                "sockets": all_sockets(),
                "sockets in a thread": in_a_thread(),
                "sockets in a fork": in_a_fork(),
                "sockets in another interpreter": in_another_interpreter(),
                "listeners": reach_listeners(),
                "files": files(),
                "calls": calls(),
            }
        )
    )
