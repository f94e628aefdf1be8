"""Every way to get a spec wrong ends in one UsageError with the file, the line, the key and what is right."""

import os
import re
import time
from pathlib import Path

import pytest

from ledger.errors import Exit, UsageError
from ledger.specs import load_experiment
from ledger.specs.errors import nearest
from ledger.specs.yaml_source import MAX_BYTES

FILE = "experiments/mine.yaml"


def error_of(name: str, folder: Path, *overrides: str, **options: object) -> str:
    with pytest.raises(UsageError) as caught:
        load_experiment(name, folder, overrides, **options)
    assert caught.value.exit_code == Exit.USAGE
    return str(caught.value)


CONTENT = {
    "unknown key": (
        "num_beam: 5",
        2,
        "num_beam",
        "is not a key of a spec",
        "did you mean generation.num_beams?",
    ),
    "unknown key in a section": (
        "generation:\n  num_beam: 5",
        3,
        "generation.num_beam",
        "is not a key of a spec",
        "did you mean generation.num_beams?",
    ),
    "key of another section": (
        "model:\n  num_beams: 5",
        3,
        "model.num_beams",
        "is not a key of a spec",
        "did you mean generation.num_beams or fallback.num_beams?",
    ),
    "key of several sections": (
        "target: ja",
        2,
        "target",
        "is not a key of a spec",
        "did you mean languages.target or codes.target?",
    ),
    "unknown section": (
        "generate: {seed: 1}",
        2,
        "generate",
        "is not a key of a spec",
        "did you mean generation?",
    ),
    "letter case": ("Title: x", 2, "Title", "is not a key of a spec", "did you mean title?"),
    "nothing near": ("zzz: 1", 2, "zzz", "is not a key of a spec", "known: title, notes, status"),
    "unknown key set to null": ("num_beam:", 2, "num_beam", "is not a key of a spec", "generation.num_beams"),
    "text for a number": ("seed: x", 2, "seed", "should be a whole number, not 'x'", ""),
    "quoted number": ('seed: "1"', 2, "seed", "should be a whole number, not '1'", "leave the quotes out"),
    "true for a number": ("seed: true", 2, "seed", "should be a whole number, not true", ""),
    "float for a whole number": ("seed: 1.5", 2, "seed", "should be a whole number, not 1.5", ""),
    "number for text": ("model: {revision: 123}", 2, "model.revision", "should be text, not 123", "quotes"),
    "text for a bool": ("clean: yes", 2, "clean", "should be true or false, not 'yes'", ""),
    "one value of two kinds": (
        "generation:\n  early_stopping: 1",
        3,
        "generation.early_stopping",
        "should be true or false or 'never', not 1",
        "",
    ),
    "scalar for a section": ("generation: 5", 2, "generation", "should be keys with values, not 5", ""),
    "list for a section": ("generation: [5]", 2, "generation", "should be keys with values, not a list", ""),
    "too small": (
        "generation: {num_beams: 0}",
        2,
        "generation.num_beams",
        "greater than or equal to 1, not 0",
        "",
    ),
    "too large": ("guards: {min_bleu: 101}", 2, "guards.min_bleu", "less than or equal to 100, not 101", ""),
    "not finite": ("generation: {length_penalty: .nan}", 2, "generation.length_penalty", "finite number", ""),
    "infinite": ("generation: {temperature: 1e999}", 2, "generation.temperature", "finite number", ""),
    "none of the values": (
        "model:\n  dtype: fp16",
        3,
        "model.dtype",
        "should be 'float16', 'bfloat16' or 'float32', not 'fp16'",
        "did you mean float16?",
    ),
    "family": ("model: {family: mBART-50}", 2, "model.family", "not 'mBART-50'", "did you mean mbart50?"),
    "blank": ('output: " "', 2, "output", "should be one line of text that is not blank, not ' '", ""),
    "two lines": ('failure_marker: "a\\nb"', 2, "failure_marker", "should be one line", ""),
    "address": ("model: {name: https://hf.co/x}", 2, "model.name", "not a URL", ""),
    "country": ("languages: {target: jp}", 2, "languages.target", "is a country code", "'ja'"),
    "tokenizer's code": (
        "languages: {target: ja_XX}",
        2,
        "languages.target",
        "should be an ISO 639 code",
        "",
    ),
    "path for a lockfile": ("environment: ../x", 2, "environment", "should be a name of letters", ""),
    "two limits": (
        "generation:\n  max_length: 9\n  max_new_tokens: 9",
        4,
        "generation.max_new_tokens",
        "cannot be combined with max_length",
        "",
    ),
    "output over the source": ("output: ./data/source.ko", 2, "output", "same file as data.source", ""),
    "rate above 1": (
        "guards: {max_rate: {TXT001: 5}}",
        2,
        "guards.max_rate.TXT001",
        "less than or equal to 1",
        "",
    ),
    "rate of no guard": (
        "guards: {max_rate: {text1: 0.5}}",
        2,
        "guards.max_rate.text1",
        "code of a guard",
        "",
    ),
    "extends a list": ("extends: [a, b]", 2, "extends", "should be the name of one spec", ""),
    "extends upwards": ("extends: ../a", 2, "extends", "should be the name of one spec", ""),
    "date for text": ("title: 2026-13-45\nseed: x", 3, "seed", "should be a whole number", ""),
}


