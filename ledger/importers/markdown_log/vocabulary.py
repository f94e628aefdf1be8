"""The English and Japanese words that the reader of logs knows, and their canonical names.

To support another language or habit, extend a pattern here.
"""

import re
from typing import Final


def _any(*words: str) -> "re.Pattern[str]":
    return re.compile("|".join(words), re.IGNORECASE)


# --- which experiment, and which part of it ---------------------------------------------------------

_NUMBERS = r"#?\s*(?P<numbers>\d{1,4}(?:\s*(?:[&,/、・]|and|と)\s*\d{1,4})*)(?![\d.]*\d|\s*[%件行文秒分時])"
EXPERIMENT: Final = re.compile(
    rf"(?<![A-Za-z])(?P<word>experiment|exp\.?|実験|실험|trial|version|ver\.?|run)s?[-_ ]?{_NUMBERS}",
    re.IGNORECASE,
)
PREFIXES: Final = {"version": "v", "ver": "v", "ver.": "v", "trial": "trial", "run": "run"}

PLANNED: Final = _any(
    "候補",
    "予定",
    "計画",
    r"\bplanned\b",
    r"\bcandidates?\b",
    r"\bideas?\b",
    r"\bbacklog\b",
    "계획",
    "예정",
    r"\bgeplant\b",
)
FUTURE: Final = _any(
    "次",
    "今後",
    "検討",
    r"\bnext\b",
    r"\bto.?do\b",
    r"\bfuture\b",
    r"\bplan(s|ned)?\b",
    "候補",
    r"\bideas?\b",
    "향후",
    "다음 ?(단계|실험|할)",
    r"\bnächste\w*\b",
    r"\bausblick\b",
)
HOPED: Final = _any(
    "期待", r"\bexpect(ed|ations?)?\b", r"\bhypothes[ie]s\b", r"\bgoals?\b", "目的", "目標", r"\btargets?\b"
)
LEARNED: Final = _any("教訓", "ベストプラクティス", "学習事項", r"\blessons?\b", r"\bbest practices?\b")
SAMPLES: Final = _any(
    "サンプル(出力|翻訳)", "翻訳品質サンプル", r"\bsamples?\b(?! size)", r"\bexamples?\b", "出力例", "の例$"
)
ATTEMPT: Final = _any(
    "試行",
    "初回",
    r"再(トレーニング|学習|実行|訓練)",
    r"(成功|失敗)した",
    "旧",
    "前回",
    "参考",
    "変更(前|後)",
    r"\b(re)?tr(y|ies)\b",
    r"\battempts?\b",
    r"\bre-?(run|train\w*)\b",
    r"\b(first|second|third)\b",
    r"\b(good|bad|successful|failed|failing|previous|earlier|old|new)\b",
    r"\bbefore\b",
    r"\bafter\b",
    r"\breference (run|details)\b",
    r"\d{1,2}:\d{2}",
)
FINAL: Final = _any("最終", "修正後", r"\bfinal\b", r"\bcorrected\b", r"\bupdated\b")
# Files and phases with their own settings.
FILE: Final = re.compile(
    r"(?:^|[\s`(（/])[\w.-]+\.(?:ya?ml|json|toml|ini|py|sh|ipynb)(?![\w.])", re.IGNORECASE
)
PHASE: Final = _any(
    r"^(pre-?)?train(ing)?( settings| param(eter)?s| config\w*)?$",
    r"^fine-?tuning( settings| param(eter)?s| config\w*)?$",
    r"^(generation|decoding|inference|eval(uation)?)( settings| param(eter)?s| config\w*)$",
    r"^(generation|decoding|inference|eval(uation)?)$",
    "^(学習|生成|評価|推論|訓練)(設定|パラメータ)?$",
)
SETTINGS: Final = _any(
    "設定",
    "パラメータ",
    "構成",
    "설정",
    "파라미터",
    r"\beinstellungen\b",
    r"\bsettings?\b",
    r"\bparam(eter)?s?\b",
    r"\bhyper-?param\w*",
    r"\bconfig(uration)?\b",
    r"\bsetup\b",
    r"\barguments?\b",
    r"\bargs\b",
    r"\.ya?ml\b",
)
RESULTS: Final = _any(
    "^結果", "^결과", "^상태", r"^ergebnis(se)?\b", r"^results?\b", r"^outcome\b", r"^status\b", "^状態"
)

