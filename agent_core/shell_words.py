"""Command lines taken apart: strictly, for what is allowed by a rule, and generously, for what is denied by one.

The strict reading knows little on purpose: words, quotes, and simple commands joined by ``;``, ``&&``, ``||``, ``|``
and line ends. Whatever else a shell would do with a line (substitutions, variables, redirections, assignments,
subshells, keywords, comments, background jobs) is not read, and what is not read is never allowed without asking.
The generous reading never fails: it finds what looks like a command anywhere in a line, in substitutions too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_KEYWORDS = frozenset(
    (
        *("!", "[[", "{", "}", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if"),
        *("in", "select", "then", "time", "until", "while"),
    )
)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^\]]*\])?\+?=")
_OPERATOR = re.compile(r"&&|\|\||\|(?!&)|;(?!;)|\n")
_GLOB = frozenset("*?[]{}~")
_OPAQUE = frozenset("$`<>()&#")
_HARMLESS = re.compile(r"2>&1(?=[\s;|&]|$)")
"""What writes nowhere: errors in the order of the rest. Models put it behind every other command."""
_WRAPPERS = frozenset(
    (
        *("ash", "at", "bash", "bubblewrap", "builtin", "bundle", "busybox", "bwrap", "caffeinate", "chroot", "chrt"),
        *("command", "conda", "dash", "dbus-run-session", "direnv", "doas", "docker", "entr", "env", "eval", "exec"),
        *("faketime", "fakeroot", "find", "firejail", "flock", "gdb", "hatch", "hyperfine", "ionice", "ksh", "ltrace"),
        *(
            "mise",
            "nice",
            "nix-shell",
            "nohup",
            "npm",
            "npx",
            "nsenter",
            "numactl",
            "parallel",
            "pdm",
            "pipenv",
            "pipx",
        ),
        *("pkexec", "pnpm", "podman", "poetry", "prlimit", "proot", "rlwrap", "runuser", "rye", "script", "setpriv"),
        *("setsid", "sh", "ssh", "stdbuf", "strace", "su", "sudo", "systemd-run", "taskset", "time", "timeout", "tmux"),
        *(
            "toybox",
            "trap",
            "unbuffer",
            "unshare",
            "uv",
            "uvx",
            "watch",
            "watchexec",
            "xargs",
            "xvfb-run",
            "yarn",
            "zsh",
        ),
    )
)
"""Programs that run what they are given: for what is denied, every word of theirs may be the beginning of a command."""
_SHELLS = frozenset(
    (
        *("ash", "at", "bash", "busybox", "dash", "eval", "hyperfine", "ksh", "nix-shell", "script", "sh", "ssh", "su"),
        *("tmux", "trap", "watch", "zsh"),
    )
)
"""Those that are given a whole line in one word."""
_BREAKS = re.compile(r"&&|\|\||[;|&\n(){}`<>]|\$\(")
_EXPANDED = re.compile(r"[$*?\[]|,")
_OF_SUBSTITUTION = re.compile(
    r"(?:^|[;|&\n({]|\b(?:do|then|else|elif|if|while|until|eval|exec|xargs|sudo|env)\b|-c\b)[ \t\"']*(?:\$\(|`)"
)
_DEEPEST = 4


class Word(msgspec.Struct, frozen=True):
    """A word of a command.

    Attributes:
        text: What the program is given, quotes removed.
        wild: Positions of characters in it that a shell would match file names with, as they are not quoted.
    """

    text: str
    wild: tuple[int, ...] = ()


SimpleCommand = tuple[Word, ...]


def simple_commands(line: str) -> tuple[SimpleCommand, ...] | None:
    """The simple commands of a line.

    Args:
        line: A command line, for ``sh``.

    Returns:
        The commands, in order; None where anything in the line may do something else, or more, than run them.
    """
    return _Reader(line).read()


def pattern_words(pattern: str) -> SimpleCommand | None:
    """The words of a rule's pattern, which is a simple command whose program may be wild; None where it is none."""
    found = _Reader(pattern, wild=True).read()
    return found[0] if found is not None and len(found) == 1 else None