@pytest.mark.parametrize(("text", "line", "key", "says", "hint"), CONTENT.values(), ids=CONTENT.keys())
def test_content(folder, write, whole, text, line, key, says, hint):
    head = "# comment\n" if "extends" in text else f"extends: {whole}\n"
    write("mine", head + text)
    message = error_of("mine", folder)
    assert message.startswith(f"{FILE}:{line}: {key}: ")
    assert says in message
    assert hint in message
    assert "\n" not in message.partition("\n  ")[2]


FORM = {
    "empty": (b"", "", "is empty"),
    "only a comment": (b"# nothing\n", "", "is empty"),
    "only an end": (b"---\n", "", "is empty"),
    "a list": (b"- a\n- b\n", ":1", "should hold keys with values"),
    "a word": (b"word", ":1", "should hold keys with values"),
    "not YAML": (b"seed: 1\ntitle: a: b\n", ":2", "is not valid YAML: mapping values are not allowed here"),
    "a tab": (b"model:\n\tname: x\n", ":2", "is not valid YAML"),
    "an open bracket": (b"seed: [1\n", ":2", "is not valid YAML"),
    "two documents": (b"seed: 1\n---\nseed: 2\n", ":2", "is not valid YAML"),
    "control characters": (b"seed: \x01\n", "", "is not valid YAML"),
    "not UTF-8": ("seed: 1\ntitle: 한국어\n".encode("euc-kr"), ":2", "is not UTF-8"),
    "UTF-16": ("seed: 1\n".encode("utf-16"), ":1", "is not UTF-8"),
    "a key twice": (b"seed: 1\ntitle: x\nseed: 2\n", ":3: seed", "is repeated, first on line 1"),
    "a key twice below": (
        b"model:\n  name: a\n  name: b\n",
        ":3: model.name",
        "is repeated, first on line 2",
    ),
    "no word as key": (b"[a, b]: 1\n", ":1", "a key should be a word"),
    "an anchor": (b"seed: &s 1\n", ":1", "anchors and aliases are not supported"),
    "an alias": (b"seed: *s\n", ":1", "anchors and aliases are not supported"),
    "a tag": (b"seed: !!python/object/apply:os.system [ls]\n", ":1", "tags such as"),
    "a tag of one's own": (b"seed: !env HOME\n", ":1", "tags such as !env"),
    "an impossible number": (b"seed: 0x_\n", ":1: seed", "'0x_' is not a valid int"),
    "a number of 5,000 digits": (b"seed: " + b"9" * 5000, ":1: seed", "is not a valid int"),
    "too large": (b"# " + b"x" * MAX_BYTES, "", f"is larger than {MAX_BYTES} bytes"),
}


@pytest.mark.parametrize(("data", "where", "says"), FORM.values(), ids=FORM.keys())
def test_form(folder, write, data, where, says):
    write("mine", data)
    message = error_of("mine", folder)
    assert message.startswith(f"{FILE}{where}: ")
    assert says in message


