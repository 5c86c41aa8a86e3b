"""Checks that a package.json shows: eslint, tsc, vitest, jest, and its other scripts."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent_core.checks.found import REPORT, Found, Look
from agent_core.checks.settings import CommandConfig

_BIN = "node_modules/.bin"
_INSTALL = "Install what package.json names (npm install)"
# Test runners watch for changes, and React's scripts too, where nobody says that nobody is there.
_CI = (("CI", "true"),)
_CODE = ("js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte", "astro", "json")
_FILES = (f"**/*.{{{','.join(_CODE)}}}", "**/.eslintrc*")
_ESLINT_FILES = tuple(f"eslint.config.{end}" for end in ("js", "mjs", "cjs", "ts", "mts", "cts"))
_ESLINT_FILES += (".eslintrc", *(f".eslintrc.{end}" for end in ("js", "cjs", "json", "yaml", "yml")))
_ESLINT_OFF = ("--fix", "--fix-dry-run", "--cache")
_ESLINT_OUT = ("-f", "--format", "-o", "--output-file", "--cache-location")
_TYPE_SCRIPTS = ("typecheck", "type-check", "check-types", "check:types", "types", "tsc")
_SCRIPTS = ("lint", "test", *_TYPE_SCRIPTS)
# What may not stand in a script of which the arguments are taken: it would need a shell.
_SHELL = re.compile(r"[&|;<>$`(){}*?~#\n]")


def find_node(look: Look) -> Iterator[Found]:
    """What package.json shows."""
    text = look.text("package.json")
    if not text:
        return
    try:
        package = json.loads(text)
    except (ValueError, RecursionError):
        # The syntax check says what is wrong with it.
        return
    if not isinstance(package, dict):
        return
    scripts = {name: text for name, text in _table(package, "scripts").items() if isinstance(text, str)}
    named = {*_table(package, "dependencies"), *_table(package, "devDependencies")}
    every = [*_eslint(look, package, scripts), *_types(look, scripts), *_tests(look)]
    tools = [one for one, origin in every if origin in named or _used(origin, scripts)]
    yield from tools
    covered = {one.name for one in tools}
    for name in _SCRIPTS:
        script = scripts.get(name, "").strip()
        if script and "no test specified" not in script and not any(_used(tool, {name: script}) for tool in covered):
            yield _script(look, name, script)


def _table(package: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = package.get(name)
    return table if isinstance(table, dict) else {}


def _used(tool: str, scripts: Mapping[str, str]) -> bool:
    """Whether a script starts a tool by its name."""
    return any(re.search(rf"(?<![\w./@-]){re.escape(tool)}(?![\w/.-])", text) for text in scripts.values())


def _made(look: Look, name: str, tool: str, command: CommandConfig, why: str) -> Found:
    """A tool of node_modules; off where it is not installed."""
    if not look.there(f"{_BIN}/{tool}"):
        return Found(name, command, f"off: package.json names {tool}, but node_modules has none: npm install", on=False)
    if not look.program("node"):
        return Found(name, command, f"off: {tool} needs node, which is not on the PATH", on=False)
    return Found(name, command, why, env=_CI, hint=_INSTALL)


def _arguments(script: str, tool: str) -> list[str] | None:
    """The arguments that a script gives a tool; None where it does more than to start it."""
    if _SHELL.search(script):
        return None
    try:
        words = shlex.split(script)
    except ValueError:
        return None
    return words[1:] if words[:1] == [tool] else None


def _without(words: Sequence[str], alone: Sequence[str], with_value: Sequence[str]) -> list[str]:
    """Arguments without some options, those of the second kind with what follows them."""
    kept: list[str] = []
    waiting = iter(words)
    for word in waiting:
        option = word.partition("=")[0]
        if option in with_value:
            if "=" not in word:
                next(waiting, None)
        elif option not in alone:
            kept.append(word)
    return kept


def _eslint(look: Look, package: Mapping[str, Any], scripts: Mapping[str, str]) -> Iterator[tuple[Found, str]]:
    given = next((words for text in scripts.values() if (words := _arguments(text, "eslint")) is not None), None)
    words = _without(given or (), _ESLINT_OFF, _ESLINT_OUT)
    if not any(not word.startswith("-") for word in words):
        words.append(".")
    command = CommandConfig(
        run=(f"{_BIN}/eslint", *words, "-f", "json", "-o", REPORT),
        when=_FILES,
        parse="json",
        report=REPORT,
        warnings=any(word.startswith("--max-warnings") for word in words),
    )
    why = f"package.json has eslint{', called as in its scripts' if given else ''}"
    configured = "eslintConfig" in package or any(look.there(name) for name in _ESLINT_FILES)
    found = _made(look, "eslint", "eslint", command, why)
    if found.on and not configured:
        found = Found("eslint", command, "off: eslint has no configuration in this folder", on=False)
    yield found, "eslint"


def _types(look: Look, scripts: Mapping[str, str]) -> Iterator[tuple[Found, str]]:
    config = re.sub(r"/\*.*?\*/|^\s*//[^\n]*", "", look.text("tsconfig.json"), flags=re.DOTALL | re.MULTILINE)
    if not config:
        return
    tool = "vue-tsc" if look.there(f"{_BIN}/vue-tsc") else "tsc"
    flags = ("--noEmit", "--pretty", "false")
    why = f"there is a tsconfig.json, and {tool} in node_modules"
    # A tsconfig.json that lists no files itself and refers to others: on its own it checks nothing, and is content.
    parts = re.findall(r'"path"\s*:\s*"([^"\n]+)"', config) if re.search(r'"files"\s*:\s*\[\s*\]', config) else []
    run: str | tuple[str, ...] = (f"{_BIN}/{tool}", *flags)
    if parts:
        calls = "; ".join(f"{_BIN}/{tool} -p {shlex.quote(part)} {' '.join(flags)} || code=$?" for part in parts)
        run, why = f"code=0; {calls}; exit $code", f"{why}; once for each project that it refers to"
    command = CommandConfig(run=run, when=_FILES, parse="gcc")
    yield _made(look, "tsc", tool, command, why), "typescript" if not _used(tool, scripts) else tool


def _tests(look: Look) -> Iterator[tuple[Found, str]]:
    vitest = CommandConfig(
        run=(f"{_BIN}/vitest", "run", "--reporter=junit", f"--outputFile={REPORT}"), parse="junit", report=REPORT
    )
    yield _made(look, "vitest", "vitest", vitest, "package.json has vitest"), "vitest"
    jest = CommandConfig(
        run=(f"{_BIN}/jest", "--ci", "--json", "--testLocationInResults", f"--outputFile={REPORT}"),
        parse="json",
        report=REPORT,
    )
    yield _made(look, "jest", "jest", jest, "package.json has jest"), "jest"


def _script(look: Look, name: str, script: str) -> Found:
    """A script that starts no tool known here."""
    command = CommandConfig(run=("npm", "run", "--silent", name), parse="none" if name == "test" else "gcc")
    if re.match(r"node\s+(?=.*--test\b)(?!.*--test-reporter)", script):
        flags = ("--test-reporter=junit", f"--test-reporter-destination={REPORT}")
        command = CommandConfig(run=("npm", "run", "--silent", name, "--", *flags), parse="junit", report=REPORT)
    title = f"npm-{name.replace(':', '-')}"
    if not look.program("npm"):
        return Found(title, command, "off: it needs npm, which is not on the PATH", on=False)
    return Found(title, command, f"package.json has a script {name!r}: {script}", env=_CI, hint=_INSTALL)
