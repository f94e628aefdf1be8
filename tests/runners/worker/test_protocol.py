"""Events from several threads: each is a line of its own."""

import io
import json
import time
from concurrent.futures import ThreadPoolExecutor

from runners.worker.protocol import Events


class Reluctant(io.StringIO):
    """A stream that takes a text in pieces, and lets other threads run between them."""

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
            pool.submit(events.send, "saved", step=number, folder="checkpoint" * 5)
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert sorted(one["step"] for one in told) == list(range(40))
