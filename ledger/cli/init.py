"""`ledger init`: prepare a git repository."""

from pathlib import Path

import click

from ledger.cli.output import emit, json_option


@click.command("init")
@json_option
def command(as_json: bool) -> None:
    """Prepare the current git repository for the ledger.

    Adds experiments/ with a first spec, the lockfiles of its environment, the merge rule for the journal,
    what git should ignore, and a [tool.ledger] table. Prints what it did; changes nothing that exists. Safe
    to repeat.

    \b
    git init && ledger init
    """
    from ledger.commands.init import make_ready
    from ledger.display.results import lines

    done = make_ready()
    # From a folder inside, the repository that was prepared is not obvious.
    where = [] if done.root == Path.cwd().resolve() else [f"in {done.root}:"]
    human = [*where, *(f"{step.path}: {step.did}" for step in done.steps)]
    emit(
        {"root": str(done.root), "steps": [{"path": s.path, "did": s.did} for s in done.steps]},
        as_json,
        lines([*human, "", "next: edit experiments/first.yaml, then: ledger run first --rehearse"]),
    )
