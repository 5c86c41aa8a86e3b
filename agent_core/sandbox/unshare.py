"""Candidates by util-linux's ``unshare`` and ``mount``: the same overlay where bubblewrap is not to be had.

The mounts are made by a small shell script inside fresh user, mount and process namespaces. Every source is first
bound into a scratch tmpfs that is the working directory, so that it can be named (relative to it) after the
private tmp has hidden it, and so that no path needs escaping in overlay options.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from agent_core.protocols import Layer
from agent_core.sandbox.confinement import Confinement
from agent_core.sandbox.layer import SYSTEM_WIDE, hidden_folders, tmp_folders, to_hide, usable_home
from agent_core.sandbox.secrets import Hidden
from agent_core.sandbox.shelter import Shelter, Sheltered

FAILED = "pairloop-unshare-failed"

# The sandbox has its own /proc and /dev.
_OWN = ("/proc", "/dev")
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2", "ptmx": "pts/ptmx"}
_KEEP = frozenset({"nosuid", "nodev", "noexec", "noatime", "nodiratime", "relatime"})
_SBIN = ":/usr/sbin:/sbin:/usr/bin:/bin"


def find_program(name: str) -> str | None:
    """A system program, also where a user's PATH does not look."""
    return shutil.which(name, path=os.environ.get("PATH", "") + _SBIN)


