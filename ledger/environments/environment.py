"""The environment of a run as values, with a digest over them.

`runners.environments.inspection` collects the facts. There are two digests, because rented hosts differ where
packages do not: one over Python, torch's build and the packages that the lockfile pins, one over the machine.
The tool's own packages, which may be installed in the same environment, are in neither.
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

NO_LOCKFILE = Unobserved(Installed.MISSING)


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment, observed.

    `digest` is the digest of `facts`, `machine_digest` that of `machine`; `reported` is in neither.
    `lockfile` is the variant that the facts were compared with; `pins` and `installed` are the evidence.
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
    """The environment that the worker's facts describe, with the lockfile variant that fits it best.

    Without a lockfile the digest covers the name and version of every package, since any of them may matter.
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
    """The digested facts of a pinned package, without null members and without secrets in its origin."""
    facts = {"version": dist["version"], "files": dist.get("files")}
    if dist.get("changed"):
        facts["changed"] = dist["changed"]
    if origin := dist.get("origin"):
        facts["origin"] = {
            key: value for key, value in {**origin, "url": scrub_url(origin["url"])}.items() if value
        }
    return facts


def _is_altered(dist: Mapping[str, Any]) -> bool:
    """Whether it was installed from elsewhere than an index, or changed since."""
    return bool(dist.get("origin") or dist.get("changed"))
