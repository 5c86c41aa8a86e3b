"""Findings out of SARIF 2.1 (OASIS, Static Analysis Results Interchange Format)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from agent_core.checks.report_json import loaded
from agent_core.checks.reports import Report, ReportError, Said, number, pick, severity


def read_sarif(text: str) -> Report:
    """Findings out of a SARIF log.

    Raises:
        ReportError: It is none, or says that the tool did not come to an end.
    """
    data = loaded(text)
    runs = data.get("runs") if isinstance(data, dict) else None
    if not isinstance(runs, list) or not all(isinstance(one, dict) for one in runs) or not runs:
        raise ReportError("it is JSON, but no SARIF log: there are no runs in it")
    report = Report()
    for one in runs:
        for invocation in one.get("invocations") or ():
            if invocation.get("executionSuccessful") is False:
                reasons: list[Any] = invocation.get("toolExecutionNotifications") or [{}]
                raise ReportError(f"the tool says it failed: {pick(reasons[0], 'message.text') or 'no reason given'}")
        if not isinstance(one.get("results"), list):
            # So a log says that nothing was looked at; what was looked at and is fine has an empty list.
            raise ReportError("it is a SARIF log of a run without results")
        for result in one["results"]:
            if result.get("kind", "fail") == "fail" and not result.get("suppressions"):
                report.add(_sarif_result(result, one))
    return report


def _sarif_result(result: Mapping[str, Any], run: Mapping[str, Any]) -> Said:
    rules = pick(run, "tool.driver.rules") or []
    index, code = result.get("ruleIndex"), str(result.get("ruleId") or pick(result, "rule.id") or "")
    fits = [rule for rule in rules if rule.get("id") == code] if code else []
    if not fits and isinstance(index, int) and 0 <= index < len(rules):
        fits = [rules[index]]
    rule = fits[0] if fits else {}
    message = result.get("message") or {}
    text = message.get("text") or message.get("markdown")
    if not text and (name := message.get("id")):
        text = pick(rule.get("messageStrings") or {}, f"{name}.text") or name
    for place, word in enumerate(message.get("arguments") or ()):
        text = (text or "").replace(f"{{{place}}}", str(word))
    level = result.get("level") or pick(rule, "defaultConfiguration.level") or "warning"
    where = (result.get("locations") or [{}])[0].get("physicalLocation") or {}
    path = _sarif_path(where.get("artifactLocation") or {}, run)
    line = number(pick(where, "region.startLine"))
    return Said(text or code or "it says no more", path, line, code or str(rule.get("id", "")), severity(level))


def _sarif_path(artifact: Mapping[str, Any], run: Mapping[str, Any]) -> str | None:
    uri, index = artifact.get("uri"), artifact.get("index")
    if uri is None and isinstance(index, int) and 0 <= index < len(run.get("artifacts") or ()):
        artifact = run["artifacts"][index].get("location") or {}
        uri = artifact.get("uri")
    if not isinstance(uri, str):
        return None
    bases = run.get("originalUriBaseIds") or {}
    base = pick(bases.get(artifact.get("uriBaseId", "")) or {}, "uri")
    if isinstance(base, str) and base.startswith("file:") and ":" not in uri.split("/")[0]:
        uri = f"{base.rstrip('/')}/{uri}"
    return unquote(urlsplit(uri).path if uri.startswith("file:") else uri)
