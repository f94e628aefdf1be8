"""`pip list` and `conda list` as tables and as JSON, and `pip inspect`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from packaging.utils import canonicalize_name

from ledger.environments import conda
from ledger.environments.requirements import Listed, RequirementList
from ledger.evidence.environment import Package
from ledger.findings import Json

_PIP_HEAD = re.compile(r"^Package\s+Version\b", re.IGNORECASE)
_CONDA_HEAD = re.compile(r"^#?\s*Name\s+Version\s+Build\b", re.IGNORECASE)
_RULE = re.compile(r"[-─\s]+")
# What pip prints around the table when its streams are merged.
_NOTICE = re.compile(r"\[notice\]|WARNING:|DEPRECATION:|Using Python |\$ ")
_EDITABLE = "editable project location"
OMITTED = ("pip", "setuptools", "wheel", "distribute")
_LEGACY = re.compile(r"(?P<name>[\w.-]+) \((?P<version>[^\s,()]+)(?:, (?P<place>[^()]+))?\)")


def of_table(text: str) -> RequirementList | None:
    """The list in the columns of `pip list` or `conda list`; None where the text is something else."""
    lines = [line.strip() for line in text.splitlines() if not _NOTICE.match(line.strip())]
    for number, line in enumerate(lines):
        rows = (row.split() for row in lines[number + 1 :] if row and not _RULE.fullmatch(row))
        if _PIP_HEAD.match(line):
            return _of_pip(_pip_rows(lines[number:]))
        if _CONDA_HEAD.match(line):
            filled = ([*row, "", ""] for row in rows if len(row) > 1)
            return conda.of_rows((row[0], row[1], row[2], row[3]) for row in filled)
    found = [_LEGACY.fullmatch(line) for line in lines if line]
    if not found or not all(found):
        return None
    return _of_pip((one["name"], one["version"], one["place"] or "") for one in found if one)


def of_json(content: Any) -> RequirementList | None:
    """`pip list`, `conda list` or `pip inspect` as JSON; None where the document is something else."""
    if isinstance(content, dict) and isinstance(content.get("installed"), list):
        return _of_inspection(content)
    if not isinstance(content, list) or not all(isinstance(one, dict) and "name" in one for one in content):
        return None
    if any("build_string" in one for one in content):
        return conda.of_rows(
            (
                str(one["name"]),
                str(one.get("version", "")),
                str(one.get("build_string", "")),
                str(one.get("channel")),
            )
            for one in content
        )
    return _of_pip(
        (str(one["name"]), str(one.get("version", "")), str(one.get("editable_project_location") or ""))
        for one in content
    )


def _pip_rows(lines: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Name, version and editable folder of each row. The columns begin where those of the rule do."""
    rules = [found.start() for found in re.finditer(r"-+", lines[1])] if len(lines) > 1 else []
    ends = [*rules[1:], None]
    for line in lines[2:]:
        cells = [line[start:end].strip() for start, end in zip(rules, ends, strict=True)]
        heads = [lines[0][start:end].strip().lower() for start, end in zip(rules, ends, strict=True)]
        if len(cells) > 1 and cells[0] and cells[1]:
            yield cells[0], cells[1], dict(zip(heads, cells, strict=True)).get(_EDITABLE, "")


def _of_pip(rows: Iterator[tuple[str, str, str]]) -> RequirementList:
    listed = []
    for name, version, place in rows:
        editable: dict[str, Json] = {"url": place, "editable": True} if place else {}
        listed.append(Listed(canonicalize_name(name), Package(version or None, origin=editable)))
    return _without_pip(listed)


def _of_inspection(content: Mapping[str, Any]) -> RequirementList:
    listed = []
    for one in content["installed"]:
        facts, direct = one.get("metadata", {}), one.get("direct_url") or {}
        origin: dict[str, Json] = {"url": direct["url"]} if direct.get("url") else {}
        if commit := direct.get("vcs_info", {}).get("commit_id"):
            origin["commit"] = commit
        if direct.get("dir_info", {}).get("editable"):
            origin["editable"] = True
        package = Package(str(facts.get("version")), origin=origin)
        listed.append(Listed(canonicalize_name(str(facts.get("name"))), package))
    python = (content.get("environment") or {}).get("python_full_version")
    return _without_pip(listed, python)


def _without_pip(listed: Sequence[Listed], python: str | None = None) -> RequirementList:
    """Without what `pip freeze` omits."""
    return RequirementList([one for one in listed if one.name not in OMITTED], python=python)
