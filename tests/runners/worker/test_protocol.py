"""Events from several threads: each is a line of its own."""

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runners.worker.messages import SavedCheckpoint
from runners.worker.protocol import Events


class Reluctant(io.StringIO):
    """A stream that writes a text in pieces, and lets other threads run between them."""

    def write(self, text: str) -> int:
        for at in range(0, len(text), 4):
            super().write(text[at : at + 4])
            time.sleep(0)
        return len(text)


def test_threads_do_not_write_into_each_others_lines():
    stream = Reluctant()
    events = Events(stream)
    with ThreadPoolExecutor(4) as pool:
        for number in range(40):
            folder = Path("checkpoint" * 5)
            pool.submit(events.send, SavedCheckpoint(number, folder, folder, 0.5, 0.5))
    sent = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted(one["step"] for one in sent) == list(range(40))
