"""Which language a line is in, among those that are written in the same script. The model is py3langid's."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from guards.text.measures.scripts import Script
from ledger.models.languages import language_of, scripts_of

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

# The model's languages, but for dead ones, pidgins and its class of no language. Loading it takes 0.8 s.
_NAMES = """
    ace af am an ar ary arz as az ba bcl be bg bn br bs ca crh cs cy da de dz el en eo es et eu ext fa fi
    fo fr fuv fy ga gcf gcr gd gl gom gu gug guw ha he hi hr ht hu hy id ig is it ja jv ka kab kik kk km
    kn ko ku ky lb lg lij ln lo lt ltg lv mg mk ml mn mr ms mt my ne nl nn no nso oc om or pa pl ps pt qu
    ro ru rw sdh se si sk sl sn so sq sr st sv sw ta te tg th tk tl tr tt ug uk ur uz vec vi vo wa wuu xh
    yo yue zh zu
"""
LANGUAGES = frozenset(_NAMES.split())
IN_BOTH_SCRIPTS = {"sr": "Latn", "uz": "Cyrl"}
SAME = {"nb": "no", "fil": "tl"}
LONGEST = 200  # characters; more do not make the answer surer


@dataclass(frozen=True, slots=True)
class Choice:
    """A language, its script, and the others of the script that the model knows."""

    language: str
    script: Script
    others: frozenset[str]

    def odds_against(self, text: str) -> Mapping[str, float]:
        """How many times likelier than the language each other one is, where it is likelier at all."""
        ranked = dict(_identifier(self.others | {self.language}).rank(text[:LONGEST]))
        own = max(ranked[self.language], 1e-30)
        return {language: p / own for language, p in ranked.items() if p > own}


def choice_for(code: str | None, script: Script | None) -> Choice | None:
    """What the model can tell of a language in this script; None if it knows only one of them."""
    if code is None or script is None:
        return None
    language = language_of(code)
    language = SAME.get(language, language)
    known = {name for name in LANGUAGES if _is_written_in(name, script.name)}
    if script.strange or language not in known or len(known) == 1:
        return None
    return Choice(language, script, frozenset(known - {language}))


def _is_written_in(language: str, script: str) -> bool:
    """Whether the model was trained on the language in this script."""
    return scripts_of(language)[:1] == (script,) or IN_BOTH_SCRIPTS.get(language) == script


@lru_cache(maxsize=4)
def _identifier(languages: frozenset[str]) -> "LanguageIdentifier":
    from copy import copy

    identifier = copy(_model())
    identifier.set_languages(sorted(languages))
    return identifier


@lru_cache(maxsize=1)
def _model() -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
