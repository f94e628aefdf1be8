"""Where a script keeps its tokenizer."""

import functools
import types

import pytest

from runners.attach.tokenizer_search import find_tokenizer, first_loader


class Tokenizer:
    def __init__(self, *words):
        self.words = words

    def batch_decode(self, rows):
        return rows

    def get_vocab(self):
        return dict.fromkeys(self.words)


class AnswersToAnything:
    def __getattr__(self, name):
        return name


class Keeps:
    def __init__(self, **kept):
        vars(self).update(kept)

    def collate(self, rows):
        return rows


TOKENIZER = Tokenizer("a")


def collates(rows):
    return TOKENIZER.batch_decode(rows)


def closure(tokenizer):
    return lambda rows: rows and tokenizer


LOOP = Keeps(other=Keeps())
LOOP.other.back = LOOP


@pytest.mark.parametrize(
    "place",
    [
        TOKENIZER,
        collates,
        closure(TOKENIZER),
        functools.partial(len, TOKENIZER),
        functools.partial(print, sep=TOKENIZER),
        Keeps(tokenizer=TOKENIZER).collate,
        Keeps(dataset=Keeps(tokenizer=TOKENIZER)),
        Keeps(source=TOKENIZER, target=Tokenizer("a")),  # loaded twice
        Keeps(tokenizer=TOKENIZER, data=Keeps(tokenizer=Tokenizer("b"))),  # the nearer one
    ],
)
def test_it_is_found(place):
    assert find_tokenizer(None, place).get_vocab() == TOKENIZER.get_vocab()


@pytest.mark.parametrize(
    "place",
    [
        None,
        3,
        LOOP,
        types,
        Tokenizer,
        AnswersToAnything(),
        Keeps(source=TOKENIZER, target=Tokenizer("b")),  # which one the model reads is not known
        closure(None),
    ],
)
def test_there_is_none(place):
    assert find_tokenizer(place) is None


def test_the_first_of_several_loaders():
    assert first_loader({"a": [LOOP], "b": []}) is LOOP
    assert first_loader([]) == []
    assert first_loader(TOKENIZER) is TOKENIZER
