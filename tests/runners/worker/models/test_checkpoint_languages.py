"""Which language a reloaded checkpoint is asked for, by what it states itself and what the user says."""

from types import SimpleNamespace

import pytest

from runners.worker.errors import JobError
from runners.worker.models.checkpoint_languages import check_code, target_code
from runners.worker.models.families import FAMILIES

CODES = {
    "mbart50": ("en_XX", "ja_XX", "ko_KR", "zh_CN"),
    "mbart": ("en_XX", "ja_XX", "ko_KR"),
    "nllb": ("eng_Latn", "jpn_Jpan", "zho_Hans", "zho_Hant"),
    "m2m100": ("en", "ja", "ko"),
    "marian": ("jpn", "kor"),
    "bilingual": (),
}
SPELLINGS = {"ja": ("ja", "jpn"), "zh": ("zh", "zho", "cmn"), "de": ("de", "deu"), None: ()}


def parts(name, *, states=None, tgt_lang=None):
    """A family, and a model and a tokenizer with as much of the real ones as is read."""
    family = FAMILIES["marian" if name == "bilingual" else name]
    tokens = {family.code_token.format(code): number for number, code in enumerate(CODES[name], start=10)}
    tokenizer = SimpleNamespace(
        unk_token_id=3,
        convert_tokens_to_ids=lambda token: tokens.get(token, 3),
        get_vocab=lambda: tokens,
        lang_code_to_id=dict.fromkeys(CODES[name], 0),
        tgt_lang=tgt_lang,
    )
    own = tokens[family.code_token.format(states)] if states else None
    config = SimpleNamespace(**{family.target: own}) if family.target != "tag" else SimpleNamespace()
    return family, SimpleNamespace(generation_config=config, config=config), tokenizer


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
        pytest.param("mbart50", "de", None, id="unknown to the tokenizer"),
        pytest.param("mbart50", None, None, id="nobody says anything"),
    ],
)
def test_the_tokenizers_own_spelling(name, language, expected):
    assert target_code(*parts(name), language, SPELLINGS.get(language, ())) == expected


@pytest.mark.parametrize("name", ["mbart50", "mbart", "nllb", "m2m100"])
def test_what_the_model_states_itself_comes_first(name):
    family, model, tokenizer = parts(name, states=CODES[name][0])
    assert target_code(family, model, tokenizer, "ja", SPELLINGS["ja"]) is None


def test_the_tokenizers_last_target_decides_only_where_the_language_does_not():
    assert target_code(*parts("mbart50", tgt_lang="en_XX"), "ja", SPELLINGS["ja"]) == "ja_XX"
    assert target_code(*parts("mbart50", tgt_lang="en_XX"), None, ()) == "en_XX"
    assert target_code(*parts("nllb", tgt_lang="zho_Hant"), "zh", SPELLINGS["zh"]) == "zho_Hant"


def test_t5_and_unknown_families_have_no_codes():
    assert target_code(FAMILIES["t5"], None, None, "ja", SPELLINGS["ja"]) is None
    assert target_code(None, None, None, "ja", SPELLINGS["ja"]) is None


def test_a_code_that_somebody_wrote_is_never_rewritten():
    family, _, tokenizer = parts("mbart50")
    check_code(family, tokenizer, "ja_XX")
    with pytest.raises(JobError) as raised:
        check_code(family, tokenizer, "ja")
    assert raised.value.message == "the tokenizer does not know the language code ja"
    assert raised.value.hint == "it knows ja_XX"
