"""What the server of warm runs asks of the kernel: namespaces, mounts, and giving up rights.

Standard library only, and no syntax of later versions than 3.8; see the package. The calls are those of
unshare(2), mount(2), mount_setattr(2), open_tree(2), capabilities(7) and user_namespaces(7), by ctypes, as Python has
most of them only in later versions or not at all. They need Linux 5.12.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import signal
import socket
import stat
import struct
from collections.abc import Iterator
from typing import Any

# Paths are the kernel's here: strings, many of them relative to a folder that no path leads to.
# ruff: noqa: PTH101, PTH102, PTH103, PTH108, PTH112, PTH114, PTH116, PTH120, PTH123, PTH211

_NEWNS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 0x20000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_BIND, _REC, _PRIVATE, _NOSUID_NODEV = 0x1000, 0x4000, 0x40000, 0x6
_HERE, _RECURSIVE, _EMPTY_PATH = -100, 0x8000, 0x4
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
DUMPABLE = 4
_DEATH_SIGNAL, _BOUNDING_READ, _BOUNDING_DROP, _NO_NEW_PRIVILEGES, _AMBIENT = 1, 23, 24, 38, 47
_CAPABILITY_VERSION = 0x20080522
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
# What of /proc changes the system; the kernel lets root of the system write there from any namespace.
_PROC_COVERED = ("sys", "sysrq-trigger", "irq", "bus", "fs")

_libc = ctypes.CDLL(None, use_errno=True)


def checked(result: int, what: str) -> int:
    """The result of a call; a failed one is an `OSError` that says what was tried."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _unshare(flags: int) -> None:
    checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


@contextlib.contextmanager
def new_process_space(own: int) -> Iterator[None]:
    """What is forked meanwhile is the first process of a new process namespace.

    Args:
        own: The process namespace of the one who forks, as a file.
    """
    _unshare(_NEWPID)
    try:
        yield
    finally:
        # In the child this is refused and does no harm.
        _libc.setns(ctypes.c_int(own), ctypes.c_int(_NEWPID))


def prctl(option: int, value: int, second: int = 0) -> int:
    """Change or ask how the kernel treats this process.

    Args:
        option: One of those of the call of that name.
        value: Its first argument.
        second: Its second one.
    """
    zero = ctypes.c_ulong(0)
    result: int = _libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), ctypes.c_ulong(second), zero, zero)
    return result


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    result = _libc.mount(
        os.fsencode(source),
        os.fsencode(target),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        os.fsencode(options) or None,
    )
    checked(result, f"mount {target}")


def _read_only(target: str) -> None:
    """Make a mount and all below it read-only, whatever other flags they have to keep."""
    attributes = struct.pack("QQQQ", 1, 0, 0, 0)
    call, here, flags = ctypes.c_long(_MOUNT_SETATTR), ctypes.c_int(_HERE), ctypes.c_uint(_RECURSIVE)
    result = _libc.syscall(call, here, os.fsencode(target), flags, attributes, ctypes.c_size_t(len(attributes)))
    checked(result, f"make {target} read-only")


def _open_tree(path: str) -> int:
    flags = ctypes.c_uint(1 | os.O_CLOEXEC | _RECURSIVE)
    call = _libc.syscall(ctypes.c_long(_OPEN_TREE), ctypes.c_int(_HERE), os.fsencode(path), flags)
    return checked(call, "clone the mounts")


def _move_mount(tree: int, target: str) -> None:
    call, here, flags = ctypes.c_long(_MOVE_MOUNT), ctypes.c_int(_HERE), ctypes.c_uint(_EMPTY_PATH)
    checked(_libc.syscall(call, ctypes.c_int(tree), b"", here, os.fsencode(target), flags), "move the mounts")


def write(path: str, text: str) -> None:
    """Write a file of the kernel's, or an empty one."""
    with open(path, "w") as file:
        file.write(text)


def _map_identity(inside: list[int], outside: list[int]) -> None:
    """Give this process, in its new user namespace, one user and one group."""
    write("/proc/self/setgroups", "deny")
    write("/proc/self/uid_map", f"{inside[0]} {outside[0]} 1")
    write("/proc/self/gid_map", f"{inside[1]} {outside[1]} 1")


def _keep_capabilities(kept: list[int]) -> None:
    """Give up every capability but these, for good."""
    for number in range(64):
        if number not in kept and prctl(_BOUNDING_READ, number) == 1:
            checked(prctl(_BOUNDING_DROP, number), "drop a capability")
    prctl(_AMBIENT, 4)
    mask = sum(1 << number for number in kept)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    header = struct.pack("Ii", _CAPABILITY_VERSION, 0)
    data = struct.pack("6I", low, low, 0, high, high, 0)
    checked(_libc.capset(header, data), "capset")


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))


# What the server itself needs: namespaces, and the system twice: read-only at /, as it is in the folder `old`.


def enter_namespaces(*, user: bool, network: bool) -> None:
    """Go on as the first process of new namespaces; what stays outside only waits for it."""
    inside, outside = [0, 0], [os.geteuid(), os.getegid()]
    _unshare(_NEWNS | _NEWIPC | _NEWPID | (_NEWUSER if user else 0) | (0 if network else _NEWNET))
    if user:
        _map_identity(inside, outside)
    child = os.fork()
    if child:
        os.closerange(3, 256)
        os.waitpid(child, 0)
        os._exit(0)
    prctl(_DEATH_SIGNAL, signal.SIGKILL)
    checked(prctl(_NO_NEW_PRIVILEGES, 1), "no_new_privs")


