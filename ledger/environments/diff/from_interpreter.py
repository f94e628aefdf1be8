"""A side from an interpreter, by the facts that `runners.environments.inspection` collected."""

from collections.abc import Mapping
from typing import Any

from ledger.evidence.environment import EnvironmentSide, Package
from ledger.findings import Json
from ledger.utils.redaction import scrub_url

NO_RUN = {"settings": "nothing ran; add --effective to see the defaults"}


def side_of_facts(name: str, raw: Mapping[str, Any]) -> EnvironmentSide:
    """All installed packages, with Python, torch's build and the machine."""
    return EnvironmentSide(
        name=name,
        kind="interpreter",
        packages={one: _package(facts) for one, facts in raw["distributions"].items()},
        whole=True,
        python=raw["python"]["version"],
        torch=raw["torch"],
        machine=dict(raw["machine"]),
        reported={"interpreter": raw["interpreter"], **raw["reported"]},
        unknown=NO_RUN,
    )


def _package(facts: Mapping[str, Any]) -> Package:
    origin: dict[str, Json] = {key: value for key, value in (facts.get("origin") or {}).items() if value}
    if "url" in origin:
        origin["url"] = scrub_url(str(origin["url"]))
    return Package(
        facts["version"], origin=origin, changed=tuple(facts.get("changed") or ()), files=facts.get("files")
    )
