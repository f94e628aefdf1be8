"""The jobs that look up a spec's language codes in a tokenizer. They load no weights."""

import unicodedata
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from runners.worker.messages import CodesResult, ProbeCodes, ProbeTraining
from runners.worker.models.checkpoint_languages import Wish, choose_source, choose_target
from runners.worker.models.families import (
    Family,
    code_id,
    encode,
    is_known,
    known_codes,
    load_tokenizer,
    read_json,
)
from runners.worker.models.loading import find_family, locate
from runners.worker.protocol import Events

SENTENCES = 10  # for the round trip: one of them is enough


def probe_codes(job: ProbeCodes, events: Events) -> CodesResult:
    """Look up the codes in the model's tokenizer; see `ProbeCodes`."""
    events.progress("loading the tokenizer", 0, 1)
    job = locate(job, weights=False)
    family = find_family(job.family, job.model)
    tokenizer = load_tokenizer(family, job.model)
    events.progress("loading the tokenizer", 1, 1)
    configs = [
        SimpleNamespace(**read_json(job.model, name)) for name in ("generation_config.json", "config.json")
    ]
    chosen = {
        "source": choose_source(family, tokenizer, Wish(job.source_code, job.source_names)),
        "target": choose_target(family, configs, tokenizer, Wish(job.target_code, job.target_names)),
    }
    return probe_in(family, tokenizer, job.source_code, job.target_code, job.sentences, chosen)


def probe_training(job: ProbeTraining, events: Events) -> CodesResult:
    """The same for the tokenizer that a training starts from, or that it makes from its text."""
    from runners.worker.training.data import read_pair
    from runners.worker.training.model import prepare_tokenizer

    events.progress("making the tokenizer", 0, 1)
    source, reference = read_pair(job.train)
    family, tokenizer = prepare_tokenizer(job, [*source, *reference])
    events.progress("making the tokenizer", 1, 1)
    return probe_in(family, tokenizer, job.source_code, job.target_code, source[:SENTENCES])


def probe_in(  # noqa: PLR0917 - all six are the caller's to say
    family: Family,
    tokenizer: Any,
    source: str | None,
    target: str | None,
    lines: Sequence[str],
    chosen: Mapping[str, str | None] = {},
) -> CodesResult:
    """How this tokenizer treats the codes that somebody wrote; see `CodesResult`."""
    roles = {"source": source, "target": target}
    sentences = [text for text in lines if text.strip()]
    return CodesResult(
        tokenizer=type(tokenizer).__name__,
        family=family.name,
        known_codes=known_codes(family, tokenizer),
        codes={
            role: _probe(family, tokenizer, role, code, sentences)
            for role, code in roles.items()
            if code is not None and _is_used(family, role)
        },
        uncoded=tuple(role for role in roles if not _is_used(family, role)),
        chosen={role: code for role, code in chosen.items() if code is not None and roles[role] is None},
    )


def _is_used(family: Family, role: str) -> bool:
    return family.has_codes and (role == "target" or family.has_source)


def _probe(family: Family, tokenizer: Any, role: str, code: str, sentences: Sequence[str]) -> dict[str, Any]:
    found = code_id(family, tokenizer, code)
    return {
        "code": code,
        "known": is_known(family, tokenizer, code),
        "token_id": found,
        "is_unk": found == tokenizer.unk_token_id,
        "round_trips": _round_trips(family, tokenizer, role, code, sentences) if sentences else None,
    }


def _round_trips(family: Family, tokenizer: Any, role: str, code: str, sentences: Sequence[str]) -> bool:
    """Whether a sentence tagged with the code carries the code's token once, at an end, and comes back whole.

    One of the sentences is enough: a rare character may be unknown to a good tokenizer. The target's token
    is put there by generation, not by the encoder, except where it is a tag in the text.
    """
    token = code_id(family, tokenizer, code)
    if token == tokenizer.unk_token_id:
        return False
    in_text = role == "source" or family.target == "tag"
    source, target = (code, None) if role == "source" else (None, code)
    own = code_id(family, tokenizer, tokenizer.src_lang) if family.has_source and source is None else token
    for row, sentence in zip(encode(family, tokenizer, sentences, source, target), sentences, strict=True):
        at_end = not in_text or token in (row[0], row[-1])
        rest = [number for number in row if number not in {token, own}]
        if at_end and _normal(tokenizer.decode(rest, skip_special_tokens=True)) == _normal(sentence):
            return True
    return False


def _normal(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())
