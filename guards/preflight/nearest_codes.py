"""The codes of a tokenizer that an invalid language code was probably meant for."""

from collections.abc import Iterable
from difflib import get_close_matches

from ledger.models.languages import language_of

# Codes of countries and other short forms that are often used in place of the language.
_COUNTRIES = {"jp": "ja", "jap": "ja", "kr": "ko", "cn": "zh"}


def nearest_codes(code: str, known: Iterable[str], most: int = 3) -> tuple[str, ...]:
    """The codes of the same language first (`ko` -> `ko_KR`, `kor_Hang`), then those spelled alike."""
    codes = sorted(set(known))
    language = language_of(code)
    languages = {language, _COUNTRIES.get(language, language)}
    same = [candidate for candidate in codes if language_of(candidate) in languages]
    by_case = {candidate.lower(): candidate for candidate in codes}
    alike = [by_case[found] for found in get_close_matches(code.lower(), by_case, n=most)]
    # If the language is known, a code that is only spelled alike (ko_KR, hr_HR) would mislead.
    return tuple((same or alike)[:most])
