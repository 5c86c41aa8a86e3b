"""Which places of a system hold secrets, and stay hidden from commands in candidates.

What a command reads it can print, and what it prints may go to the partner: without a network secrets would still
leave. Hidden is what is made to hold credentials, and what a human would not show; what builds read (interpreters,
toolchains, package caches) stays.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from agent_core.places import state_dir, user_file

# Below a home folder; a star stands for any name.
_OF_HOME = (
    # keys, and the tools that use them
    *(".ssh", ".gnupg", ".pki", ".password-store", ".config/gopass", ".local/share/gopass", ".config/op", ".op"),
    *(".config/Bitwarden CLI", ".config/Bitwarden", ".config/keepassxc", ".config/1Password", ".config/sops", ".age"),
    *(".local/share/keyrings", ".local/share/kwalletd", ".kde/share/apps/kwallet", ".config/age", ".vault-token"),
    *(".netrc", ".authinfo", ".authinfo.gpg", ".pgpass", ".my.cnf", ".mylogin.cnf", ".s3cfg", ".boto", ".passwd-s3fs"),
    # clouds and clusters
    *(".aws", ".azure", ".config/gcloud", ".kube", ".minikube", ".oci", ".aliyun", ".config/doctl", ".config/hcloud"),
    *(
        ".fly",
        ".config/heroku",
        ".config/netlify",
        ".vercel",
        ".config/scw",
        ".config/linode-cli",
        ".terraform.d/credentials.tfrc.json",
    ),
    *(".terraformrc", ".config/rclone", ".config/openstack", ".config/containers/auth.json", ".docker", ".colima"),
    *(".config/helm/registry", ".config/argocd", ".pulumi/credentials.json", ".wrangler", ".config/.wrangler"),
    # forges and package registries
    *(".git-credentials", ".config/git/credentials", ".config/gh", ".config/glab-cli", ".config/hub", ".config/tea"),
    *(".npmrc", ".yarnrc.yml", ".pypirc", ".cargo/credentials", ".cargo/credentials.toml", ".gem/credentials"),
    *(".local/share/uv/credentials", ".config/pypoetry/auth.toml", ".m2/settings.xml", ".m2/settings-security.xml"),
    *(".composer/auth.json", ".config/composer/auth.json", ".nuget/NuGet", ".cache/huggingface/token"),
    *(".huggingface", ".kaggle", ".config/wandb", ".anthropic", ".openai", ".claude", ".claude.json", ".codex"),
    *(
        ".config/github-copilot",
        ".gemini",
        ".config/anthropic",
        ".config/openai",
        ".aider*",
        ".config/io.datasette.llm",
    ),
    # what was typed and looked at
    *(
        ".*_history",
        ".lesshst",
        ".viminfo",
        ".local/share/fish/fish_history",
        ".local/share/nvim/shada",
        ".local/state/nvim/shada",
    ),
    *(".histfile", ".local/share/atuin", ".local/share/recently-used.xbel", ".zsh_sessions", ".bash_sessions"),
    # browsers, mail, messengers
    *(".mozilla", ".config/google-chrome*", ".config/chromium", ".config/BraveSoftware", ".config/microsoft-edge*"),
    *(".config/vivaldi*", ".config/opera*", ".librewolf", ".zen", ".thunderbird", ".config/Slack", ".config/Signal"),
    *(
        ".config/discord",
        ".local/share/TelegramDesktop",
        ".mutt",
        ".muttrc",
        ".config/neomutt",
        ".mbsyncrc",
        ".msmtprc",
    ),
    *("snap/firefox", "snap/chromium", "snap/thunderbird", ".var/app", ".local/share/evolution", ".config/evolution"),
    # the desktop's own doors
    *(".Xauthority", ".ICEauthority", ".config/pulse/cookie", ".local/share/containers/podman/machine", ".rd"),
)

_OF_HOME_ON_MACOS = (
    *("Library/Keychains", "Library/Cookies", "Library/Mail", "Library/Messages", "Library/Safari"),
    *("Library/Application Support/Google/Chrome", "Library/Application Support/Firefox", "Library/Containers"),
    *("Library/Application Support/BraveSoftware", "Library/Application Support/Microsoft Edge"),
    *("Library/Application Support/Arc", "Library/Application Support/Slack", "Library/Group Containers"),
    *("Library/Application Support/1Password", "Library/Application Support/com.apple.TCC"),
)

# Only root may read most of these, and root may run pairloop, above all in containers.
_OF_SYSTEM = (
    *("/etc/shadow", "/etc/shadow-", "/etc/gshadow", "/etc/gshadow-", "/etc/sudoers", "/etc/sudoers.d"),
    *("/etc/ssl/private", "/etc/krb5.keytab", "/etc/kubernetes", "/etc/rancher", "/etc/wireguard", "/etc/ppp"),
    *(
        "/etc/NetworkManager/system-connections",
        "/etc/ssh/ssh_host_*_key",
        "/etc/pve",
        "/etc/letsencrypt",
        "/var/lib/docker",
    ),
    *("/var/lib/containerd", "/var/lib/kubelet", "/var/spool/cron", "/var/mail", "/var/lib/snapd/ssl"),
)

# Sockets of services (docker, dbus, databases, agents), which no network namespace shuts, and secrets of containers.
_RUN = "/run"

# What of /run programs need: NixOS and Guix have theirs there, and name resolution its configuration.
RUN_NEEDED = (
    *("/run/current-system", "/run/booted-system", "/run/opengl-driver", "/run/wrappers", "/run/systemd/resolve"),
    *("/run/resolvconf", "/run/NetworkManager/resolv.conf", "/run/NetworkManager/no-stub-resolv.conf", "/run/udev"),
)

# Variables that say where one of these really is.
_NAMED_BY = (
    *("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AZURE_CONFIG_DIR", "CLOUDSDK_CONFIG", "BOTO_CONFIG"),
    *("GOOGLE_APPLICATION_CREDENTIALS", "KUBECONFIG", "NETRC", "DOCKER_CONFIG", "GNUPGHOME", "GH_CONFIG_DIR"),
    *("NPM_CONFIG_USERCONFIG", "npm_config_userconfig", "PGPASSFILE", "PASSWORD_STORE_DIR", "HISTFILE", "XAUTHORITY"),
    *("SSH_AUTH_SOCK", "VAULT_TOKEN_PATH", "TF_CLI_CONFIG_FILE", "KAGGLE_CONFIG_DIR", "REGISTRY_AUTH_FILE"),
)

_XDG = {"XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share", "XDG_STATE_HOME": ".local/state"}


# Every variable of the environment that is looked at.
VARIABLES = (*_NAMED_BY, *_XDG, "CARGO_HOME", "HOME", "SUDO_UID")


class Hidden(msgspec.Struct, frozen=True):
    """What is hidden: real paths that exist, none below another.

    Attributes:
        folders: To be shown empty.
        files: To be shown empty; sockets are among them.
    """

    folders: tuple[Path, ...]
    files: tuple[Path, ...]

    def __contains__(self, place: object) -> bool:
        """Whether a path is one of these, or below one."""
        return isinstance(place, Path) and any(place.is_relative_to(hidden) for hidden in (*self.folders, *self.files))


def homes(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """The home folders of whoever runs us: the variable's, the account's, and of the one who became root."""
    found = [Path(environ["HOME"])] if environ.get("HOME") else []
    sudo = environ.get("SUDO_UID", "")
    for user in {os.getuid(), os.geteuid(), *([int(sudo)] if sudo.isdecimal() else ())}:
        # Whoever is in no list of users has no home: in containers that is common.
        with contextlib.suppress(KeyError):
            found.append(Path(pwd.getpwuid(user).pw_dir))
    return tuple(dict.fromkeys(home for home in found if home.is_absolute() and home != Path("/")))


def _matching(folder: Path, pattern: str) -> Iterable[Path]:
    """The places a pattern names; globbing only where there is something to glob for."""
    return folder.glob(pattern) if "*" in pattern else (folder / pattern,)


def _places(environ: Mapping[str, str]) -> Iterator[Path]:
    patterns = (*_OF_HOME, *(_OF_HOME_ON_MACOS if sys.platform == "darwin" else ()))
    for home in homes(environ):
        for pattern in patterns:
            yield from _matching(home, pattern)
    for variable, usual in _XDG.items():
        if environ.get(variable):
            below = (pattern.removeprefix(f"{usual}/") for pattern in patterns if pattern.startswith(f"{usual}/"))
            for pattern in below:
                yield from _matching(Path(environ[variable]), pattern)
    for variable in _NAMED_BY:
        yield from (Path(part) for part in environ.get(variable, "").split(os.pathsep) if part.startswith("/"))
    if environ.get("CARGO_HOME"):
        yield from (Path(environ["CARGO_HOME"]) / name for name in ("credentials", "credentials.toml"))
    for pattern in _OF_SYSTEM:
        yield from _matching(Path("/"), pattern.removeprefix("/"))
    yield from (state_dir(), user_file().parent)
    yield Path(_RUN)


def _kind(place: Path) -> int:
    """The file type of what is there, if anything could be got from it; 0 otherwise."""
    try:
        kind = stat.S_IFMT(os.stat(place).st_mode)  # noqa: PTH116 - half the time, and there are many of them
    except (OSError, ValueError):
        return 0
    uses = (os.X_OK,) if kind == stat.S_IFDIR else (os.R_OK, os.W_OK)
    return kind if any(os.access(place, use) for use in uses) else 0


def hidden_places(environ: Mapping[str, str], project: Path) -> Hidden:
    """The places that hold secrets here and now.

    Args:
        environ: The human's environment: where home is, and what variables name.
        project: The project's folder; what is in it is its own, and shown.
    """
    kinds: dict[Path, int] = {}
    for place in _places(environ):
        # Anything but a link is itself where its folder really is; most places do not exist at all.
        if kind := _kind(place):
            real = Path(os.path.realpath(place))
            if not real.is_relative_to(project) and real != Path("/"):
                kinds[real] = kind
    outer: list[Path] = []
    for place in sorted(kinds):
        if not any(place.is_relative_to(other) for other in outer):
            outer.append(place)
    folders = tuple(place for place in outer if stat.S_ISDIR(kinds[place]))
    return Hidden(folders, tuple(place for place in outer if not stat.S_ISDIR(kinds[place])))
