"""What the record survives: `torture.py [--seed N] [--scale X] [--state FILE]` prints a table.

Each class is tried with examples made from the seed, and any loss is a failure. The state file holds what is
done, so that an interrupted campaign goes on where it was; another seed begins anew.
"""

import argparse
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from guards.guard import inspect  # noqa: E402
from guards.journal import GUARDS  # noqa: E402
from ledger.evidence import Evidence  # noqa: E402
from ledger.evidence.journal import JournalHeads  # noqa: E402
from ledger.findings import Verdict  # noqa: E402
from ledger.journal import store  # noqa: E402
from ledger.journal.audit import read_lines  # noqa: E402
from ledger.journal.store import Journal, newest, parse_sound, seal, split_tail  # noqa: E402
from ledger.utils.escape import ascii_controls, escaped, printable  # noqa: E402
from ledger.utils.redaction import scrub_text  # noqa: E402
from tests.ledger.cli.test_escapes import CONTROL, PAYLOADS  # noqa: E402
from tests.ledger.utils.test_redaction import MARK, PLANTED  # noqa: E402

SURVIVED, LOST, WRONG = "survived", "lost", "passed wrongly"
Trial = Iterator[str]


def journal_mutations(seeded: random.Random, count: int) -> Trial:
    """Bytes and lines of a journal are changed: the guards must notice, unless every entry is as it was."""
    data = b""
    for number in range(12):
        parents = newest(parse_sound(data))
        body = {**_note(f"entry {number}"), "value": number * 1.5}
        data += seal("note", body, parents).line + b"\n"
    heads = Evidence(JournalHeads(dict.fromkeys(newest(parse_sound(data)), "noted")))
    assert inspect(GUARDS, heads, Evidence(read_lines(data))).verdict is Verdict.PASS
    for _ in range(count):
        changed = _mutated(data, seeded)
        report = inspect(GUARDS, heads, Evidence(read_lines(changed)))
        same = data.splitlines() == split_tail(changed).sound.splitlines()
        yield SURVIVED if same or report.verdict is Verdict.FAIL else WRONG


def _mutated(data: bytes, seeded: random.Random) -> bytes:
    place, lines = seeded.randrange(len(data)), data.splitlines(keepends=True)
    one, other = seeded.randrange(len(lines)), seeded.randrange(len(lines))
    match seeded.randrange(8):
        case 0:
            return data[:place] + bytes([data[place] ^ (1 << seeded.randrange(8))]) + data[place + 1 :]
        case 1:
            return data[:place] + data[place + 1 :]
        case 2:
            return data[:place] + bytes([seeded.randrange(256)]) + data[place:]
        case 3:
            return data[:place]
        case 4:
            lines[one], lines[other] = lines[other], lines[one]
        case 5:
            del lines[one]
        case 6:
            lines.insert(other, lines[one])
        case _:
            digit = seeded.choice(b"0123456789").to_bytes(1, "big")
            lines[one] = lines[one].replace(b'"value":', b'"value":' + digit, 1)
    return b"".join(lines)


def killed_appends(seeded: random.Random, count: int) -> Trial:
    """A process that appends is killed: all that it reported is there, and the next append works."""
    for number in range(count):
        with tempfile.TemporaryDirectory() as folder:
            store.SMALL = (0, 1 << 20)[number % 2]  # with and without the index
            told = _killed(_journal(folder), seeded.uniform(0.0, 0.03))
            journal = _journal(folder)
            last = journal.append("note", _note("after"))
            entries = journal.entries()
            intact = {entry.id for entry in entries} >= told and last.parents == tuple(newest(entries[:-1]))
            yield SURVIVED if intact else LOST
    store.SMALL = 1 << 20


