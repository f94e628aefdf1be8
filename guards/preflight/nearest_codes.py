"""Which of a tokenizer's language codes a wrong one was meant for: pure functions of this family."""

from collections.abc import Iterable
from difflib import get_close_matches

from ledger.models.languages import language_of

# Country codes that are often written for the language.
_COUNTRIES = {"jp": "ja", "kr": "ko", "cn": "zh"}


def nearest_codes(code: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The codes of the same language first (`ko` -> `ko_KR`, `kor_Hang`), then those spelt alike."""
    codes = sorted(set(known))
    language = language_of(code)
    languages = {language, _COUNTRIES.get(language, language)}
    same = [candidate for candidate in codes if language_of(candidate) in languages]
    by_case = {candidate.lower(): candidate for candidate in codes}
    alike = [by_case[found] for found in get_close_matches(code.lower(), by_case, n=most)]
    # Another language that only looks alike (ko_KR, hr_HR) would mislead where the right one is known.
    return tuple((same or alike)[:most])
