"""The installers that fill an environment: uv where it is installed, else pip.

Both check every file's hash. Packages come from the indexes that pip is configured with; uv gets the same
configuration unless it has its own.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ledger.environments.lockfile import Lockfile
from ledger.errors import LedgerError, UsageError

CHOICE = "LEDGER_INSTALLER"
NO_SPACE = re.compile(r"No space left on device|Disk quota exceeded")
WRONG_HASH = re.compile(
    r"THESE PACKAGES DO NOT MATCH THE HASHES.*?\s(?P<pip>\S+) from |Hash mismatch for `(?P<uv>\S+)`",
    re.DOTALL,
)
OFFLINE = re.compile(
    r"name resolution|Failed to establish|NewConnectionError|ConnectTimeout|Network is unreach"
    r"|client error \(Connect\)|network was disabled"
)
NO_SUCH = re.compile(
    r"No matching distribution found for (?P<pip>\S+)"
    r"|Because (?:there is no version of (?P<version>\S+)|only (?P<only>\S+) is|(?P<name>\S+) was not found)"
)
NO_HASH = re.compile(r"Hashes are required in --require-hashes mode|all requirements must have a hash")
# pip's settings, and the variables and list separators that uv has for them.
OF_PIP = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "proxy": ("ALL_PROXY", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "timeout": ("UV_HTTP_TIMEOUT", " "),
}
# Settings for other uses of pip. A variable overrides a configuration file.
ELSEWHERE = frozenset({"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"})
HERE = {"PIP_USER": "0", "PIP_DRY_RUN": "0"}
SOURCES = (
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
)


class Installer(Protocol):
    """pip or uv. Its commands are run with the variables of `environment`."""

    @property
    def name(self) -> str:
        """`pip` or `uv`."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of its process."""
        ...

    def ask(self, requirement: Path) -> list[str]:
        """The command that fails where the requirement in the file is not available."""
        ...

    def install(self, python: Path, requirements: Path) -> list[str]:
        """The command that installs the requirements, checking hashes, into the environment of `python`."""
        ...


@dataclass(frozen=True, slots=True)
class Pip:
    """The pip of the environment that ledger runs in."""

    name: str = "pip"

    @property
    def environment(self) -> Mapping[str, str]:
        """The current variables, without those that would make pip install elsewhere or nothing."""
        return {**{name: value for name, value in os.environ.items() if name not in ELSEWHERE}, **HERE}

    def ask(self, requirement: Path) -> list[str]:
        """`pip install --dry-run`."""
        options = ["--dry-run", "--no-deps", "--ignore-installed", "-r", str(requirement)]
        return self._install(Path(sys.executable), options)

    def install(self, python: Path, requirements: Path) -> list[str]:
        """`pip install`, without byte code."""
        return self._install(python, ["--no-compile", "--require-hashes", "-r", str(requirements)])

    def _install(self, python: Path, options: list[str]) -> list[str]:
        quiet = ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
        return [sys.executable, "-m", "pip", "--python", str(python), "install", *quiet, *options]


@dataclass(frozen=True, slots=True)
class Uv:
    """uv, at `program`."""

    program: Path
    name: str = "uv"
    environment: Mapping[str, str] = field(default_factory=lambda: uv_environment(os.environ))

    def ask(self, requirement: Path) -> list[str]:
        """`uv pip compile`, which needs no environment."""
        return [
            str(self.program),
            "pip",
            "compile",
            "--no-deps",
            "--python",
            sys.executable,
            str(requirement),
        ]

    def install(self, python: Path, requirements: Path) -> list[str]:
        """`uv pip install`. Any index may supply any package: its hash proves that it is the right one.

        Files are copied: with links, an edit in one environment would reach the cache and all others.
        """
        pinned = ["--require-hashes", "-r", str(requirements)]
        options = ["--index-strategy", "unsafe-best-match", "--link-mode", "copy", *pinned]
        return [str(self.program), "pip", "install", "--python", str(python), *options]


def choose_installer() -> Installer:
    """The installer that LEDGER_INSTALLER names, or else uv where it is installed, or else pip."""
    wanted = os.environ.get(CHOICE, "")
    if wanted not in ("", "pip", "uv"):
        raise UsageError(f"{CHOICE} is {wanted!r}", hint="set it to pip or uv, or unset it")
    uv = find_uv() if wanted != "pip" else None
    if wanted == "uv" and uv is None:
        raise UsageError(f"{CHOICE} is uv, which is not installed", hint="pip install uv, or unset it")
    return uv or Pip()


def find_uv() -> Uv | None:
    """The uv next to this Python, or else on the PATH."""
    sibling = Path(sys.executable).with_name("uv")
    program = str(sibling) if sibling.exists() else shutil.which("uv")
    return Uv(Path(program)) if program else None


def uv_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """`variables` for uv, with pip's index settings unless uv has its own configuration."""
    configs = Path(variables.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    own = [configs / "uv" / "uv.toml", Path("/etc/uv/uv.toml")]
    if any(variables.get(name) for name in (*SOURCES, "UV_CONFIG_FILE")) or any(p.exists() for p in own):
        return dict(variables)
    settings = read_pip_settings()
    from_pip = {
        name: between.join(settings[key].split())
        for key, (name, between) in OF_PIP.items()
        if settings.get(key)
    }
    return {**from_pip, **variables}


def read_pip_settings() -> dict[str, str]:
    """The settings of `pip config list`; variables override those of `install`, these the global ones."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found: dict[str, dict[str, str]] = {"global": {}, "install": {}, ":env:": {}}
    for line in done.stdout.splitlines():
        section, _, rest = line.partition(".")
        key, equals, value = rest.partition("=")
        if section in found and equals:
            found[section][key] = str(ast.literal_eval(value))
    return {**found["global"], **found["install"], **found[":env:"]}


def explain(said: str, lockfile: Lockfile, log: Path) -> LedgerError:
    """The installer's output as an error for the user."""
    what = f"the environment of {lockfile.path} cannot be built"
    if NO_SPACE.search(said):
        return LedgerError(f"{what}: no space left", hint="free some there and in the temporary folder")
    if wrong := WRONG_HASH.search(said):
        return LedgerError(
            f"{what}: {_plain(wrong)} does not match its hash in the lockfile",
            hint=f"the package or the lockfile was changed; both hashes are in {log}",
        )
    if OFFLINE.search(said):
        return LedgerError(
            f"{what}: the package index cannot be reached", hint="go online, or configure a mirror in pip"
        )
    if NO_HASH.search(said):
        return LedgerError(
            f"{what}: it pins a package without a hash",
            hint="compile it with hashes: ledger env lock NAME, or pip-compile --generate-hashes",
        )
    if missing := NO_SUCH.search(" ".join(said.split())):
        return LedgerError(
            f"{what}: {_plain(missing)} is not available",
            hint="configure an index in pip that has it, or compile the lockfile again: ledger env lock NAME",
        )
    errors = [line for line in said.splitlines() if line.lower().startswith("error")]
    last = errors[-1] if errors else said.strip()[-200:]
    return LedgerError(f"{what}: {last}", hint=f"the full output is in {log}")


def _plain(match: "re.Match[str]") -> str:
    """The package that a message names, in the lockfile's notation."""
    found = next(group for group in match.groups() if group)
    return found.replace("===", "==").replace("<=", "==")
