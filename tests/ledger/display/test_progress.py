import io

import pytest

from ledger.display.progress import Progress, describe_rate, show_progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("progress", "text"),
    [
        (Progress("translating", 0, 100), ""),
        (Progress("translating", 0, 100, 0.0), ""),
        (Progress("translating", 40, 100, 2.0), "2.0 sentences/s, 0:00:30 left"),
        (Progress("translating", 0, 1_025_749, 40.7), "40.7 sentences/s, 7:00:03 left"),
    ],
)
def test_rate_and_time_left(progress: Progress, text: str) -> None:
    assert describe_rate(progress, "sentences") == text


def test_a_pipe_gets_a_few_plain_lines() -> None:
    stream = io.StringIO()
    with show_progress(stream=stream) as show:
        for done in range(1001):
            show(Progress("translating", done, 1000, 100.0))
    assert stream.getvalue().splitlines() == [
        "translating: 0/1000, 100.0 sentences/s, 0:00:10 left",
        "translating: 1000/1000, 100.0 sentences/s, 0:00:00 left",
    ]


def test_a_terminal_gets_a_bar_for_each_stage() -> None:
    stream = Terminal()
    with show_progress(stream=stream) as show:
        show(Progress("loading the model", 1, 1))
        show(Progress("translating", 12, 24, 3.5))
    text = stream.getvalue()
    assert "loading the model" in text
    assert "12/24" in text
    assert "3.5 sentences/s" in text
