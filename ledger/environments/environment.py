"""The environment of a run as values: what it is made of, and a digest over exactly that.

Pure: `runners.environments.inspection` collects the facts. Two digests, because rented hosts differ while
packages do not: one over the packages that the lockfile pins, Python and torch's build, one over the machine.
The tool's own packages, which may be installed beside the experiment's, are in neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledger.environments.lockfile import Lockfile, select
from ledger.evidence import Unobserved
from ledger.evidence.environment import Installed, Pins
from ledger.findings import Json
from ledger.utils.hashing import digest_json
from ledger.utils.redaction import scrub_url

NO_LOCKFILE = Unobserved("no lockfile is named")


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment, observed.

    `digest` is the digest of `facts`, `machine_digest` that of `machine`; `reported` is in neither.
    `lockfile` is the variant that the facts were held against, `pins` and `installed` are the evidence.
    """

    digest: str
    facts: dict[str, Json]
    machine_digest: str
    machine: dict[str, Json]
    reported: dict[str, Json]
    installed: Installed
    pins: Pins | Unobserved = NO_LOCKFILE
    lockfile: Lockfile | None = None


def build(raw: Mapping[str, Any], variants: Sequence[Lockfile] = ()) -> Environment:
    """The environment that the worker's facts describe, held against the lockfile variant that it follows.

    Without a lockfile the digest covers every package by name and version: what a command used is in there.
    """
    versions = {name: facts["version"] for name, facts in raw["distributions"].items()}
    lockfile = select(variants, versions, raw["markers"]) if variants else None
    pinned = lockfile.versions(raw["markers"]) if lockfile else {}
    packages = (
        {name: _package(raw["distributions"][name]) for name in pinned if name in versions}
        if lockfile
        else {name: {"version": version} for name, version in versions.items()}
    )
    facts = {"python": raw["python"], "torch": raw["torch"], "packages": packages}
    altered = sorted(name for name, dist in raw["distributions"].items() if _is_altered(dist))
    return Environment(
        digest=digest_json(facts),
        facts=facts,
        machine_digest=digest_json(raw["machine"]),
        machine=dict(raw["machine"]),
        reported={"interpreter": raw["interpreter"], **raw["reported"]},
        installed=Installed(raw["python"]["version"], versions, tuple(altered)),
        pins=Pins(lockfile.path.name, pinned) if lockfile else NO_LOCKFILE,
        lockfile=lockfile,
    )


def _package(dist: Mapping[str, Any]) -> dict[str, Json]:
    """What of a pinned package is kept and digested; nothing that is absent, and no secret of its origin."""
    kept = {"version": dist["version"], "files": dist.get("files")}
    if dist.get("changed"):
        kept["changed"] = dist["changed"]
    if origin := dist.get("origin"):
        kept["origin"] = {
            key: value for key, value in {**origin, "url": scrub_url(origin["url"])}.items() if value
        }
    return kept


def _is_altered(dist: Mapping[str, Any]) -> bool:
    """Installed from somewhere else than an index, or changed since."""
    return bool(dist.get("origin") or dist.get("changed"))
