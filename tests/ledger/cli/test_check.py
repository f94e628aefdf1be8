"""`ledger check` on real files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import run_ledger

GOOD = [
    ("설정이 저장되었습니다.", "設定を保存しました。"),
    ("파일을 열 수 없습니다.", "ファイルを開けませんでした。"),
    ("새 창을 여시겠습니까?", "新しいウィンドウを開きますか?"),
    ("왜 여기 있었죠?", "なぜここにいるの?"),
    ("제가 바라는 건 그것뿐입니다.", "私の願いはそれだけです。"),
    ("내일 아침에 다시 오겠습니다.", "明日の朝にまた来ます。"),
    ("그는 천천히 문을 닫았다.", "彼はゆっくりとドアを閉めた。"),
    ("오늘은 날씨가 정말 좋네요.", "今日は本当にいい天気ですね。"),
    ("PDF로 내보내기", "PDFとしてエクスポート"),
    ("아니, 아니, 아니야!", "いや、いや、違う!"),
]
# Output, its source, and the codes that must name it.
BAD = [
    ("I " * 100, "버틸 수 있는 것 같아요", {"TXT001"}),
    ("ja" * 60, "누구도 이길 수 없어요", {"TXT001"}),
    ("♪" * 100, "너도 구해야지", {"TXT001"}),
    (". . . . .", "실험실에 보내서 확인하자", {"TXT002"}),
    ("FAILED_TRANSLATION_CLEANED", "진실 서약을 했으니 지켜야 합니다", {"TXT005"}),
    (",,,", "그럴 리가 없어", {"TXT002"}),
    ("", "막 하려던 참이었어요", {"TXT006"}),
    ("?I'm about to do it.", "막 하려던 참이었어요", {"TXT003", "TXT004"}),
]


@pytest.fixture
def files(tmp_path):
    """Writes lines into a file and returns its path."""

    def write(name, lines, encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes("".join(f"{line}\n" for line in lines).encode(encoding))
        return str(path)

    return write


def check(*arguments):
    return run_ledger("check", *arguments, cwd=Path.cwd())


@pytest.fixture
def acceptance(files):
    output = files("out.ja", [bad for bad, _, _ in BAD] + [ja for _, ja in GOOD])
    source = files("in.ko", [ko for _, ko, _ in BAD] + [ko for ko, _ in GOOD])
    return output, source


def flagged_lines(document):
    """Line number -> the codes whose findings name it."""
    lines = {}
    for finding in document["findings"]:
        for sample in finding["evidence"]["worst"]:
            lines.setdefault(sample["number"], set()).add(finding["code"])
    return lines


def test_each_bad_line_is_flagged_under_its_code_and_no_good_one(acceptance):
    output, source = acceptance
    shown = check(output, "--source", source, "--lang", "ja", "--json")
    assert shown.returncode == 1, shown.stderr
    document = json.loads(shown.stdout)
    lines = flagged_lines(document)
    for number, (_, _, codes) in enumerate(BAD, 1):
        assert codes <= lines.get(number, set()), f"line {number}"
    assert max(lines) <= len(BAD), "a good line was flagged"
    assert document["verdict"] == "fail"
    assert document["lines"] == len(BAD) + len(GOOD)
    assert document["rates"]["TXT001"] == pytest.approx(3 / 18)
    assert document["rates"]["TXT005"] == pytest.approx(1 / 18)
    assert document["rates"]["TXT006"] == pytest.approx(1 / 18)
    assert document["scores"] is None


def test_people_see_the_lines_the_codes_and_the_verdict(acceptance):
    output, source = acceptance
    shown = check(output, "--source", source, "--lang", "ja")
    assert shown.returncode == 1
    for words in (
        "TXT001",
        "TXT005",
        "FAILED_TRANSLATION_CLEANED",
        "진실 서약",
        "(empty)",
        "no reference was given",
    ):
        assert words in shown.stdout
    assert "\nFAIL  " in shown.stdout
    assert shown.stderr == ""


@pytest.fixture
def good(files):
    return files("good.ja", [ja for _, ja in GOOD]), files("good.ko", [ko for ko, _ in GOOD])


def test_good_lines_pass_with_scores_and_signatures(good):
    output, source = good
    shown = check(output, "--source", source, "--reference", output, "--lang", "ja_XX", "--min-bleu", "90")
    assert shown.returncode == 0, shown.stdout
    assert "BLEU 100.00 of 100" in shown.stdout
    assert "tok:ja-mecab" in shown.stdout.replace("\n", "")
    assert "brevity penalty 1.000" in shown.stdout
    assert "\nPASS  " in shown.stdout


def test_scores_in_json_carry_their_scale_and_signature(good):
    output, _ = good
    document = json.loads(check(output, "--reference", output, "--lang", "ja", "--json").stdout)
    assert document["scores"]["bleu"]["value"] == 100
    assert document["scores"]["bleu"]["scale"] == [0, 100]
    assert document["scores"]["chrf"]["signature"].startswith("chrF2++|")
    assert document["scores"]["output_tokens"] == document["scores"]["reference_tokens"]
    assert {skip["code"] for skip in document["skips"]} >= {"SCO001", "SCO002"}


def test_a_low_bleu_fails(good, files):
    output, _ = good
    reference = files("other.ja", ["全く別の文です。"] * len(GOOD))
    shown = check(output, "--reference", reference, "--lang", "ja", "--min-bleu", "50", "--json")
    assert shown.returncode == 1
    assert "SCO001" in [finding["code"] for finding in json.loads(shown.stdout)["findings"]]


def test_without_a_language_what_needs_it_is_skipped(good):
    document = json.loads(check(good[0], "--json").stdout)
    assert {"TXT003", "TXT004"} <= {skip["code"] for skip in document["skips"]}
    assert document["verdict"] == "pass"


def test_a_requested_guard_that_cannot_run_is_inconclusive(good):
    shown = check(good[0], "--max", "TXT007=0.1", "--json")
    assert shown.returncode == 3
    assert json.loads(shown.stdout)["verdict"] == "inconclusive"


def test_limits_and_markers_can_be_set(files):
    output = files("out.ja", ["生成に失敗しました"] * 2 + ["設定を保存しました。"] * 8)
    assert check(output).returncode == 0
    assert check(output, "--marker", "生成に失敗しました").returncode == 1
    assert check(output, "--marker", "生成に失敗しました", "--max", "txt005=0.2").returncode == 0


def test_terminal_controls_in_an_output_are_escaped(files):
    output = files("out.ja", ["\x1b[31mFAILED_TRANSLATION_CLEANED\x1b[0m"] * 5)
    assert "\x1b" not in check(output).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--reference", "ref"], "--lang"),
        (["--min-bleu", "20"], "--reference"),
        (["--lang", "japanese"], "invalid language code"),
        (["--lang", "jp"], "did you mean ja"),
        (["--max", "TXT003"], "CODE=RATE"),
        (["--max", "TXT003=ten"], "CODE=RATE"),
        (["--max", "TXT999=0.1"], "TXT001"),
        (["--max", "TXT003=10"], "between 0 and 1"),
        (["--max", "TXT003=nan"], "between 0 and 1"),
        (["--min-bleu", "high"], "--min-bleu"),
        (["--colour"], "--colour"),
    ],
)
def test_invalid_arguments_exit_2(good, arguments, words):
    shown = check(good[0], *arguments)
    assert_one_message(shown, 2, words)


def test_a_missing_file(tmp_path):
    assert_one_message(check(str(tmp_path / "none.ja")), 3, "none.ja")


def test_a_folder(tmp_path):
    assert_one_message(check(str(tmp_path)), 3, "folder")


def test_an_empty_file(files):
    assert_one_message(check(files("empty.ja", [])), 3, "empty")


def test_a_korean_file_in_another_encoding(files, good):
    source = files("cp949.ko", [ko for ko, _ in GOOD], encoding="cp949")
    assert_one_message(check(good[0], "--source", source, "--lang", "ja"), 3, "cp949")


@pytest.mark.parametrize(("option", "name"), [("--source", "source"), ("--reference", "reference")])
def test_different_lengths_name_both_counts(files, good, option, name):
    other = files("short", ["짧다"] * 3)
    shown = check(good[0], option, other, "--lang", "ja", "--json")
    assert_one_message(shown, 3, f"the output has 10 lines and the {name} has 3")


def assert_one_message(shown, code, words):
    assert shown.returncode == code, shown.stderr
    assert shown.stdout == ""
    assert words in shown.stderr
    assert "Traceback" not in shown.stderr
    assert "bug" not in shown.stderr


def test_neither_torch_nor_transformers_is_loaded(good):
    program = """
