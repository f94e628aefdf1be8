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
    other_language,
    punctuation,
    repetition,
    same_output,
    shifted,
    unfinished,
)
from guards.text.measures.chunk import Chunk
from guards.text.measures.language_id import choice_for
from guards.text.measures.scripts import Script, script_of

# (output, source) -> flagged? `source` is None if there is no source text at all.
Rule = Callable[[str, str | None], bool]
# A whole text -> the indices of its flagged lines. Those that a rule of EXCLUSIVE claims are left out later.
AcrossRule = Callable[[Chunk], Sequence[int]]

EXCLUSIVE = (failed.CODE, empty.CODE, repetition.CODE, punctuation.CODE)
TOGETHER = (
    off_target.CODE,
    contamination.CODE,
    length_ratio.CODE,
    copied.CODE,
    unfinished.CODE,
    other_language.CODE,
    model_talk.CODE,
)
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
        other_language,
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

    `by_code` judge line by line, `across` look at all lines together.
    `script` is the target language's, or None if it is unknown; `markers` are the failure markers.
    """

    by_code: Mapping[str, Rule]
    across: Mapping[str, AcrossRule]
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
    rules |= _script_rules(script, has_source=has_source)
    if script is None:
        unseen[off_target.CODE] = _script_unknown(language)
    if contamination.CODE not in rules:
        unseen[contamination.CODE] = _contamination_unseen(language, script)
    across: dict[str, AcrossRule] = {}
    if choice := choice_for(language, script):
        across[other_language.CODE] = partial(other_language.flagged_lines, choice=choice)
    elif other_language.CODE not in rules:
        unseen[other_language.CODE] = _other_language_unseen(language, script)
    if not has_source:
        needing = (length_ratio, copied, cut_short, same_output, shifted)
        unseen |= {module.CODE: "no source text was given" for module in needing}
    else:
        rules[length_ratio.CODE] = length_ratio.is_flagged
        rules[copied.CODE] = partial(copied.is_flagged, script=script)
        across |= {module.CODE: module.flagged_lines for module in (cut_short, same_output, shifted)}
    if has_reference:
        across[form.CODE] = form.flagged_lines
    else:
        unseen[form.CODE] = "no reference was given"
    return Rules(rules, across, unseen, script, known)


def _script_rules(script: Script | None, *, has_source: bool) -> dict[str, Rule]:
    """The rules of single lines that need the target language's script."""
    if script is None:
        return {}
    rules: dict[str, Rule] = {off_target.CODE: partial(off_target.is_flagged, script=script)}
    if has_source:
        rules[contamination.CODE] = partial(contamination.is_flagged, script=script)
    if script.strange:
        rules[other_language.CODE] = partial(other_language.is_flagged, script=script)
    return rules


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


def _other_language_unseen(language: str | None, script: Script | None) -> str:
    if script is None:
        return _script_unknown(language)
    return f"no other language is known in the script of {language!r}, or this one is not"