class _Reader:
    """Reads a line strictly; see `simple_commands`.

    Args:
        line: The line.
        wild: The program may be a pattern.
    """

    def __init__(self, line: str, *, wild: bool = False) -> None:
        self._line = line
        self._wild = wild
        self._at = 0
        self._commands: list[SimpleCommand] = []
        self._words: list[Word] = []
        self._joined = False  # an operator has been read after which a command has to come

    def read(self) -> tuple[SimpleCommand, ...] | None:
        while self._at < len(self._line):
            if not self._step():
                return None
        if not self._end_command() or self._joined:
            return None
        return tuple(self._commands) or None

    def _step(self) -> bool:
        """Read a word or an operator; gives whether it could be read."""
        line, at = self._line, self._at
        if line[at] in " \t":
            self._at += 1
        elif found := _OPERATOR.match(line, at):
            return self._operator(found.group())
        elif self._words and (harmless := _HARMLESS.match(line, at)):
            self._at = harmless.end()
        else:
            word = self._word()
            # What is read of nothing is an operator that is not known here.
            if word is None or self._at == at:
                return False
            self._words.append(word)
        return True

    def _operator(self, operator: str) -> bool:
        self._at += len(operator)
        if operator == "\n":
            return self._end_command()
        if not self._words or not self._end_command():
            return False
        self._joined = operator != ";"
        return True

    def _end_command(self) -> bool:
        """Take the words so far for a command; gives whether they are one, or there are none."""
        if not self._words:
            return True
        first = self._words[0]
        if (
            (first.wild and not self._wild)
            or first.text in _KEYWORDS
            or not first.text
            or _ASSIGNMENT.match(first.text)
        ):
            return False
        self._commands.append(tuple(self._words))
        self._words = []
        self._joined = False
        return True

    def _word(self) -> Word | None:
        text: list[str] = []
        wild: list[int] = []
        line = self._line
        while self._at < len(line) and (char := line[self._at]) not in " \t\n;|":
            if char == "'":
                end = line.find("'", self._at + 1)
                if end < 0:
                    return None
                text += line[self._at + 1 : end]
                self._at = end + 1
            elif char == '"':
                if not self._double_quoted(text):
                    return None
            elif char == "\\":
                # A line end that is quoted so joins two lines: nobody who reads the line sees one command there.
                if self._at + 1 >= len(line) or line[self._at + 1] == "\n":
                    return None
                text.append(line[self._at + 1])
                self._at += 2
            elif char in _OPAQUE:
                if char == "&" and line.startswith("&&", self._at):
                    break
                if char != "#" or not text:
                    return None
                text.append(char)
                self._at += 1
            else:
                if char in _GLOB:
                    wild.append(len(text))
                text.append(char)
                self._at += 1
        whole = "".join(text)
        # What cannot be seen cannot have been allowed.
        return Word(whole, tuple(wild)) if re.sub(r"[\n\t]", "", whole).isprintable() else None

    def _double_quoted(self, text: list[str]) -> bool:
        line, at = self._line, self._at + 1
        while at < len(line):
            char = line[at]
            if char == '"':
                self._at = at + 1
                return True
            if char in "$`":
                return False
            if char == "\\" and at + 1 < len(line) and line[at + 1] in '$`"\\':
                at += 1
                char = line[at]
            elif char == "\\" and line.startswith("\n", at + 1):
                return False
            text.append(char)
            at += 1
        return False


def possible_commands(line: str) -> Iterator[tuple[str, ...]]:
    """Everything in a line that may be the beginning of a command, as its words; never fails.

    What is in substitutions and subshells counts, what a shell is given to read, and what a program such as ``xargs``
    or ``sudo`` is told to run.
    """
    yield from _possible(line, 0)


def _possible(line: str, depth: int) -> Iterator[tuple[str, ...]]:
    if depth > _DEEPEST:
        return
    joined = line.replace("\\\n", "")
    lines = [joined]
    if "$(" in joined or "`" in joined:
        # A substitution runs within double quotes too.
        lines.append(re.sub("[\"']", " ", joined))
    for simple in simple_commands(joined) or ():
        yield from _commands(tuple(word.text for word in simple))
    for one in lines:
        stretches = list(_split(one))
        given = False  # what is given to a shell to read is a line
        for at, (behind, words) in enumerate(stretches):
            # A file to read from or write to may stand before the command.
            for command in (words, words[1:]) if behind in {"<", ">"} else (words,):
                yield from _commands(command)
            piped = at + 1 < len(stretches) and stretches[at + 1][0] == "|" and _reads(stretches[at + 1][1])
            given = _reads(words) or (given and behind == "<")
            if given or piped:
                for word in words:
                    if re.search(r"[\s;|&]", word):
                        yield from _possible(word, depth + 1)


def _reads(words: tuple[str, ...]) -> bool:
    return any(program(word) in _SHELLS for word in words)


def _commands(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """What may be run by some words: they themselves, without what may stand before them, or what they run."""
    at = 0
    while at < len(words) and (_ASSIGNMENT.match(words[at]) or words[at] in _KEYWORDS):
        at += 1
    while 0 < at < len(words) and words[at - 1] == "time" and words[at].startswith("-"):
        at += 1
    command = words[at:]
    if not command:
        return
    yield command
    # What is done may stand behind options, which may have values: ``git -C there push``.
    for end in range(2, len(command)):
        if not command[end - 1].startswith("-") and not command[end - 2].startswith("-"):
            break
        yield (command[0], *command[end:])
    if program(command[0]) in _WRAPPERS:
        for start in range(1, len(command)):
            if not command[start].startswith("-"):
                yield command[start:]


def is_hidden(line: str) -> bool:
    """Whether a line may run a program whose name does not stand in it: of a variable, a pattern, a substitution."""
    return _OF_SUBSTITUTION.search(line) is not None or any(
        _EXPANDED.search(words[0]) is not None and words[0] != "[" for words in possible_commands(line)
    )


def _split(line: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The words of each stretch of a line between operators, quotes removed as far as they are closed.

    Each comes with the operator before it, empty for the first.
    """
    words: list[str] = []
    behind = ""
    word: list[str] | None = None
    at = 0
    while at < len(line):
        char = line[at]
        if char == "\\" and at + 1 < len(line):
            word = [*(word or []), line[at + 1]]
            at += 2
        elif char in "'\"" and (end := _closing(line, at)) > 0:
            word = [*(word or []), re.sub(r"\\(.)", r"\1", line[at + 1 : end]) if char == '"' else line[at + 1 : end]]
            at = end + 1
        elif found := _BREAKS.match(line, at):
            if word is not None:
                words.append("".join(word))
            if words:
                yield behind, tuple(words)
            words, word, behind = [], None, found.group()
            at = found.end()
        elif char.isspace():
            if word is not None:
                words.append("".join(word))
            word = None
            at += 1
        else:
            word = [*(word or []), char]
            at += 1
    if word is not None:
        words.append("".join(word))
    if words:
        yield behind, tuple(words)


def _closing(line: str, at: int) -> int:
    """Where a quote ends, -1 where it does not."""
    quote = line[at]
    at += 1
    while at < len(line):
        if line[at] == "\\" and quote == '"':
            at += 1
        elif line[at] == quote:
            return at
        at += 1
    return -1


def program(word: str) -> str:
    """The name of a program, wherever it lies."""
    return word.rpartition("/")[2]