# --- logs without numbered experiments --------------------------------------------------------------

# The heading of the column that names the runs of a table; the first of several counts.
NAMED_BY: Final = _any(
    r"(?:run|exp(eriment)?|system|trial|name|id)(?: ?(?:id|name|no\.?))?",
    r"#|no\.?|nr\.?|model|variant|configuration|config|setup|date",
    "versuch|lauf|modell|variante|bezeichnung|konfiguration|datum",
    "実験(名|番号)?|名前|番号|モデル|試行|設定名|日付",
    "실험(명| ?번호)?|이름|번호|모델|시도|설정|날짜",
)
STATES: Final = _any("status|state|outcome|result|ergebnis|zustand|状態|結果|ステータス|상태|결과")
STEPS: Final = _any("step|steps|global_step|schritt|ステップ|스텝")
# Headings and bullets that name a part of a run, or of the document.
GENERIC: Final = _any(
    r"^(training |evaluation |final |test )?(results?|scores?|metrics?|evaluation)$",
    r"^(training )?(hyper-?param\w*|settings?|parameters?|config\w*|setup|command|arguments?|procedure)$",
    r"^(notes?|remarks?|summary|overview|log|logs|observations?|discussion|details|changes|environment|data)$",
    r"^(experiment|training|research)s?( ?log| ?notes| ?diary)?s?$",
    r"^(framework versions|model description|intended uses.*|training and evaluation data|limitations.*)$",
    "^(ergebnisse?|einstellungen|parameter|notizen|anmerkungen|zusammenfassung|übersicht|konfiguration)$",
    "^(結果|評価|設定|パラメータ|メモ|備考|概要|まとめ|考察|環境|ハイパーパラメータ|学習設定)$",
    "^(결과|평가|설정|파라미터|하이퍼파라미터|메모|비고|개요|요약|환경|학습 설정)$",
)
DATED: Final = re.compile(r"\d{4}[-./年]\s?\d{1,2}[-./月]|\d{1,2}\.\s?\d{1,2}\.\s?\d{2,4}|\d{4}년")

# --- what a label means -----------------------------------------------------------------------------