def _killed(journal: Journal, after: float) -> set[str]:
    """The ids of the entries that a child had appended when it was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        while True:
            os.write(writing, f"{journal.append('note', _note('x' * 500)).id}\n".encode())
    os.close(writing)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, encoding="ascii") as told:
        return {line.strip() for line in told if line.endswith("\n")}


def many_writers(_: random.Random, count: int) -> Trial:
    """32 processes append ten entries each to one journal: all are there, and the graph is whole."""
    for _ in range(count):
        with tempfile.TemporaryDirectory() as folder:
            children = [_child(lambda folder=folder: _append_ten(folder)) for _ in range(32)]
            ended = [os.waitpid(child, 0)[1] for child in children]
            data = _journal(folder).read()
            heads = Evidence(JournalHeads(dict.fromkeys(newest(parse_sound(data)), "noted")))
            sound = inspect(GUARDS, heads, Evidence(read_lines(data))).verdict is Verdict.PASS
            yield SURVIVED if sound and not any(ended) and data.count(b"\n") == 320 else LOST


def _append_ten(folder: str) -> None:
    for number in range(10):
        _journal(folder).append("note", _note(str(number)))


def full_disks(_: random.Random, count: int) -> Trial:
    """No file may grow beyond a limit that ends somewhere in the entry: the journal is as it was."""
    with tempfile.TemporaryDirectory() as folder:
        journal = _journal(folder)
        journal.append("note", _note("before"))
        before = journal.read()
        for number in range(count):
            _, status = os.waitpid(_child(lambda number=number: _limited(journal, len(before) + number)), 0)
            yield SURVIVED if status == 0 and journal.read() == before else LOST


def _limited(journal: Journal, size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        journal.append("note", _note("x" * 4000))
    except OSError:
        return
    raise SystemExit(1)


def planted_secrets(_: random.Random, count: int) -> Trial:
    """Secrets of each known kind, in text of four forms."""
    forms = ("{}", "the call `{}` failed", "({})", "a=1, {}, b=2")
    for number in range(min(count, len(PLANTED) * len(forms))):
        shown = scrub_text(forms[number % 4].format(PLANTED[number // 4]), {})
        yield SURVIVED if MARK not in shown else WRONG


def escapes(_: random.Random, count: int) -> Trial:
    """Control sequences, tags and links, as each kind of output shows them."""
    ways: tuple[Callable[[str], str], ...] = (
        printable,
        escaped,
        lambda text: ascii_controls(json.dumps(text)),
    )
    for number in range(min(count, len(PAYLOADS) * len(ways))):
        shown = ways[number % 3](PAYLOADS[number // 3])
        yield WRONG if CONTROL.search(shown) else SURVIVED


CLASSES: dict[str, tuple[Callable[[random.Random, int], Trial], int]] = {
    "journal mutations": (journal_mutations, 40_000),
    "killed appends": (killed_appends, 1_000),
    "32 writers, rounds": (many_writers, 3),
    "full disks": (full_disks, 400),
    "planted secrets": (planted_secrets, 400),
    "escape payloads": (escapes, 180),
}


def main() -> int:
    """Run what the state file does not have yet; returns 1 if anything was lost or passed wrongly."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the examples")
    parser.add_argument("--state", type=Path, default=ROOT / "build" / "torture.json")
    options = parser.parse_args()
    key = f"{options.seed} {options.scale:g}"
    state = json.loads(options.state.read_text()) if options.state.exists() else {}
    done = state.get("done", {}) if state.get("key") == key else {}
    print(f"{'class':<20} {'tried':>7} {SURVIVED:>9} {LOST:>5} {WRONG:>15} {'seconds':>8}")
    for name, (trial, count) in CLASSES.items():
        if name not in done:
            began = time.monotonic()
            found = Counter(
                trial(random.Random(f"{options.seed} {name}"), max(1, round(count * options.scale)))
            )
            done[name] = [found[SURVIVED], found[LOST], found[WRONG], round(time.monotonic() - began, 1)]
            options.state.parent.mkdir(parents=True, exist_ok=True)
            options.state.write_text(json.dumps({"key": key, "done": done}))
        survived, lost, wrong, seconds = done[name]
        print(
            f"{name:<20} {survived + lost + wrong:>7,} {survived:>9,} {lost:>5} {wrong:>15} {seconds:>8}",
            flush=True,
        )
    return int(any(lost or wrong for _, lost, wrong, _ in done.values()))


def _note(text: str) -> dict[str, object]:
    return {"run": None, "experiment": "exp5", "who": "torture", "text": text}


def _journal(folder: str) -> Journal:
    private = Path(folder) / ".ledger"
    private.mkdir(exist_ok=True)
    return Journal(Path(folder) / "journal.jsonl", private, warn=lambda _: None)


def _child(work: Callable[[], object]) -> int:
    child = os.fork()
    if child:
        return child
    try:
        work()
    except BaseException:
        os._exit(1)
    os._exit(0)


if __name__ == "__main__":
    raise SystemExit(main())
