"""The last entries of a journal, stored per branch under `.ledger/`.

Every other entry is named by a later one, so only this file shows that the newest was lost.
"""

from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import orjson

from ledger.errors import LedgerError
from ledger.utils.atomic_file import write_atomically

DETACHED = "HEAD"  # not a valid branch name
LONGEST_NAME = 200  # of the 255 bytes that file systems allow


@dataclass(frozen=True, slots=True)
class Heads:
    """The stored heads of one journal on one branch."""

    path: Path

    @classmethod
    def of(cls, private: Path, journal: str, branch: str | None) -> "Heads":
        """Stored in `heads/<journal>/<branch>.json`, with the branch's name percent-encoded."""
        name = quote(branch or DETACHED, safe="")
        if len(name) > LONGEST_NAME:
            from hashlib import sha256

            name = sha256(name.encode()).hexdigest()
        return cls(private / "heads" / journal / f"{name}.json")

    def read(self) -> tuple[str, ...]:
        """The ids, oldest first; empty before the first entry. Raises LedgerError on a damaged file."""
        try:
            return tuple(map(str, orjson.loads(self.path.read_bytes())["heads"]))
        except FileNotFoundError:
            return ()
        except (ValueError, KeyError, TypeError) as error:
            raise LedgerError(
                f"{self.path} is damaged", hint="delete it, then check the journal's git history"
            ) from error

    def advance(self, newest: str, present: Container[str]) -> None:
        """Store the newest entry. Heads that the journal lost stay stored, so that the loss stays visible."""
        try:
            lost = [head for head in self.read() if head not in present]
        except LedgerError:
            lost = []
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path, orjson.dumps({"heads": [*lost, newest]}))
