import io
import time

import pytest

from ledger.display.progress import Block, Progress, describe_rate, show_progress


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


def test_a_stage_that_is_reported_again_is_not_printed_again() -> None:
    stream = io.StringIO()
    with Block("exp10", stream) as block, block.progress("steps") as show:
        for _ in range(3):
            show(Progress("making tokenizer and model", 0, 1))
            show(Progress("making tokenizer and model", 1, 1))
            show(Progress("encoding the text", 64, 64))
        show(Progress("training", 10, 90, 2.0, "loss 3.142"))
        assert not block.keep(["checkpoint-10  PASS"])
    assert stream.getvalue().splitlines() == [
        "exp10: preparing",
        "making tokenizer and model",
        "encoding the text: 64/64",
        "training: 10/90, loss 3.142, 2.0 steps/s, 0:00:40 left",
    ]


def test_a_block_holds_stage_loss_time_left_and_checkpoints() -> None:
    stream = Terminal()
    with Block("exp10", stream) as block, block.progress("steps") as show:
        first = stream.getvalue()
        show(Progress("training", 10, 90, 2.0, "loss 3.142"))
        assert block.keep(["checkpoint-10  BLEU in memory 9.00, reloaded 0.00  FAIL"])
        assert block._live is not None
        block._live.refresh()
    text = stream.getvalue()
    assert "exp10" in first
    for part in ("training", "10/90", "loss 3.142", "0:00:40 left", "checkpoint-10"):
        assert part in text
    assert text.rstrip("\r\n").endswith("\x1b[2K"), "the block is gone at the end"


def test_a_terminal_gets_a_bar_for_each_stage() -> None:
    stream = Terminal()
    with show_progress(stream=stream) as show:
        show(Progress("loading the model", 1, 1))
        show(Progress("translating", 12, 24, 3.5))
        time.sleep(0.2)
    text = stream.getvalue()
    assert "12/24" in text
    assert "3.5 sentences/s" in text