BOMBS = {
    "billion laughs": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefgh", "bcdefghi", strict=True)
    ),
    "brackets": "[" * 30_000,
    "braces": "{a: " * 7_500,
    "dashes": "- " * 15_000,
    "question marks": "? " * 15_000,
    "itself": "a: &a\n  b: *a\n",
    "one long key": "k" * 30_000 + ": 1",
    "many keys": "".join(f"k{n}: {n}\n" for n in range(2_500)),
    "a long list": "seed: [" + "1," * 16_000 + "]",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_no_document_takes_for_ever(folder, write, text):
    write("mine", text.encode())
    start = time.process_time()
    error_of("mine", folder)
    assert time.process_time() - start < 10


def test_a_date_is_text(folder, write, whole):
    write("mine", f"extends: {whole}\ntitle: 2026-02-03\n")
    assert load_experiment("mine", folder).title == "2026-02-03"


def test_all_problems_of_a_file_in_one_message(folder, write):
    write("mine", "seed: x\ntitel: y\nmodel:\n  dtype: fp16\n")
    missing = "is missing"
    assert error_of("mine", folder).splitlines() == [
        "experiments/mine.yaml has 7 problems",
        f"  experiments/mine.yaml: data: {missing}",
        f"  experiments/mine.yaml: languages: {missing}",
        f"  experiments/mine.yaml: output: {missing}",
        "  experiments/mine.yaml:1: seed: should be a whole number, not 'x'",
        "  experiments/mine.yaml:2: titel: is not a key of a spec; did you mean title?",
        f"  experiments/mine.yaml:3: model.name: {missing}",
        "  experiments/mine.yaml:4: model.dtype: should be 'float16', 'bfloat16' or 'float32', not 'fp16'; "
        "did you mean float16?",
    ]


def test_a_message_stays_readable(folder, write):
    write("mine", "".join(f"zzz{n}: 1\n" for n in range(30)))
    rows = error_of("mine", folder).splitlines()
    assert rows[0].endswith("has 34 problems")
    assert len(rows) == 22
    assert rows[-1] == "  and 14 more"


def test_an_inherited_problem_names_the_file_it_is_in(folder, write, whole):
    write("base/first", f"extends: {whole}\n\ngeneration:\n  num_beam: 5\n")
    write("mine", "extends: base/first\ngeneration: {num_beams: 3}\n")
    message = error_of("mine", folder)
    assert message.startswith("experiments/base/first.yaml:4: generation.num_beam: is not a key of a spec")


def test_a_wrong_value_that_is_overridden_is_no_problem(folder, write, whole):
    write("base/first", f"extends: {whole}\nseed: x\n")
    write("mine", "extends: base/first\nseed: 3\n")
    assert load_experiment("mine", folder).seed == 3


def test_a_required_key_unset_is_missing_where_it_was_unset(folder, write, whole):
    write("mine", f"extends: {whole}\nmodel:\n  name: null\n")
    assert error_of("mine", folder).startswith(f"{FILE}:3: model.name: is missing")


class TestNames:
    def test_unknown(self, folder, write, whole):
        assert error_of("hole", folder) == (
            "there is no experiment hole in experiments\n  did you mean whole?"
        )

    def test_nothing_near(self, folder, whole):
        assert "known: whole" in error_of("zzz", folder)

    def test_no_experiments_at_all(self, folder):
        assert error_of("exp1", folder) == "there is no experiment exp1 in experiments"

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "a b", "a/b", "../whole", "-x", "exp\n5", "実験5", "x" * 101]
    )
    def test_that_cannot_be(self, folder, whole, name):
        assert "cannot name an experiment" in error_of(name, folder)

    def test_missing_path(self, folder, whole):
        assert "did you mean whole?" in error_of("experiments/hole.yaml", folder)

    def test_folder(self, folder):
        (folder / "mine.yaml").mkdir()
        assert error_of("mine", folder) == f"{FILE}: is a folder\n  name a .yaml file"

    def test_pipe(self, folder):
        os.mkfifo(folder / "mine.yaml")
        assert error_of("mine", folder).startswith(f"{FILE}: is not a regular file")


