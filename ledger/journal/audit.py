"""A journal as evidence for `guards.journal`: each line as written, and the entries that must be present."""

import re
from collections import Counter
from pathlib import Path

import orjson

from ledger.errors import LedgerError
from ledger.evidence.journal import JournalHeads, JournalLine, JournalLines, TornTail
from ledger.findings import Json
from ledger.git import file_versions, status
from ledger.git.client import GitError
from ledger.journal import bodies
from ledger.journal.store import Entry, Journal, newest, parse, parse_sound, spans, split_tail
from ledger.utils.hashing import canonical_bytes, digest_bytes, digest_json

MEMBERS = {"body", "id", "kind", "parents", "time", "v"}
# 1.0, 1e22, and characters beyond 16 bits.
_DOUBTFUL = re.compile(rb"[:,\[]-?\d+(?:\.0[,\]}]|(?:\.\d+)?[eE])|[\xf0-\xf7]")
MOST_LOOKED_UP = 50  # each lookup walks git's history


def read_lines(data: bytes) -> JournalLines:
    """A journal's bytes, line by line."""
    tail = split_tail(data)
    lines = [data[start:end] for start, end in spans(tail.sound)]
    torn = None
    if tail.torn:
        torn = TornTail(len(lines) + 1, len(tail.torn), ended=tail.torn.endswith(b"\n"))
    elif data and not data.endswith(b"\n"):
        torn = TornTail(len(lines), len(lines[-1]), ended=False, whole=True)
    return JournalLines(tuple(read_line(number, line) for number, line in enumerate(lines, 1)), torn)


def read_line(number: int, line: bytes) -> JournalLine:
    """One line with its stated id and the digest of its content."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return _not_an_entry(number, "blank" if not line.strip() else f"not JSON: {error}")
    if (problem := _shape_problem(value)) is not None:
        return _not_an_entry(number, problem)
    content = {key: item for key, item in value.items() if key != "id"}
    entry = parse(line)
    digest = _cut_digest(entry) if entry else _content_digest(content)
    # Readers take an entry for one by its bytes, so a line that they do not recognize is not canonical.
    canonical = entry is not None and _is_canonical(line, value)
    malformed = bodies.problem(entry.kind, value["body"]) if entry else ""
    return JournalLine(number, value["id"], digest, canonical, tuple(value["parents"]), malformed=malformed)


def expected_heads(journal: Journal, data: bytes, lines: JournalLines, root: Path | None) -> JournalHeads:
    """The entries that must be in the journal: the stored heads and, in git, those that were committed.

    `data` is the journal's content and `lines` are its lines; `root` is the repository's, None for a journal
    that git ignores. Raises LedgerError where the stored heads are damaged.
    """
    noted = journal.heads.path.relative_to(journal.private.parent)
    ids = dict.fromkeys(journal.heads.read(), f"noted in {noted}")
    if root is None:
        return JournalHeads(ids)
    try:
        committed = _committed(journal.path, data)
    except GitError as error:
        return JournalHeads(ids, unread=status.reason(root, error))
    wanted = {*ids} - {*committed}
    elsewhere = _elsewhere(journal.path, wanted, lines)
    return JournalHeads({**ids, **committed}, elsewhere, _merged_twice(journal.path, lines))


def _committed(path: Path, data: bytes) -> dict[str, str]:
    """The newest entries of the journal's earlier contents in git that it no longer begins with."""
    found: dict[str, str] = {}
    for commit, content in file_versions.other_versions(path, data):
        for head in newest(parse_sound(content)):
            found.setdefault(head, f"committed in {commit[:10] if ' ' not in commit else commit}")
    return found


def _elsewhere(path: Path, heads: set[str], lines: JournalLines) -> dict[str, str]:
    present = {line.id for line in lines.lines}
    wanted = [*sorted(heads), *(parent for line in lines.lines for parent in line.parents)]
    missing = [one for one in dict.fromkeys(wanted) if one not in present][:MOST_LOOKED_UP]
    members = {f'"id":"{one}"': one for one in missing}
    found = file_versions.found_elsewhere(path, members)
    return {members[member]: ref for member, ref in found.items()}


def _merged_twice(path: Path, lines: JournalLines) -> frozenset[str]:
    counts = Counter(line.id for line in lines.lines if line.id)
    members = {f'"id":"{one}"'.encode(): one for one, count in counts.items() if count > 1}
    return frozenset(members[member] for member in file_versions.doubled_by_merge(path, members))


def _cut_digest(entry: Entry) -> str:
    # Members are sorted, so the line without its id member is the canonical form of the content.
    before, member, after = entry.line.rpartition(f'"id":"{entry.id}",'.encode())
    assert member, "parse found it"
    return digest_bytes(before + after)


def _content_digest(content: Json) -> str:
    try:
        return digest_json(content)
    except (LedgerError, RecursionError):
        return "no digest: not canonical JSON"


def _is_canonical(line: bytes, value: Json) -> bool:
    # orjson agrees with RFC 8785 on all but some numbers and the order of rare characters in keys, and is 30
    # times faster than the exact encoder.
    if not _DOUBTFUL.search(line) and orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == line:
        return True
    try:
        return canonical_bytes(value) == line
    except (LedgerError, RecursionError):
        return False


def _shape_problem(value: Json) -> str | None:
    if not isinstance(value, dict) or set(value) != MEMBERS:
        return f"not an object of {', '.join(sorted(MEMBERS))}"
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", str(value["id"])):
        return "its id is not a SHA-256"
    if not isinstance(value["parents"], list) or not all(isinstance(one, str) for one in value["parents"]):
        return "its parents are not a list of ids"
    return None if isinstance(value["body"], dict) else "its body is not an object"


def _not_an_entry(number: int, problem: str) -> JournalLine:
    return JournalLine(number, "", "", canonical=False, problem=problem)
