"""Sides from the journal: a run, and a verification of a checkpoint."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from ledger.evidence.environment import EnvironmentSide, Kind, Package
from ledger.findings import Json
from ledger.journal.run import Run
from ledger.journal.store import Entry, open_journal
from ledger.workspace import Workspace

Facts = Mapping[str, Mapping[str, Json]]

VERIFIED = "checkpoint.verified"
LEAST_DIGITS = 6


def all_entries(workspace: Workspace) -> list[Entry]:
    """The entries of the journal and of the rehearsals'."""
    return [entry for mode in ("real", "rehearsal") for entry in open_journal(workspace, mode).entries()]


def environments(entries: Iterable[Entry]) -> Facts:
    """The facts of each recorded environment and machine, by digest."""
    return {entry.body["digest"]: entry.body["facts"] for entry in entries if entry.kind == "environment"}


def side_of_run(run: Run, facts: Facts) -> EnvironmentSide:
    """A recorded run: its environment, imports and effective configuration."""
    ended = str(run.verdict or run.status)
    rehearsal = ", a rehearsal" if run.is_rehearsal else ""
    environment = f", {run.lockfile_name}" if run.lockfile_name else ""
    return _side(
        f"{run.id} ({ended}, {run.time[:10]}{environment}{rehearsal})",
        "run",
        facts,
        {**run.started, **run.result},
        whole=not run.lockfile_name,
        chosen=_chosen(run.spec),
        inputs=_inputs(run),
    )


def side_of_verification(entry: Entry, facts: Facts, run: Run | None) -> EnvironmentSide:
    """A checkpoint of `run` as reloaded in one environment. Its own environment has the run's settings."""
    body = entry.body
    environment = facts.get(str(body.get("environment"))) or {}
    version = (environment.get("packages") or {}).get("transformers")
    with_what = f" with transformers {_version(version)}" if version else ""
    trained = run is not None and run.environment == body.get("environment")
    known = run.result if run and trained else {}
    known_body = {**{key: known.get(key) for key in ("effective", "imported")}, **_given(body)}
    return _side(
        f"{body['checkpoint']} ({body['verdict']} when reloaded{with_what}, {entry.time[:10]})",
        "verification",
        facts,
        known_body,
        chosen=_chosen(run.spec) if run else {},
        inputs=_inputs(run) if run else {},
    )


def _given(body: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in body.items() if value is not None}


def verification_by_id(entries: Sequence[Entry], name: str) -> Entry | None:
    """The verification whose entry's id begins with `name`, `sha256:` or not; None unless one matches."""
    digits = name.removeprefix("sha256:")
    if len(digits) < LEAST_DIGITS:
        return None
    found = {one.id: one for one in entries if one.kind == VERIFIED and one.id.startswith(f"sha256:{digits}")}
    return next(iter(found.values())) if len(found) == 1 else None


def verification_of(entries: Sequence[Entry], checkpoint: Path, root: Path) -> Entry | None:
    """The newest recorded verification of the folder `checkpoint`."""
    path = checkpoint.resolve()
    ours = [one for one in entries if one.kind == VERIFIED and (root / one.body["checkpoint"]) == path]
    return max(ours, key=lambda one: one.time, default=None)


def imports_of(run: Run) -> frozenset[str] | None:
    """The distributions that the run's worker imported; None where it reported none."""
    return _normalized(run.imported) if run.imported else None


def _side(
    name: str,
    kind: Kind,
    facts: Facts,
    body: Mapping[str, Json],
    *,
    whole: bool = False,
    chosen: Mapping[str, Json],
    inputs: Mapping[str, Json],
) -> EnvironmentSide:
    environment = facts.get(str(body.get("environment")))
    imported = body.get("imported")
    return EnvironmentSide(
        name=name,
        kind=kind,
        packages=_packages(environment) if environment else None,
        whole=whole,
        imported=_normalized(imported) if imported else None,
        python=_version(environment["python"]) if environment and environment.get("python") else None,
        torch=environment.get("torch") if environment else None,
        machine=facts.get(str(body.get("machine"))),
        settings=body.get("effective") or None,
        chosen=chosen,
        inputs=inputs,
        unknown={
            "packages": "its environment is not on the record",
            "machine": "its machine is not on the record",
            "settings": "it recorded no effective configuration",
        },
    )


def _normalized(names: Iterable[str]) -> frozenset[str]:
    """Normalized names; the oldest entries have the distributions' own spelling."""
    return frozenset(canonicalize_name(name) for name in names)


def _version(recorded: Json) -> str:
    """The oldest entries have plain versions of Python and packages."""
    return str(recorded["version"] if isinstance(recorded, Mapping) else recorded)


def _packages(environment: Mapping[str, Json]) -> dict[str, Package]:
    return {name: _package(one) for name, one in (environment.get("packages") or {}).items()}


def _package(recorded: Json) -> Package:
    if not isinstance(recorded, Mapping):
        return Package(recorded)
    return Package(
        version=recorded["version"],
        origin=recorded.get("origin") or {},
        changed=tuple(recorded.get("changed") or ()),
        files=recorded.get("files"),
    )


def _chosen(spec: Mapping[str, Json]) -> dict[str, Json]:
    """The settings of a resolved spec, by the dotted names of the effective configuration."""
    sections = {
        "training": spec.get("training") or {},
        "generation": spec.get("generation") or {},
        "model": (spec.get("model") or {}).get("config") or {},
    }
    named = {f"{name}.{key}": value for name, keys in sections.items() for key, value in keys.items()}
    seed = spec.get("seed")
    return named | {f"training.{name}": seed for name in ("seed", "data_seed") if seed is not None}


def _inputs(run: Run) -> dict[str, Json]:
    """Its inputs other than the environment."""
    digests = {f"data {role}": file.sha256 for role, file in run.data.items()}
    given = {"commit": run.commit, "spec": run.spec_digest, **digests}
    given["model"] = (run.spec.get("model") or {}).get("name")
    return {key: value for key, value in given.items() if value is not None}