class TestExtends:
    def test_missing(self, folder, write, whole):
        write("base/teacher", "seed: 1")
        write("mine", "title: x\nextends: base/techer\n")
        assert error_of("mine", folder) == (
            f"{FILE}:2: extends: there is no experiments/base/techer.yaml\n  did you mean base/teacher?"
        )

    def test_a_folder(self, folder, write, whole):
        write("base/teacher", "seed: 1")
        write("mine", "extends: base\n")
        assert "did you mean base/teacher?" in error_of("mine", folder)

    def test_itself(self, folder, write):
        write("mine", "extends: mine\n")
        message = error_of("mine", folder)
        assert message.startswith(f"{FILE}:1: extends: is circular: {FILE} extends {FILE}")

    def test_a_circle(self, folder, write):
        write("mine", "extends: a\n")
        write("a", "# a\nextends: b\n")
        write("b", "# b\n\nextends: a\n")
        assert error_of("mine", folder).startswith(
            "experiments/b.yaml:3: extends: is circular: experiments/mine.yaml"
            " extends experiments/a.yaml extends experiments/b.yaml extends experiments/a.yaml"
        )

    def test_a_circle_by_another_name(self, folder, write):
        write("mine", "extends: other\n")
        (folder / "other.yaml").symlink_to(folder / "mine.yaml")
        assert "is circular" in error_of("mine", folder)

    def test_a_broken_file(self, folder, write):
        write("a", "seed: [\n")
        write("mine", "extends: a\n")
        assert error_of("mine", folder).startswith("experiments/a.yaml:2: is not valid YAML")


SET = {
    "no equals": ("generation.num_beams", "is not KEY=VALUE"),
    "no key": ("=5", "is not KEY=VALUE"),
    "hole in the key": ("generation..num_beams=5", "is not KEY=VALUE"),
    "nothing": ("", "is not KEY=VALUE"),
    "unknown key": ("num_beam=5", "num_beam: is not a key of a spec\n  did you mean generation.num_beams?"),
    "unknown key below": (
        "generation.beams=5",
        "generation.beams: is not a key of a spec\n  did you mean generation.num_beams?",
    ),
    "unknown section": (
        "generate.num_beams=5",
        "generate: is not a key of a spec\n  did you mean generation?",
    ),
    "key of a scalar": ("seed.x=5", "seed: should be a whole number, not a map of keys"),
    "wrong type": ("generation.num_beams=many", "generation.num_beams: should be a whole number, not 'many'"),
    "section": ("generation=5", "generation: should be keys with values, not 5"),
    "map": ("generation={num_beams: 5}", "generation: the value should be one word or number"),
    "not YAML": ("title=a: b", "title: the value should be one word or number"),
    "open quote": ('title="a', "title: the value is not valid YAML"),
    "tag": ("title=!x a", "title: the value is not valid YAML"),
    "alias": ("title=*a", "title: the value is not valid YAML"),
    "extends": ("extends=whole", "extends: cannot be set"),
}


@pytest.mark.parametrize(("override", "says"), SET.values(), ids=SET.keys())
def test_set(folder, whole, override, says):
    message = error_of(whole, folder, override)
    assert message.startswith("--set ")
    assert override in message
    assert says in message


def test_codes_of_guards_are_checked_where_they_are_known(folder, write, whole):
    path = write("mine", f"extends: {whole}\nguards:\n  max_rate:\n    TXT001: 0.1\n    TXT099: 0.1\n")
    assert load_experiment("mine", folder).guards.max_rate == {"TXT001": 0.1, "TXT099": 0.1}
    message = error_of("mine", folder, rate_codes=("TXT001", "TXT002"))
    assert message.startswith(f"{FILE}:5: guards.max_rate.TXT099: is not the code of a guard")
    assert "known: TXT001, TXT002" in message
    assert path.exists()


@pytest.mark.parametrize(
    ("word", "found"),
    [("num_beam", "num_beams"), ("NUM_BEAMS", "num_beams"), ("beams", "num_beams"), ("colour", None)],
)
def test_nearest(word, found):
    assert nearest(word, ["num_beams", "title"]) == found


def test_messages_show_the_whole_path_from_elsewhere(folder, write, tmp_path_factory, monkeypatch):
    path = write("mine", "seed: x")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert re.search(rf"{re.escape(str(path))}:1: seed: ", error_of("mine", folder))
