"""Every kind of file that names packages, recognized by its content, as one list.

pip's requirements are in `requirements`, other tools' lockfiles in `tool_lockfiles`, conda's in `conda`, and
printed lists in `package_tables`. A file that only states what to install is answered with what to export.
"""

import json
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from ledger.environments import conda, tool_lockfiles
from ledger.environments.package_tables import of_json, of_table
from ledger.environments.requirements import Listed, RequirementList, add_line, read_requirements, read_text
from ledger.errors import LedgerError
from ledger.evidence.environment import Package

# What marks the lockfile of each tool, and how it is read.
_TOML: tuple[tuple[Callable[[Mapping[str, Any]], bool], Callable[[Mapping[str, Any]], list[Listed]]], ...] = (
    (lambda one: "content-hash" in _table(one, "metadata"), tool_lockfiles.of_poetry),
    (lambda one: "lock_version" in _table(one, "metadata"), tool_lockfiles.of_pdm),
    (lambda one: isinstance(one.get("package"), list) and "version" in one, tool_lockfiles.of_uv),
)
# Files that do not name every version, and the command that writes a list that does.
EXPORTS = {
    "Pipfile": "name its Pipfile.lock; pipenv lock writes it",
    "pixi.toml": "name its pixi.lock; pixi lock writes it",
    "setup.py": "list what is installed: pip freeze > requirements.txt",
    "setup.cfg": "list what is installed: pip freeze > requirements.txt",
    "Dockerfile": "list what is installed there: docker run --rm IMAGE pip freeze > requirements.txt",
}
LIST_INSTEAD = "list what is installed: pip freeze > requirements.txt"


def read_list(path: Path) -> RequirementList:
    """The packages that a file names, whatever tool wrote it.

    Raises LedgerError, with what to do, where the file cannot be read or is none of the known kinds.
    """
    if hint := EXPORTS.get(path.name):
        raise LedgerError(f"{path} does not name the version of every package", hint=hint)
    text = read_text(path)
    start = text.lstrip()[:1]
    try:
        if path.suffix in (".yml", ".yaml") or path.name == "pixi.lock":
            found = _of_yaml(path, text)
        elif (
            start == "{" or path.suffix == ".json" or (start == "[" and path.suffix not in (".toml", ".lock"))
        ):
            found = _of_json(path, json.loads(text))
        elif path.suffix in (".toml", ".lock"):
            found = _of_toml(path, tomllib.loads(text))
        else:
            found = _of_text(path, text)
    except (ValueError, RecursionError) as error:
        raise _unknown(path, f"cannot be parsed: {str(error).splitlines()[0]}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise _unknown(path, "does not have the structure of the lockfile that it seems to be") from error
    return found


def _of_text(path: Path, text: str) -> RequirementList:
    lines = [line.strip() for line in text.splitlines()]
    if "@EXPLICIT" in lines:
        return conda.of_explicit(lines)
    stated = [line for line in lines if line and not line.startswith("#")]
    if stated and all(line.count("=") == 2 and "==" not in line and " " not in line for line in stated):
        return conda.of_export(stated)
    return of_table(text) or read_requirements(path)


def _of_json(path: Path, content: Any) -> RequirementList:
    if isinstance(content, dict) and "_meta" in content:
        requires = content["_meta"].get("requires") or {}
        python = requires.get("python_full_version") or requires.get("python_version")
        return RequirementList(tool_lockfiles.of_pipenv(content), python=python)
    found = of_json(content)
    if found is None:
        raise _unknown(path, "is not JSON of pip list, pip inspect, conda list or Pipenv")
    return found


def _of_toml(path: Path, content: Mapping[str, Any]) -> RequirementList:
    if "lock-version" in content and "packages" in content:
        return _of_pylock(content)
    for is_written_by, read in _TOML:
        if is_written_by(content):
            requires = content.get("requires-python") or _table(content, "metadata").get("requires_python")
            return RequirementList(read(content), requires_python=str(requires or ""))
    project = content.get("project")
    if not isinstance(project, dict) or not project.get("dependencies"):
        raise _unknown(path, "is not a lockfile of a known tool")
    found = RequirementList()
    for line in project["dependencies"]:
        add_line(found, str(line), path.parent, f"dependency {line}")
    return found


def _of_pylock(content: Mapping[str, Any]) -> RequirementList:
    """A pylock.toml with folders, commits or missing hashes, which is not installable but can be compared."""
    found = RequirementList(requires_python=str(content.get("requires-python") or ""))
    for one in content["packages"]:
        place = one.get("vcs") or one.get("directory") or {}
        origin = {"url": place.get("url") or place.get("path")} if place else {}
        if commit := place.get("commit-id"):
            origin["commit"] = commit
        if place.get("editable"):
            origin["editable"] = True
        package = Package(str(one["version"]) if "version" in one else None, origin=origin)
        found.listed.append(Listed(canonicalize_name(one["name"]), package, str(one.get("marker", ""))))
    return found


def _of_yaml(path: Path, text: str) -> RequirementList:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise _unknown(path, "is not valid YAML") from error
    if isinstance(content, dict) and "dependencies" in content:
        return conda.of_environment(content, path.parent)
    if isinstance(content, dict) and "environments" in content and "packages" in content:
        return conda.of_pixi(content)
    if isinstance(content, dict) and "package" in content:
        return conda.of_conda_lock(content)
    raise _unknown(path, "is not an environment.yml, a conda-lock.yml or a pixi.lock")


def _table(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = content.get(name)
    return found if isinstance(found, dict) else {}


def _unknown(path: Path, problem: str) -> LedgerError:
    return LedgerError(f"{path} {problem}", hint=LIST_INSTEAD)
