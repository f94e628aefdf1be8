"""Which language a reloaded checkpoint is asked for, by what it states itself and what the user says."""

from types import SimpleNamespace

import pytest

from ledger.models.languages import names_of
from runners.worker.models.checkpoint_languages import Wish, choose_source, choose_target
from runners.worker.models.families import FAMILIES, is_known

CODES = {
    "mbart50": ("en_XX", "ja_XX", "ko_KR", "zh_CN"),
    "mbart": ("en_XX", "ja_XX", "ko_KR"),
    "nllb": ("eng_Latn", "jpn_Jpan", "zho_Hans", "zho_Hant"),
    "m2m100": ("en", "ja", "ko"),
    "marian": ("jpn", "kor"),
    "bilingual": (),
}


def parts(name, *, states=None, tgt_lang=None):
    """A family, and a model and a tokenizer with as much of the real ones as is read."""
    family = FAMILIES["marian" if name == "bilingual" else name]
    tokens = {family.code_token.format(code): number for number, code in enumerate(CODES[name], start=10)}
    if name == "mbart50":
        tokens |= {"de": 30, "ain_JP": 31}
    tokenizer = SimpleNamespace(
        unk_token_id=3,
        convert_tokens_to_ids=lambda token: tokens.get(token, 3),
        get_vocab=lambda: tokens,
        lang_code_to_id=dict.fromkeys(CODES[name], 0),
        tgt_lang=tgt_lang,
        added_tokens_decoder={31: "ain_JP"},
    )
    own = tokens[family.code_token.format(states)] if states else None
    config = SimpleNamespace(**{family.target: own}) if family.target != "tag" else SimpleNamespace()
    return family, (config,), tokenizer


def target(name, language, code=None, **said):
    return choose_target(*parts(name, **said), Wish(code, names_of(language)))


@pytest.mark.parametrize(
    ("name", "language", "expected"),
    [
        ("mbart50", "ja", "ja_XX"),
        ("mbart", "ja", "ja_XX"),
        ("nllb", "ja", "jpn_Jpan"),
        ("m2m100", "ja", "ja"),
        ("marian", "ja", "jpn"),
        ("mbart50", "ja_XX", "ja_XX"),
        pytest.param(
            "bilingual", "ja", None, id="a Marian of one pair has no tags, and nothing is put in front"
        ),
        pytest.param("nllb", "zh", None, id="two scripts: not for us to choose"),
        pytest.param("nllb", "zh-Hant", "zho_Hant", id="the script that was named"),
        pytest.param("nllb", "zho_Hans", "zho_Hans", id="the tokenizer's own code"),
        pytest.param("mbart50", "de", None, id="unknown to the tokenizer"),
        pytest.param("mbart50", None, None, id="nobody says anything"),
    ],
)
def test_the_tokenizers_own_spelling(name, language, expected):
    assert target(name, language) == expected


@pytest.mark.parametrize("name", ["mbart50", "mbart", "nllb", "m2m100"])
def test_what_the_model_states_itself_comes_first(name):
    first = CODES[name][0]
    assert target(name, "ja", states=first) == first


def test_the_tokenizers_last_target_decides_only_where_the_language_does_not():
    assert target("mbart50", "ja", tgt_lang="en_XX") == "ja_XX"
    assert target("mbart50", None, tgt_lang="en_XX") == "en_XX"
    assert target("nllb", "zh", tgt_lang="zho_Hant") == "zho_Hant"
    assert target("mbart50", None, tgt_lang="en") is None, "unknown to the tokenizer"


def test_t5_and_unknown_families_have_no_codes():
    assert choose_target(FAMILIES["t5"], (), None, Wish(None, ("ja",))) is None
    assert choose_target(None, (), None, Wish(None, ("ja",))) is None


@pytest.mark.parametrize("code", ["ja", "xx_XX", "ja_XX"])
def test_a_code_that_somebody_wrote_is_never_rewritten(code):
    assert target("mbart50", "ko", code=code, states="en_XX") == code
    assert choose_source(*parts("mbart50")[::2], Wish(code, ("ko",))) == code


def test_which_codes_are_known():
    family, _, tokenizer = parts("mbart50")
    assert is_known(family, tokenizer, "ja_XX")
    assert not is_known(family, tokenizer, "ja")
    assert not is_known(family, tokenizer, "de"), "an ordinary piece of a word"
    assert is_known(family, tokenizer, "ain_JP"), "a token that somebody added"
    assert is_known(FAMILIES["t5"], None, "Japanese"), "words need no token"


@pytest.mark.parametrize(
    ("name", "stated", "expected"),
    [
        ("nllb", None, "jpn_Jpan"),
        ("nllb", "eng_Latn", "eng_Latn"),
        ("nllb", "en", "jpn_Jpan"),
        ("marian", None, None),
    ],
)
def test_the_source_is_what_the_folder_states_or_the_text_is(name, stated, expected):
    family, _, tokenizer = parts(name)
    tokenizer.init_kwargs = {"src_lang": stated}
    tokenizer.src_lang = "eng_Latn"  # a default that nobody chose
    assert choose_source(family, tokenizer, Wish(None, names_of("ja"))) == expected
