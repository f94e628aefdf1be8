"""The plain rules together: which of them apply to a text, and which codes a line gets.

A line gets its most specific codes. The first rule of `EXCLUSIVE` that flags a line (marker, blank, loop,
punctuation) is its only code. The rules of `TOGETHER` judge the other lines and may agree: English instead of
Japanese is both off-target and contaminated.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from guards.text import (
    contamination,
    copied,
    cut_short,
    empty,
    failed,
    form,
    length_ratio,
    model_talk,
    off_target,
    punctuation,
    repetition,
    same_output,
    shifted,
    unfinished,
)
from guards.text.measures.chunk import Chunk
from guards.text.measures.scripts import Script, script_of

# (output, source) -> flagged? `source` is None if there is no source text at all.
Rule = Callable[[str, str | None], bool]

EXCLUSIVE = (failed.CODE, empty.CODE, repetition.CODE, punctuation.CODE)
TOGETHER = (
    off_target.CODE,
    contamination.CODE,
    length_ratio.CODE,
    copied.CODE,
    unfinished.CODE,
    model_talk.CODE,
)
# These look at all lines of a text together, and leave those that a rule of EXCLUSIVE claims.
ACROSS: Mapping[str, Callable[[Chunk], Sequence[int]]] = {
    module.CODE: module.flagged_lines for module in (cut_short, same_output, shifted, form)
}

SAMPLE_PRIORITY: Mapping[str, Callable[[str, str | None], int]] = {
    module.CODE: module.sample_priority
    for module in (
        failed,
        empty,
        repetition,
        punctuation,
        off_target,
        contamination,
        length_ratio,
        copied,
        unfinished,
        model_talk,
        cut_short,
        same_output,
        shifted,
        form,
    )
}


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that apply to one text, by code, and why the others do not.

    `by_code` judge line by line, `across` are the codes of the rules that look at all lines together.
    `script` is the target language's, or None if it is unknown; `markers` are the failure markers.
    """

    by_code: Mapping[str, Rule]
    across: tuple[str, ...]
    unseen: Mapping[str, str]
    script: Script | None
    markers: tuple[str, ...]


def rules_for(
    *,
    has_source: bool,
    language: str | None,
    markers: Sequence[str],
    outputs: Sequence[str] = (),
    has_reference: bool = False,
) -> Rules:
    """Choose the rules that apply to a text, and bind their parameters.

    `outputs` is the text: it shows the script of a language that is written in several.
    """
    script = script_of(language, outputs)
    known = tuple(marker for marker in markers if marker)
    rules: dict[str, Rule] = {
        empty.CODE: empty.is_flagged,
        repetition.CODE: repetition.is_flagged,
        punctuation.CODE: punctuation.is_flagged,
        unfinished.CODE: unfinished.is_flagged,
        model_talk.CODE: model_talk.is_flagged,
    }
    unseen: dict[str, str] = {}
    if known:
        rules[failed.CODE] = partial(failed.is_flagged, markers=known)
    else:
        unseen[failed.CODE] = "no failure marker is set"
    if script:
        rules[off_target.CODE] = partial(off_target.is_flagged, script=script)
    else:
        unseen[off_target.CODE] = _script_unknown(language)
    if has_source and script:
        rules[contamination.CODE] = partial(contamination.is_flagged, script=script)
    else:
        unseen[contamination.CODE] = _contamination_unseen(language, script)
    across = []
    if has_source:
        rules[length_ratio.CODE] = length_ratio.is_flagged
        rules[copied.CODE] = partial(copied.is_flagged, script=script)
        across += [cut_short.CODE, same_output.CODE, shifted.CODE]
    else:
        needing = (length_ratio, copied, cut_short, same_output, shifted)
        unseen |= {module.CODE: "no source text was given" for module in needing}
    if has_reference:
        across.append(form.CODE)
    else:
        unseen[form.CODE] = "no reference was given"
    return Rules(rules, tuple(across), unseen, script, known)


def judge(output: str, source: str | None, rules: Rules) -> tuple[str, ...]:
    """The codes of one line; empty if no rule flags it."""
    by_code = rules.by_code
    for code in EXCLUSIVE:
        if code in by_code and by_code[code](output, source):
            return (code,)
    return tuple(code for code in TOGETHER if code in by_code and by_code[code](output, source))


def flagged_plainly(chunk: Chunk, rules: Rules) -> dict[str, list[int]]:
    """The indices of the lines that get each code, in order."""
    hits: dict[str, list[int]] = {code: [] for code in rules.by_code}
    for index, output in enumerate(chunk.outputs):
        for code in judge(output, chunk.source(index), rules):
            hits[code].append(index)
    return hits


def _script_unknown(language: str | None) -> str:
    if language is None:
        return "the target language was not given"
    return f"the script of the language {language!r} is unknown"


def _contamination_unseen(language: str | None, script: Script | None) -> str:
    if script is None:
        return _script_unknown(language)
    return "no source text was given, so names look like foreign words"