import sys
from ledger.cli.boundary import run_command
from ledger.cli.main import cli
code = run_command(cli, sys.argv[1:])
loaded = {name.split(".")[0] for name in sys.modules} & {"torch", "transformers", "mlflow"}
sys.exit(f"loaded {loaded}" if loaded else code)
"""
    arguments = ["check", good[0], "--source", good[1], "--reference", good[0], "--lang", "ja"]
    shown = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stderr


def test_several_references_are_scored_as_sacrebleu_does(files):
    from sacrebleu import corpus_bleu

    output = files("out.de", hypothesis := ["Die Katze schläft heute.", "Der Hund bellt laut im Hof."])
    first = ["Die Katze schläft.", "Der Hund bellt sehr laut im Hof."]
    second = ["Heute schläft die Katze.", "Der Hund bellt laut im Hof."]
    names = files("1.de", first), files("2.de", second)
    given = [part for name in names for part in ("--reference", name)]
    document = json.loads(check(output, *given, "--lang", "de", "--json").stdout)
    assert document["scores"]["bleu"]["value"] == pytest.approx(
        corpus_bleu(hypothesis, [first, second]).score
    )
    assert "nrefs:2" in document["scores"]["bleu"]["signature"]


@pytest.mark.parametrize(
    ("limit", "code", "says"),
    [
        ("nan", 2, "BLEU is between 0 and 100"),
        ("-5", 2, "BLEU is between 0 and 100"),
        ("3500", 2, "BLEU is between 0 and 100"),
        ("0.35", 0, "on the scale of 0 to 100"),
        ("35", 0, "PASS"),
    ],
)
def test_a_limit_off_the_scale_of_bleu_is_refused_or_questioned(good, limit, code, says):
    output, _ = good
    done = check(output, "--reference", output, "--lang", "ja", "--min-bleu", limit)
    assert (done.returncode, says in done.stdout + done.stderr) == (code, True)


def test_a_blank_reference_fails(good, files):
    blank = files("blank.ja", [""] * len(GOOD))
    done = check(good[0], "--reference", blank, "--lang", "ja")
    assert (done.returncode, "10 of 10 lines are blank in the reference" in done.stdout) == (1, True)


def test_a_dirty_output_becomes_a_clean_pair_that_passes(files, tmp_path):
    output = files("dirty.ja", [ja for _, ja in GOOD] + ["&quot;はい&quot;", "", "I " * 50])
    source = files("dirty.ko", [ko for ko, _ in GOOD] + ["그는 왔다"] * 3)
    shown = check(
        output,
        "--source",
        source,
        "--lang",
        "ja",
        "--flagged",
        str(tmp_path / "f.jsonl"),
        "--kept",
        str(tmp_path / "c"),
        "--json",
    )
    kept = json.loads(shown.stdout)["kept"]
    assert (shown.returncode, kept["dropped"], kept["kept"]) == (1, 3, len(GOOD))
    assert kept["by_code"]["TXT006"] == 1
    assert len((tmp_path / "f.jsonl").read_text().splitlines()) == 3
    again = check(str(tmp_path / "c.output"), "--source", str(tmp_path / "c.source"), "--lang", "ja")
    assert again.returncode == 0


def test_only_the_chosen_codes_are_dropped(files, tmp_path):
    output = files("dirty.ja", [ja for _, ja in GOOD] + ["&quot;はい&quot;", ""])
    shown = check(output, "--lang", "ja", "--kept", str(tmp_path / "c"), "--drop", "txt006", "--json")
    assert json.loads(shown.stdout)["kept"]["by_code"] == {"TXT006": 1}
    assert len((tmp_path / "c.output").read_text().splitlines()) == len(GOOD) + 1


@pytest.mark.parametrize("arguments", [("--drop", "TXT006"), ("--kept", "c", "--drop", "TXT999")])
def test_a_wrong_choice_of_codes_exits_2(good, arguments):
    assert check(good[0], *arguments).returncode == 2