KEYS: Final[tuple[tuple[str, "re.Pattern[str]"], ...]] = (
    ("model", _any("^モデル$", "^model$", "^base model$", "^checkpoint$", "^modell$", "^모델$")),
    (
        "batch_size",
        _any(
            "^バッチサイズ$", r"^(train(ing)? )?batch[ _-]?size$", "^batch-?größe$", "^배치 ?(크기|사이즈)$"
        ),
    ),
    ("learning_rate", _any("^学習率$", r"^learning[ _-]?rate$", "^lr$", "^lernrate$", "^학습률$")),
    (
        "epochs",
        _any(
            "^エポック数?$",
            "^epochs?$",
            "^num_train_epochs$",
            "^number of epochs$",
            "^epochen$",
            "^에폭( ?수)?$",
        ),
    ),
    ("languages", _any("^言語(ペア)?$", "^languages?$", "^language pair$", "^direction$")),
    (
        "data",
        _any("^データ(セット)?$", "^data( ?set)?$", "^corpus$", "^input$", "^daten(satz)?$", "^데이터(셋)?$"),
    ),
    ("output", _any("^出力$", "^output( file)?$")),
    ("time", _any("^日時$", "^date$", "^when$", "^started$", "^datum$", "^날짜$", "^日付$")),
    (
        "seconds",
        _any(
            "^所要時間$",
            "^duration$",
            "^runtime$",
            "^time taken$",
            "^took$",
            "^wall time$",
            "^train_runtime$",
        ),
    ),
    ("total_steps", _any("^総ステップ数?$", r"^(total|max)[ _](training |optimi[sz]ation )?steps$")),
    (
        "train_size",
        _any(
            r"^train(ing)?( set| data| samples?| pairs?| examples?| size)*$",
            "^訓練(データ|件数)?$",
            "^学習データ$",
        ),
    ),
    (
        "throughput",
        _any("^train_samples_per_second$", r"^(training )?(throughput|samples (per second|/ ?s))$"),
    ),
    ("loss", _any("^(最終 ?|final |train(ing)? |eval(uation)? )?loss$", "^損失$")),
    ("verdict", _any("^結論$", "^conclusions?$", "^verdict$")),
)
# Shares of the lines, by what they count; the first match counts.
RATES: Final[tuple[tuple[str, "re.Pattern[str]"], ...]] = (
    ("failed", _any("FAILED", "失敗(率|件数|行)", r"\bfail(ed|ures?|ing)\b")),
    ("repeating", _any("繰り返し", r"\brepe(at|ti)\w*", r"\bloop(s|ing|ed)?\b", r"\bdegenerat\w*")),
    ("english", _any("英語", r"\benglish\b", r"\blatin\b")),
    ("empty", _any("空行", "空の(行|出力)", r"\bempty\b", r"\bblank\b")),
    (
        "identical",
        _any("完全一致", "同一", r"\bidentical\b", r"\bsame (lines|translations?)\b", r"\bunchanged\b"),
    ),
    ("different", _any("異なる", r"\bdiffer(ent|ing)?\b", r"\bchanged\b")),
    ("partly_usable", _any("部分的", r"\bpart(ly|ially)\b", r"\busable with edits\b")),
    ("right", _any("正確", "正しい訳", r"\b(right|correct|accurate)\b")),
    ("usable", _any("使用可能", "品質", r"\busable\b", r"\bquality\b", r"\bacceptable\b")),
    ("done", _any("生成完了", r"\b(generated|translated|completed|finished|done)\b")),
)
SCORE: Final = re.compile(
    r"(?P<name>(?:sacre)?bleu|chrf(?:\+\+|2)?|comet|meteor)(?![-_\w])"
    r"(?:\s*[(（][^()（）]*[)）])?(?:\s|score|of|is|was|は|が|[:：=])*"
    r"(?P<value>\d{1,3}(?:\.\d+)?(?![\d.,]*\d|\s*%|\s*[-–~〜]\s*\d)|[-+]?(?:nan|inf(?:inity)?)\b)",
    re.IGNORECASE,
)
LOST: Final = re.compile(
    r"(?P<name>(?:(?:train(?:ing)?|eval(?:uation)?|val(?:idation)?)[ _/])?loss|損失)"
    r"(?:\s|is|was|became|becomes|went|turned|to|が|は|[:：=])*"
    r"(?P<value>[-+]?(?:nan|inf(?:inity)?))(?![A-Za-z])",
    re.IGNORECASE,
)

# --- what happened ----------------------------------------------------------------------------------

