import pytest

from ledger.commands.run.rehearsal_languages import own_text, substitutes, to_learn
from ledger.specs import load_experiment
from ledger.workspace import Workspace

GENERATION = """
task: generation
model: {name: %s}
languages: {source: %s, target: %s}
codes: {%s}
data: {source: data/t.en}
output: outputs/x
"""
TRAINING = """
task: training
model: %s
languages: {source: en, target: de}
data:
  train: {source: data/t.en, reference: data/t.de}
  validation: {source: data/t.en, reference: data/t.de}
output: models/x
"""
GENERATION_WITH_REFERENCE = """
task: generation
model: {name: facebook/nllb-200-3.3B}
languages: {source: en, target: de}
data: {source: data/t.en, reference: data/t.de}
output: outputs/x
"""
TUNED = "{name: facebook/nllb-200-3.3B}"
SCRATCH = "{family: marian, config: {vocab_size: 8000}}"


@pytest.fixture
def read(tmp_path):
    """read(TEXT): the spec of this text, in a workspace without data."""
    (tmp_path / "experiments").mkdir()

    def load(text, overrides=()):
        (tmp_path / "experiments/x.yaml").write_text(text)
        return load_experiment("x", tmp_path / "experiments", overrides), Workspace(tmp_path)

    return load


@pytest.mark.parametrize(
    ("model", "source", "target", "codes", "settings"),
    [
        ("facebook/nllb-200-3.3B", "ko", "ja", "target: jpn_Jpan", None),
        ("facebook/nllb-200-3.3B", "ko", "en", "target: eng_Latn", None),
        ("facebook/nllb-200-3.3B", "en", "de", "source: eng_Latn, target: deu_Latn",
         ["codes.source=kor_Hang", "codes.target=jpn_Jpan"]),
        ("facebook/mbart-large-50-many-to-many-mmt", "ja", "ko", "target: ko_KR", ["codes.target=ja_XX"]),
        ("Helsinki-NLP/opus-mt-en-de", "en", "de", "", []),
        ("google-t5/t5-small", "en", "fr", "source: English, target: French",
         ["codes.source=Korean", "codes.target=Japanese"]),
    ],
)  # fmt: skip
def test_a_pair_without_text_is_rehearsed_with_korean_into_japanese(
    read, model, source, target, codes, settings
):
    spec, workspace = read(GENERATION % (model, source, target, codes))
    found, notice = substitutes(spec, workspace)
    if settings is None:
        assert (found, notice) == ((), "")
        return
    assert found == ("languages.source=ko", "languages.target=ja", *settings)
    assert f"no text for a rehearsal of {source} into {target}" in notice
    again, _ = read(GENERATION % (model, source, target, codes), found)
    assert substitutes(again, workspace) == ((), "")


@pytest.mark.parametrize("text", [TRAINING % SCRATCH, TRAINING % TUNED, GENERATION_WITH_REFERENCE])
def test_short_lines_of_its_own_data_are_taken(read, tmp_path, text):
    spec, workspace = read(text)
    assert "Korean into Japanese" in substitutes(spec, workspace)[1]
    (tmp_path / "data").mkdir()
    pairs = [("", ""), ("long " * 20, "lang " * 20), ("Twice.", "Zweimal."), ("Twice.", "Zweimal.")]
    pairs += [("Save the file now", "Save the file now"), ("Open it", "Yes &amp; no &lt;b&gt;")]  # not clean
    pairs += [(f"Open window {n}", f"Öffne Fenster {n}") for n in range(100)]
    for side, name in enumerate(("t.en", "t.de")):
        text = "".join(f"{pair[side]}\n" for pair in pairs)
        (tmp_path / "data" / name).write_text(text, encoding="utf-8")
    source, target = own_text(spec, workspace)
    assert (source[:2], len(source)) == (["Twice.", "Open window 0"], 64)
    assert target[:2] == ["Zweimal.", "Öffne Fenster 0"]
    assert substitutes(spec, workspace) == ((), "rehearsing with 64 short lines of its own data")


@pytest.mark.parametrize(
    ("model", "codes", "names"),
    [
        ("facebook/nllb-200-3.3B", "target: deu_Latn", ("deu_Latn", "de", "de", "deu", "ger")),
        ("facebook/mbart-large-50-many-to-many-mmt", "target: ja_XX", ("de", "de", "deu", "ger")),
        ("google-t5/t5-small", "", ("German",)),
        ("google-t5/t5-small", "target: Deutsch", ("Deutsch",)),
    ],
)
def test_how_a_tokenizer_may_call_the_language(read, model, codes, names):
    spec, _ = read(GENERATION % (model, "en", "de", codes))
    learnt = to_learn(spec, (["a"], ["b"]))
    assert learnt.names[1] == names
    assert learnt.triples == [("a", "b", "a")]


def test_too_few_lines_are_no_text(read, tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("t.en", "t.de"):
        (tmp_path / "data" / name).write_text("a\nb\n")
    spec, workspace = read(TRAINING % SCRATCH)
    assert own_text(spec, workspace) is None
