"""Rules on what the partner may do: allowed without asking, asked, or denied.

A rule is ``ACTION PATTERN``, and ``*`` in a pattern stands for anything:

- ``run pytest *``: commands, word by word and not by their text. The last word ``*`` stands for any words, also none;
  elsewhere it stands for a part of one word. A line of several commands is allowed when each of them is; a line that
  does anything else (a substitution, a redirection, a variable, ...) only by ``run *``. A ``*`` beside other letters
  does not stand for a way out of a folder (``..``), and in the program's name not for a slash.
- ``fetch https://docs.python.org/*``: addresses. A ``*`` in the name of the server does not stand for a slash.
- ``mcp files/read_*``: tools of MCP servers, as ``SERVER/TOOL``.

What is denied is denied whatever else is said, and what is to be asked goes before what is allowed. To deny and to ask
a rule fits wherever it may: any command of a line, in substitutions too, and what ``sudo`` or ``xargs`` would run.
Where there is such a rule, a line that does not say which program it runs (``$x y``) is asked. What a program does by
itself, such as a script, no rule knows.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import msgspec

from agent_core.config_tables import PermissionsConfig
from agent_core.events.running import Action
from agent_core.shell_words import (
    SimpleCommand,
    Word,
    is_hidden,
    pattern_words,
    possible_commands,
    program,
    simple_commands,
)

Answer = Literal["allow", "ask", "deny"]

_MOST_PARTS = 3
_LONGEST = 1_000
_MOST_READ = 8_000
_ANY = Word("*", (0,))
_UP = re.compile(r"(?:^|/)\.\.(?:/|$)")
_ADDRESS = re.compile(r"(?P<server>[a-z]+://[^/?#\\@\s]+)(?P<rest>(?:[/?#].*)?)", re.IGNORECASE | re.DOTALL)

# What runs whatever it is given, or does harm with any words: never allowed with any words by a wider rule.
_NEVER_WIDE = frozenset(
    (
        *("ash", "awk", "bash", "chmod", "chown", "command", "csh", "dash", "dd", "doas", "docker", "env", "eval"),
        *("exec", "find", "fish", "gawk", "kill", "ksh", "mv", "nice", "node", "nohup", "npx", "perl", "php", "pkill"),
        *("podman", "python", "rm", "rmdir", "ruby", "sed", "sh", "ssh", "su", "sudo", "time", "timeout", "uvx"),
        *("watch", "xargs", "zsh"),
    )
)
# Their first word says what they do.
_TAKES_COMMAND = frozenset(
    (
        *(
            "bun",
            "bundle",
            "cargo",
            "composer",
            "deno",
            "dotnet",
            "gem",
            "git",
            "go",
            "gradle",
            "hatch",
            "helm",
            "just",
        ),
        *(
            "kubectl",
            "make",
            "mix",
            "mvn",
            "nox",
            "npm",
            "nx",
            "pdm",
            "pip",
            "pipenv",
            "pnpm",
            "poetry",
            "rake",
            "task",
        ),
        *("terraform", "tox", "uv", "yarn"),
    )
)
_RUNS = frozenset(("run", "exec", "run-script"))


class Rule(msgspec.Struct, frozen=True):
    """A rule that has been read; see `read_rule`.

    Attributes:
        action: What it is about.
        pattern: Which of them, as it was written.
        words: For commands: the pattern's words.
    """

    action: Action
    pattern: str
    words: SimpleCommand = ()

    @property
    def text(self) -> str:
        """The rule as it is written."""
        return f"{self.action} {self.pattern}"

    @property
    def everything(self) -> bool:
        """Whether it is about whatever there is of its kind."""
        return self.pattern == "*"


class Judged(msgspec.Struct, frozen=True):
    """What the rules say of a wish.

    Attributes:
        answer: What is to be done; ``ask`` also where no rule says anything.
        rule: The rule that says so, or several; empty where none does.
    """

    answer: Answer
    rule: str = ""


class Offer(msgspec.Struct, frozen=True):
    """Rules that would have allowed something.

    Attributes:
        rule: The narrowest, or several, a line each; empty where there is none.
        wider: One that allows more of the kind; empty where there is none.
    """

    rule: str = ""
    wider: str = ""


def read_rule(text: str) -> Rule:
    """Read a rule.

    Raises:
        ValueError: It is none; says why.
    """
    kind, _, pattern = text.strip().partition(" ")
    pattern = pattern.strip()
    action = next((one for one in get_args(Action) if one == kind), None)
    if action is None:
        raise ValueError(f"a rule begins with one of {', '.join(get_args(Action))}, such as “run pytest *”")
    if not pattern:
        raise ValueError(f"behind {action} there has to be what it is about, such as * for anything")
    if len(text) > _LONGEST or not pattern.isprintable():
        raise ValueError(f"a rule is a line of at most {_LONGEST} characters that can be seen")
    if action == "fetch" and pattern != "*" and not _ADDRESS.fullmatch(pattern):
        raise ValueError("what is fetched is an address, such as “fetch https://docs.python.org/*”")
    words: SimpleCommand = ()
    if action == "run" and pattern != "*":
        found = pattern_words(pattern)
        if found is None:
            raise ValueError(
                "the pattern is to be one command, of words and *, without ; | & < > $ and the like unless they are in "
                "quotes"
            )
        words = found
    return Rule(action, pattern, words)


def rules_trouble(text: str) -> str:
    """Why a text cannot be used as a rule; empty where it can."""
    try:
        read_rule(text)
    except ValueError as error:
        return str(error)
    return ""


class Rules:
    """All rules in force.

    Args:
        config: Those of the configuration.
        kept: Those that the human has kept for the project; what is no rule among them is nothing.
    """

    def __init__(self, config: PermissionsConfig, kept: Iterable[str] = ()) -> None:
        self._allow = _read((*config.allow, *kept))
        self._ask = _read(config.ask)
        self._deny = _read(config.deny)

    def judge(self, action: Action, subject: str) -> Judged:
        """What is to be done with a wish.

        Args:
            action: What kind of thing it is.
            subject: What exactly, as in `agent_core.tools.base.Permission`.
        """
        # Nobody reads so much, and what nobody reads is not looked through either: a human is asked.
        looked_at = subject if len(subject) <= _MOST_READ else ""
        for rule in self._deny:
            if rule.action == action and _may_be(rule, looked_at):
                return Judged("deny", rule.text)
        for rule in self._ask:
            if rule.action == action and _may_be(rule, looked_at):
                return Judged("ask", rule.text)
        mine = [rule for rule in self._allow if rule.action == action]
        whole = next((rule for rule in mine if rule.everything), None)
        if whole is not None and not self._is_hidden(action, subject):
            return Judged("allow", whole.text)
        if action != "run":
            found = next((rule for rule in mine if _names(rule, subject)), None)
            return Judged("allow", found.text) if found is not None else Judged("ask")
        commands = simple_commands(looked_at)
        fitting = [_allowing(mine, command) for command in commands or ()]
        used = list(dict.fromkeys(rule.text for rule in fitting if rule is not None))
        return Judged("allow", ", ".join(used)) if fitting and None not in fitting else Judged("ask")

    def _is_hidden(self, action: Action, subject: str) -> bool:
        """Whether there are rules against some of its kind, and nobody can say whether it is of those."""
        if not any(rule.action == action for rule in (*self._deny, *self._ask)):
            return False
        return len(subject) > _MOST_READ or (action == "run" and is_hidden(subject))

    def offer(self, action: Action, subject: str) -> Offer:
        """The rules that would allow something from now on.

        Where a rule says that it is to be asked, none would.
        """
        if self.judge(action, subject) != Judged("ask"):
            return Offer()
        rule = wider = ""
        if action == "run":
            mine = [rule for rule in self._allow if rule.action == action]
            found = [one for one in simple_commands(subject) or () if _allowing(mine, one) is None]
            rule, wider = _for_commands(list(dict.fromkeys(found)))
        elif "*" not in subject:
            rule = f"{action} {subject}"
            whole = _ADDRESS.fullmatch(subject)
            over = whole["server"] if whole is not None else subject.partition("/")[0]
            wider = f"{action} {over}/*"
        useful = [one for one in (rule, wider) if one and self._would_do(one, action, subject)]
        return Offer(*dict.fromkeys(useful))

    def _would_do(self, rules: str, action: Action, subject: str) -> bool:
        """Whether some rules, a line each, would have something allowed."""
        if any(map(rules_trouble, rules.split("\n"))):
            return False
        more = Rules(PermissionsConfig(), rules.split("\n"))
        more._allow += self._allow
        return more.judge(action, subject).answer == "allow"


def _read(texts: Iterable[str]) -> tuple[Rule, ...]:
    return tuple(read_rule(text) for text in texts if not rules_trouble(text))


def _allowing(rules: Sequence[Rule], command: SimpleCommand) -> Rule | None:
    return next((rule for rule in rules if rule.everything or _fits(rule.words, command)), None)


def _fits(pattern: SimpleCommand, command: SimpleCommand) -> bool:
    """Whether a pattern allows a command."""
    rest = pattern[-1] == _ANY and len(pattern) > 1
    head = pattern[:-1] if rest else pattern
    if len(command) < len(head) or (len(command) > len(head) and not rest):
        return False
    return all(_word_fits(one, word, first=not at) for at, (one, word) in enumerate(zip(head, command, strict=False)))


def _word_fits(pattern: Word, word: Word, *, first: bool) -> bool:
    if not _stars(pattern):
        # A word that a shell makes names of files of is any word.
        return pattern.text == word.text and not word.wild
    if word.wild or (pattern != _ANY and _UP.search(word.text) and not _UP.search(pattern.text)):
        return False
    return re.fullmatch(_regex(pattern, "[^/]*" if first else ".*"), word.text, re.DOTALL) is not None


def _stars(word: Word) -> list[int]:
    return [at for at in word.wild if word.text[at] == "*"]


def _regex(pattern: Word, star: str) -> str:
    stars = set(_stars(pattern))
    return "".join(star if at in stars else re.escape(char) for at, char in enumerate(pattern.text))


def _may_be(rule: Rule, subject: str) -> bool:
    """Whether a rule may be about something, for denying it or for asking."""
    if rule.everything:
        return True
    if rule.action != "run":
        return re.fullmatch(_glob(rule.pattern), subject, re.DOTALL | re.IGNORECASE) is not None
    rest = rule.words[-1] == _ANY and len(rule.words) > 1
    head = rule.words[:-1] if rest else rule.words
    regexes = [re.compile(_regex(word, ".*"), re.DOTALL) for word in head]
    for words in possible_commands(subject):
        if len(words) < len(head) or (len(words) > len(head) and not rest):
            continue
        names = (words[0], program(words[0]))
        if any(regexes[0].fullmatch(name) for name in names) and all(
            regex.fullmatch(word) for regex, word in zip(regexes[1:], words[1:], strict=False)
        ):
            return True
    return False


def _glob(pattern: str, star: str = ".*") -> str:
    return star.join(map(re.escape, pattern.split("*")))


def _names(rule: Rule, subject: str) -> bool:
    """Whether a rule allows an address, or a tool of a server."""
    if rule.action == "mcp":
        return re.fullmatch(_glob(rule.pattern), subject) is not None
    wanted, given = _ADDRESS.fullmatch(rule.pattern), _ADDRESS.fullmatch(subject)
    if wanted is None or given is None or not subject.isprintable():
        return False
    if not re.fullmatch(_glob(wanted["server"], r"[^/]*"), given["server"], re.IGNORECASE):
        return False
    # A way up would lead out of the folder that is allowed, however its dots and slashes are written.
    path = re.sub("%2e", ".", given["rest"].partition("?")[0].lower())
    if _UP.search(re.sub(r"%2f|%5c|\\", "/", path)):
        return False
    return re.fullmatch(_glob(wanted["rest"] or "/"), given["rest"] or "/", re.DOTALL) is not None


def _for_commands(commands: Sequence[SimpleCommand]) -> tuple[str, str]:
    """The narrowest rules that allow some commands, a line each, and one that allows more of the kind."""
    if not 0 < len(commands) <= _MOST_PARTS:
        return "", ""
    exact = [_exact(command) for command in commands]
    return "\n".join(exact) if all(exact) else "", _wider(commands[0]) if len(commands) == 1 else ""


def _exact(command: SimpleCommand) -> str:
    """The rule that allows a command as it is and no other; empty where there is none."""
    if any(word.wild or "\n" in word.text for word in command):
        return ""
    return f"run {shlex.join(word.text for word in command)}"


def _wider(command: SimpleCommand) -> str:
    """The rule that allows the same with other words behind it; empty where that would allow anything."""
    texts = [word.text for word in command]
    name = re.sub(r"[0-9.]+$", "", program(texts[0]))
    keep = 1
    if name == "python" and len(texts) > 2 and texts[1] == "-m":
        keep = 3
    elif name in _TAKES_COMMAND:
        keep = 3 if len(texts) > 2 and texts[1] in _RUNS else 2
        # What a program that runs others is to run may itself run others.
        if keep == 3 and re.sub(r"[0-9.]+$", "", program(texts[2])) in _NEVER_WIDE:
            return ""
    elif name in _NEVER_WIDE:
        return ""
    head = command[:keep]
    if len(head) < keep or any(word.wild for word in head) or (keep > 1 and texts[keep - 1].startswith("-")):
        return ""
    return f"run {shlex.join(texts[:keep])} *"