SUCCEEDED: Final = _any(
    "✅",
    "成功",
    "성공",
    r"\berfolgreich\b",
    "완료",
    "完了",
    r"\bcompleted?\b",
    r"\babgeschlossen\b",
    r"\bsuccess(ful(ly)?)?\b",
    r"\bsucceeded\b",
    r"\bworks\b",
    r"\bworked\b",
)
FAILED: Final = _any(
    "❌",
    "失敗",
    "悪化",
    "発散",
    "실패",
    "발산",
    r"\bfehlgeschlagen\b",
    r"\babgebrochen\b",
    r"\bdivergiert\b",
    r"\bdiverged?\b",
    r"(?<!no )(?<!without )(?<![A-Za-z])NaN\b",
    r"\bfail(ed|ure|s)?\b",
    r"\bdid not work\b",
    r"\bunusable\b",
    r"\bbroken\b",
)
RUNNING: Final = _any(
    "実行中", "진행 ?중", "실행 ?중", r"\bläuft\b", r"\bin progress\b", r"\b(still |now )?running\b", "🚀"
)
SKIPPED: Final = _any("スキップ", "見送り", r"\bskipped\b", r"\bskip\b", r"\bnot to run\b", r"\bcancelled\b")
NOT_RUN: Final = _any(
    "実行できず",
    "実行できな",
    "起動できず",
    "ダウンロード(中にエラー|に?失敗|できず)",
    r"Can't load",
    r"\bcould not (be )?(run|start|started|load|loaded|download|downloaded|executed)\b",
    r"\bnever (started|ran)\b",
    r"\bdid not (start|run)\b",
    r"\bfailed to (start|load|download)\b",
    r"\bdownload (failed|broke off|was aborted)\b",
    r"Disk quota exceeded",
    r"No space left on device",
)
CRASH: Final = _any(
    "クラッシュ",
    "落ちた",
    "強制終了",
    r"\bcrash(ed|es)?\b",
    r"\bdied\b",
    r"\bkilled\b",
    r"\bOOM\b",
    r"\bout of memory\b",
    r"\baborted\b",
    r"\bsegfault\w*",
)
RETRIED: Final = _any(
    "再実行",
    "再試行",
    "やり直し",
    "解決した",
    "解消し",
    r"\bre-?(ran|run|tried|try)\b",
    r"\bretr(y|ied)\b",
    r"\btried again\b",
    r"\bsecond (attempt|try)\b",
    r"\bfixed\b",
    r"\b(after|once|then)\b.{0,60}\b(it ran|worked|succeeded|went through)\b",
)
SUPPOSED: Final = _any(r"^\s*(if|when|should|in case|unless)\b", "^もし", "場合(は|、)")
OF_ANOTHER: Final = _any(r"\b(previous|earlier|old|older|other|another)\b", "前回", "別の", "以前")
EVALUATED: Final = _any("評価", "テスト", "検証", r"\b(test|dev|eval\w*|validation|valid)\b")
RESUMED: Final = _any("再開", r"\bresum(e|ed|ing)\b", r"\brestarted\b")
STEP: Final = re.compile(
    r"(?:ステップ|\bsteps?\b)\s*#?(\d[\d,]{0,14})|(\d[\d,]{0,14})\s*(?:ステップ|steps\b)", re.IGNORECASE
)
CHECKPOINT: Final = re.compile(r"checkpoint[-_ ](\d[\d,]{0,14})|step[=_-](\d{1,15})\.ckpt", re.IGNORECASE)
SAME_OUTPUT: Final = _any(
    r"\bMD5\b",
    r"\bSHA-?(1|256)\b",
    r"\b(check|hash)sums?\b",
    r"\bhash(es)?\b",
    "ハッシュ",
    "完全(に)?一致",
    "バイト単位",
    r"\b(byte|bit)[- ](for[- ](byte|bit)|identical|wise)\b",
    r"\bidentical (output|translation|file)s?\b",
    r"\b(outputs?|translations?|files?) (is|are|was|were) (exactly )?(identical|the same)\b",
)
NOT_SAME: Final = _any(
    "一致(は)?し(ない|なかった|ていない)",
    "異な",
    "違",
    r"\bnot\b",
    r"\bno longer\b",
    r"\bdiffer\w*",
    r"n't\b",
    r"\bwould\b",
    r"\bshould\b",
    r"\bcheck (that|whether|if)\b",
)
OTHER_DATA: Final = _any(
    "(データ(セット)?|コーパス)[はがも](以前と|前回と)?(異な|違)",
    "(異なる|違う|別の)(データ|コーパス)",
    r"\b(different|another|other|new) (training )?(data ?set|data|corpus)\b",
    r"\b(data ?set|data|corpus) (is|are|was|were) (different|not the same|changed)\b",
    r"\b(data ?set|data|corpus) differs?\b",
)
MEAN: Final = _any("平均", r"\b(mean|average|avg)\b")
APPROXIMATE: Final = _any(
    "約", "ほぼ", "程度", "~", "〜", r"\babout\b", r"\baround\b", r"\bapprox\w*", r"\bnearly\b", r"\balmost\b"
)
UNSET: Final = _any(r"[(（]?(デフォルト|なし|default|none|unset|not set|n/a|-)[)）]?")
# Words of a title that do not distinguish experiments.
DULL: Final = frozenset(
    word
    for line in (
        "the a an of and with for to in on at vs from by or results result settings setting setup details",
        "notes analysis evaluation run rerun again experiment exp first second new old plan planned done",
        "skipped failed failure success succeeded running status update",
        "結果 設定 実験 詳細 失敗 成功 再 確認 再確認 実行中 分析 評価 追加 スキップ",
    )
    for word in line.split()
)


def first_name(table: "tuple[tuple[str, re.Pattern[str]], ...]", label: str) -> str:
    """The canonical name of a label; empty if the table has none."""
    return next((name for name, pattern in table if pattern.search(label)), "")