def _unescape(text: str) -> str:
    """Undo the octal escapes of /proc/self/mountinfo."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), text)


def _entry(source: str, target: Path | str, kind: str, options: str) -> str:
    """A line of a table for ``mount --all``, in which one process makes many mounts."""
    escaped = "".join(f"\\{ord(char):03o}" if char in " \t\n\\" else char for char in str(target))
    return f"{source} {escaped} {kind} {options} 0 0"


def _writable_mounts() -> Iterator[tuple[str, str]]:
    """Mount points that can be written to, with the options a bind remount has to repeat."""
    # Whoever is not root can write to nothing below /sys but the control groups of their own session.
    skipped = _OWN if os.geteuid() == 0 else (*_OWN, "/sys")
    try:
        lines = Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        lines = []
    for line in lines:
        fields = line.split(" ")
        point, options = _unescape(fields[4]), set(fields[5].split(","))
        inside = any(point == root or point.startswith(f"{root}/") for root in skipped)
        if "rw" in options and (not inside or point.startswith("/sys/fs/cgroup")):
            yield point, ",".join(sorted(options & _KEEP))


class Unshare(Sheltered):
    """Runs commands over an overlay of the project that a shell script mounts.

    Args:
        unshare: Path of ``unshare``.
        mount: Path of ``mount``.
        shelter: What commands are kept to.
        drop: Give the command a second user namespace, in which it has its own user id and no right to mount.
    """

    overlays = True
    isolates = True

    def __init__(self, unshare: str, mount: str, shelter: Shelter, *, drop: bool = True) -> None:
        super().__init__(shelter)
        self._unshare = unshare
        self._mount = shlex.quote(mount)
        self._drop = drop
        self._ip = find_program("ip")

    @property
    def name(self) -> str:
        """What a human reads."""
        return f"unshare overlay, {self._shelter.text}"

    @property
    def note(self) -> str:
        """What is weaker here."""
        weak: list[str] = []
        if not self._drop:
            weak.append("commands run as root of their own namespace and could undo its mounts")
        if not self._shelter.network and self._ip is None:
            weak.append("loopback is down, since `ip` is missing")
        return f"Weaker than bubblewrap: {'; '.join(weak)}." if weak else ""

    @property
    def confinement(self) -> Confinement | None:
        """What commands are kept to, for warm runs; None where they could undo the mounts."""
        if not self._drop:
            return None
        # Whoever is not root loses all of them to the namespace when a program is started; a fork starts none.
        kept = None if os.geteuid() == 0 else ()
        return Confinement(self._shelter, user_namespace=True, identity=True, capabilities=kept)

    def _overlay(self, layers: Sequence[str], work: str, target: Path) -> Iterator[str]:
        where = shlex.quote(str(target))
        options = f"userxattr,lowerdir={':'.join(layers)},upperdir={work}/up,workdir={work}/work"
        yield f"mkdir {work} {work}/up {work}/work; mkdir -p {where}; chmod --reference={layers[-1]} {work}/up"
        yield f"{self._mount} -c -t overlay -o {options} overlay {where}"

    def _bind(self, source: Path, name: str) -> str:
        make = "mkdir" if source.is_dir() else "touch"
        return f"{make} {name}; {self._mount} --rbind {shlex.quote(str(source))} {name}"

    def _bind_back(self, name: str, target: Path) -> str:
        where = shlex.quote(str(target))
        return f"test -e {where} || mkdir -p {where}; {self._mount} -c --rbind {name} {where}"

    def _read_only(self) -> Iterator[str]:
        """The lines that take away the right to write to what is mounted."""
        kernel: list[str] = []
        for point, options in _writable_mounts():
            flags = f"remount,bind,ro,{options}".rstrip(",")
            line = f"{self._mount} -c -o {flags} {shlex.quote(point)} 2>/dev/null || :"
            if point == "/sys" or point.startswith("/sys/"):
                kernel.append(line)
            else:
                yield line
        if kernel:
            # A new one in place of a dozen changes, where the kernel allows it.
            fresh = f"{self._mount} -t sysfs -o ro,nosuid,nodev,noexec sysfs /sys 2>/dev/null"
            yield f"{fresh} || {{ {'; '.join(kernel)}; }}"

    def _table(self, name: str, entries: Iterable[str]) -> str:
        """The lines that make the mounts of a table at once."""
        lines = " ".join(map(shlex.quote, entries))
        return f"printf '%s\\n' {lines} >{name}; {self._mount} --all --fstab {name}"

    def _devices(self, scratch: Path) -> Iterator[str]:
        """A /dev with what every program may have, in place of the system's own with its disks."""
        found = [name for name in _DEVICES if Path("/dev", name).exists()]
        room = f"mode=1777,size={self.limits.disk}"
        yield f"mkdir dev; {self._mount} -t tmpfs -o mode=755,size=1m pairloop dev; mkdir dev/pts dev/shm"
        yield f"touch {' '.join(f'dev/{name}' for name in found)}"
        yield "; ".join(f"ln -s {target} dev/{name}" for name, target in _LINKS.items())
        devices = [_entry(f"/dev/{name}", scratch / "dev" / name, "none", "bind") for name in found]
        terminals = _entry("devpts", scratch / "dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=620")
        shared = _entry("pairloop", scratch / "dev/shm", "tmpfs", room)
        yield self._table("devices", (*devices, terminals, shared))
        yield f"{self._mount} -c --rbind dev /dev"

    def _hide(self, hidden: Hidden) -> Iterator[str]:
        folders = [_entry("pairloop-hidden", place, "tmpfs", "mode=755,size=1m") for place in hidden.folders]
        files = [_entry("/dev/null", place, "none", "bind") for place in hidden.files]
        if folders or files:
            yield self._table("hidden", (*folders, *files))

    def _script(self, layer: Layer, scratch: Path) -> Iterator[str]:
        """The lines that make the mounts, in an order in which no later one hides an earlier one that is needed."""
        home = usable_home(self._shelter.home, layer.project)
        hidden = self._shelter.hidden(layer.project)
        visible = hidden_folders(layer, home, hidden)
        mount, room = self._mount, f"size={self.limits.disk}"
        yield f"{mount} -t tmpfs -o mode=700,{room} pairloop {shlex.quote(str(scratch))}"
        yield f"cd {shlex.quote(str(scratch))}"
        yield self._bind(layer.project, "project")
        yield self._bind(layer.upper, "upper")
        if home is not None:
            yield self._bind(home, "home")
        for number, folder in enumerate(visible):
            yield self._bind(folder, f"v{number}")
        for number, folder in enumerate(layer.writable):
            yield self._bind(folder, f"w{number}")
        yield from self._read_only()
        yield from self._devices(scratch)
        for folder in tmp_folders():
            yield f"{mount} -t tmpfs -o mode=1777,{room} tmp {folder}"
        if home is not None:
            yield from self._overlay(["home"], "h", home)
        yield from self._hide(to_hide(home, hidden))
        for number, folder in enumerate(visible):
            yield self._bind_back(f"v{number}", folder)
            yield f"{mount} -c -o remount,bind,ro {shlex.quote(str(folder))} 2>/dev/null || :"
        yield from self._overlay(["upper", "project"], "p", layer.project)
        for number, folder in enumerate(layer.writable):
            yield self._bind_back(f"w{number}", folder)
        yield f"{mount} -t proc proc /proc 2>/dev/null || :"
        if os.geteuid() == 0:
            system = [place for place in SYSTEM_WIDE if Path(place).exists()]
            yield self._table("system", (_entry(place, place, "none", "bind,ro") for place in system))
        if not self._shelter.network and self._ip:
            yield f"{shlex.quote(self._ip)} link set lo up 2>/dev/null || :"
        yield f"cd {shlex.quote(str(layer.project))}"

    def wrap(self, argv: Sequence[str], layer: Layer) -> tuple[str, ...]:
        """The command line that runs `argv` over `layer`; makes an empty folder beside the layer's upper one."""
        scratch = layer.upper.parent / "scratch"
        scratch.mkdir(exist_ok=True)
        inside = self._shelter.inside(argv, layer.removed, own_users=True)
        if self._drop:
            inside = (
                *(self._unshare, "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}", "--"),
                *inside,
            )
        script = "; ".join(("set -e", *self._script(layer, scratch)))
        # The shell stays as the first process: signals sent to itself do not end a first process.
        guarded = f'trap "echo {FAILED} >&2" EXIT; {script}; trap - EXIT; set +e; "$@"; exit $?'
        options = ["--user", "--map-root-user", "--mount", "--pid", "--ipc", "--fork", "--kill-child"]
        if not self._shelter.network:
            options.append("--net")
        return (self._unshare, *options, "--", "/bin/sh", "-c", guarded, "sh", *inside)

    def failure(self, stderr: bytes) -> str:
        """Why the sandbox itself could not be made, judged by what the command left on standard error."""
        lines = stderr.decode("utf-8", "replace").splitlines()
        if lines and lines[-1] == FAILED:
            return lines[0] if len(lines) > 1 else "the mounts could not be made"
        if lines and lines[0].startswith("unshare: ") and not lines[0].startswith("unshare: failed to execute"):
            return lines[0].removeprefix("unshare: ")
        return ""