def _make_devices() -> None:
    """A folder of devices that can be neither read nor written to any harm."""
    os.mkdir("dev")
    _mount("tmpfs", "dev", "tmpfs", 0x2, "mode=755,size=1m")
    for name in _DEVICES:
        write("dev/" + name, "")
        _mount("/dev/" + name, "dev/" + name, None, _BIND)
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, "dev/" + name)
    for name in ("shm", "pts"):
        os.mkdir("dev/" + name)
    _mount("dev", "/dev", None, _BIND | _REC)
    _read_only("/dev")


def make_ground(folder: str) -> int:
    """Make the system read-only for all that comes.

    Args:
        folder: Where it is held as it was.

    Returns:
        That folder, opened: it has to be the working directory of whoever is shut in. It is not yet, so that what is
        imported takes no notice of it.
    """
    _mount("none", "/", None, _REC | _PRIVATE)
    tree = _open_tree("/")
    _read_only("/")
    _mount("tmpfs", folder, "tmpfs", _NOSUID_NODEV, "mode=700")
    os.chdir(folder)
    os.mkdir("old")
    _move_mount(tree, "old")
    os.close(tree)
    os.mkdir("run")
    _make_devices()
    ground = os.open(".", os.O_PATH | os.O_CLOEXEC)
    os.chdir("/")
    return ground


# What one run needs: its own mounts, made from what is in `old`, which it can't reach any more afterwards.


def _touch(target: str, like: str) -> None:
    """Make something to mount on, of the kind of `like`."""
    if os.path.lexists(target):
        return
    if os.path.isdir(like):
        os.makedirs(target)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        write(target, "")


def _overlay(number: int, target: str, layers: list[str], extra: str) -> None:
    """Mount folders over each other, the first one topmost; what is written goes to memory."""
    place = f"run/{number}"
    names = []
    for position, layer in enumerate(layers):
        # Options can't name every path: a link of a plain name can.
        names.append(f"{place}/l{position}")
        os.makedirs(place, exist_ok=True)
        os.symlink("../../old" + layer, names[-1])
    os.mkdir(place + "/up")
    os.mkdir(place + "/work")
    os.chmod(place + "/up", stat.S_IMODE(os.stat("old" + layers[-1]).st_mode))
    if not os.path.isdir(target):
        os.makedirs(target)
    options = f"{extra}lowerdir={':'.join(names)},upperdir={place}/up,workdir={place}/work"
    _mount("overlay", target, "overlay", 0, options)


def _make_proc() -> None:
    try:
        _mount("proc", "/proc", "proc", 0xE)
    except OSError:
        # Some containers forbid it. Then the system's own is seen, as by commands that are started.
        return
    for name in _PROC_COVERED:
        path = "/proc/" + name
        if os.path.lexists(path):
            _mount(path, path, None, _BIND | _REC)
            _read_only(path)


def _make_mounts(request: dict[str, Any]) -> None:
    _mount("tmpfs", "run", "tmpfs", _NOSUID_NODEV, "mode=700" + request["size"])
    for number, step in enumerate(request["mounts"]):
        kind, target = step[0], step[1]
        if kind == "tmpfs":
            _mount("tmpfs", target, "tmpfs", _NOSUID_NODEV, step[2])
        elif kind == "overlay":
            _overlay(number, target, step[2], request["overlay"])
        elif kind == "bind":
            _touch(target, "old" + step[2])
            _mount("old" + step[2], target, None, _BIND | _REC)
            if step[3]:
                _read_only(target)
        elif kind == "hide":
            if os.path.isdir(target):
                _mount("tmpfs", target, "tmpfs", _NOSUID_NODEV, "mode=755,size=1m")
            elif os.path.lexists(target):
                _mount("old/dev/null", target, None, _BIND)
        elif kind == "pts":
            _mount("devpts", target, "devpts", 0xA, "newinstance,ptmxmode=0666,mode=620")
        else:
            _make_proc()
    # Everything that was mounted keeps what it needs of it. No path leads there any more: home lies over it.
    checked(_libc.umount2(b".", ctypes.c_int(2)), "let go of the system")


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def shut_in(request: dict[str, Any]) -> None:
    """Make the tree of a request and give up the rights that this needs."""
    _unshare(_NEWNS | _NEWIPC | (0 if request["network"] else _NEWNET))
    if not request["network"]:
        _loopback_up()
    _make_mounts(request)
    os.chdir(request["cwd"])
    for path in request["removed"]:
        _remove(path)
    for path, there in request["paths"]:
        if os.path.isdir(path) != there:
            raise OSError(errno.ESTALE, f"{path} is a folder for imports in one of the trees only")
    if request["identity"] is not None:
        here = [os.geteuid(), os.getegid()]
        _unshare(_NEWUSER)
        _map_identity(request["identity"], here)
    if request["capabilities"] is not None:
        _keep_capabilities(request["capabilities"])
    prctl(DUMPABLE, 0)
