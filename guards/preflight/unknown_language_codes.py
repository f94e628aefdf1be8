"""PRE002: a language code that the tokenizer does not know."""

from collections.abc import Iterator

from guards.guard import Explanation
from guards.preflight.nearest_codes import nearest_codes
from ledger.evidence.preflight import CodeProbe, LanguageCodes, TokenizerProbe
from ledger.findings import Finding, Severity, Skip

CODE = "PRE002"
TITLE = "the tokenizer does not know a language code"
READS = (LanguageCodes, TokenizerProbe)
EXPLANATION = Explanation(
    means="The codes of the spec were looked up in the experiment's own tokenizer. One of them is not among "
    "its codes, or becomes the unknown token, or a sentence tagged with it does not survive encoding and "
    "decoding.",
    matters="Model families spell languages differently: ko_KR and ja_XX for mBART, kor_Hang and jpn_Jpan "
    "for NLLB, ko and ja for M2M100. Most libraries accept an unknown code without an error and the model "
    "then chooses a language itself: ko and ja on mBART-50 once gave 747 English lines of 1,000.",
    do="Use the code that the finding names in the spec's codes. To see the effect of the wrong one, run "
    "with --allow PRE002; the text guards will check the output.",
)
ROLES = ("source", "target")

# What the library does with an unknown code, by a part of the tokenizer class's name; the first match counts.
# Observed with the slow and fast tokenizers of transformers 4.57.6.
_SOURCE_SILENT = "mark the source with it without an error"
_TARGET_SILENT = "start the output with it without an error: the model would then choose the language itself"
_REACTIONS = (
    ("m2m100", "source", "raise a bare KeyError only once the model is loaded"),
    ("m2m100", "target", "raise a bare KeyError only once the model is loaded, or continue without an error"),
    ("mbart50", "source", f"{_SOURCE_SILENT} (its slow version raises a bare KeyError)"),
    ("", "source", _SOURCE_SILENT),
    ("", "target", _TARGET_SILENT),
)


def inspect(expected: LanguageCodes, actual: TokenizerProbe) -> Iterator[Finding | Skip]:
    """Check the code of each role that the spec names."""
    wanted = {role: getattr(expected, role) for role in ROLES}
    if not any(wanted.values()):
        chosen = [f"{code} for the {role}" for role, code in actual.chosen.items()]
        given = f": the model is given {' and '.join(chosen)}" if chosen else ""
        yield Skip(CODE, f"the spec names no language codes{given}")
        return
    for role, code in wanted.items():
        if code is None:
            continue
        if role in actual.uncoded:
            yield Skip(
                CODE, f"{actual.tokenizer} has no code for the {role}: {code} is not one of its tokens"
            )
            continue
        probe = actual.codes.get(role)
        if probe is None:
            yield Skip(CODE, f"the {role} code {code} was not looked up in the tokenizer", required=True)
        elif not probe.known or probe.is_unk or probe.round_trips is False:
            yield _finding(role, probe, actual)


def _finding(role: str, probe: CodeProbe, tokenizer: TokenizerProbe) -> Finding:
    nearest = nearest_codes(probe.code, tokenizer.known_codes)
    return Finding(
        CODE,
        Severity.ERROR,
        f"the {role} code {probe.code} is {_what_is_wrong(probe)} {tokenizer.tokenizer}"
        f"{_suggestion(nearest, tokenizer)}; {_what_would_happen(role, probe, tokenizer)}",
        measured=probe.code,
        threshold=list(nearest),
        evidence={
            "role": role,
            "tokenizer": tokenizer.tokenizer,
            "token_id": probe.token_id,
            "is_unk": probe.is_unk,
            "round_trips": probe.round_trips,
            "known_codes": len(tokenizer.known_codes),
        },
    )


def _what_is_wrong(probe: CodeProbe) -> str:
    if not probe.known:
        return "not one of the language codes of"
    if probe.is_unk:
        return "listed but the unknown token in"
    return "known, but a sentence tagged with it does not survive encoding and decoding, in"


def _suggestion(nearest: tuple[str, ...], tokenizer: TokenizerProbe) -> str:
    if nearest:
        return f" (use {' or '.join(nearest)})"
    return "" if tokenizer.known_codes else ", which has none"


def _what_would_happen(role: str, probe: CodeProbe, tokenizer: TokenizerProbe) -> str:
    if probe.known and not probe.is_unk:
        return "the tokenizer would change the text without an error"
    name = tokenizer.tokenizer.casefold()
    does = next(does for part, of, does in _REACTIONS if part in name and of == role)
    token = "the unknown token" if probe.is_unk else "ordinary text"
    number = "" if probe.token_id is None else f" (id {probe.token_id})"
    return f"the library would treat it as {token}{number} and {does}"
