"""The shape of an entry's body, as far as readers rely on it: `problem(kind, body)` names what does not fit.

An id shows that a line is as it was written, not that a ledger wrote it. Members that are not listed here,
kinds that are not, and nulls are accepted, so that entries of every release stay readable.
"""

from collections.abc import Callable, Mapping

from ledger.findings import Json

# Returns an empty string for a value that fits, else the path to what does not fit, and what it should be.
Shape = Callable[[Json], str]


def problem(kind: str, body: Mapping[str, Json]) -> str:
    """What is wrong with the body of an entry of this kind, such as `seconds should be a number`; else ""."""
    shape = _KINDS.get(kind)
    return shape(body) if shape is not None else ""


def _plain(what: str, *types: type) -> Shape:
    allowed = {type(None), *types}
    return lambda value: "" if type(value) in allowed else f" should be {what}"


def _list(item: Shape) -> Shape:
    def check(value: Json) -> str:
        if value is None:
            return ""
        if type(value) is not list:
            return " should be a list"
        for place, one in enumerate(value):
            if found := item(one):
                return f"[{place}]{found}"
        return ""

    return check


def _map(item: Shape) -> Shape:
    def check(value: Json) -> str:
        if value is None:
            return ""
        if type(value) is not dict:
            return " should be an object"
        for name, one in value.items():
            if found := item(one):
                return f".{name}{found}"
        return ""

    return check


def _record(required: Mapping[str, Shape], optional: Mapping[str, Shape] = {}) -> Shape:
    shapes = {**required, **optional}

    def check(value: Json) -> str:
        if value is None:
            return ""
        if type(value) is not dict:
            return " should be an object"
        for name, shape in shapes.items():
            if name in value:
                if found := shape(value[name]):
                    return f".{name}{found}"
            elif name in required:
                return f".{name} is missing"
        return ""

    return check


def _one_of(*allowed: str) -> Shape:
    return lambda value: "" if value is None or value in allowed else f" should be {' or '.join(allowed)}"


def _given(shape: Shape, what: str) -> Shape:
    """The same, but not null."""
    return lambda value: f" should be {what}" if value is None else shape(value)


def _names(value: Json) -> str:
    if value is None or (type(value) is list and {*map(type, value)} <= {str}):
        return ""
    return " should be a list of texts"


def _either(first: Shape, second: Shape) -> Shape:
    return lambda value: second(value) and first(value)


def _pair(value: Json) -> str:
    return _bounds(value) or (" should be two numbers" if value and None in value else "")


def _bounds(value: Json) -> str:
    """Two numbers, or null for no bound."""
    is_pair = type(value) is list and len(value) == 2 and not _NUMBER(value[0]) and not _NUMBER(value[1])
    return "" if value is None or is_pair else " should be two numbers"


_ANY: Shape = lambda _value: ""  # noqa: E731
_TEXT = _plain("a text", str)
_NUMBER = _plain("a number", int, float)
_WHOLE = _plain("a whole number", int)
_FLAG = _plain("true or false", bool)
_OBJECT = _map(_ANY)
_NAME = _given(_TEXT, "a text")
_SIZE = _given(_NUMBER, "a number")
_VERDICT = _one_of("pass", "fail", "inconclusive")

_FINDING = _record(
    {"code": _NAME, "severity": _given(_one_of("info", "warning", "error"), "a severity"), "message": _NAME},
    {"evidence": _given(_OBJECT, "an object"), "accepted": _TEXT, "measured": _ANY, "threshold": _ANY},
)
_SKIP = _record({"code": _NAME, "reason": _NAME}, {"required": _FLAG})
_REPORT = _record(
    {
        "findings": _given(_list(_given(_FINDING, "an object")), "a list"),
        "skips": _given(_list(_given(_SKIP, "an object")), "a list"),
    },
    {"passed": _given(_names, "a list"), "verdict": _VERDICT},
)
_FILE = _record({}, {"path": _TEXT, "sha256": _TEXT, "md5": _TEXT, "lines": _WHOLE, "bytes": _WHOLE})
_METRIC = _record({}, {"value": _SIZE, "signature": _TEXT, "scale": _bounds, "interval": _pair})
_SPEC = _record(
    {},
    {
        **dict.fromkeys(("task", "environment", "failure_marker"), _TEXT),
        **dict.fromkeys(("model", "training", "generation", "codes"), _OBJECT),
        "languages": _map(_TEXT),
    },
)
_GIT = _record(
    {},
    {
        **dict.fromkeys(("commit", "branch"), _TEXT),
        "changed": _names,
        "patch": _OBJECT,
        "untracked": _list(_OBJECT),
    },
)
_STARTED = _record(
    {},
    {
        **dict.fromkeys(("run", "experiment", "mode", "title", "folder", "inputs", "spec_digest"), _TEXT),
        **dict.fromkeys(("environment", "machine", "tokenizer_digest"), _TEXT),
        **dict.fromkeys(("command", "overrides"), _names),
        "spec": _SPEC,
        "data": _map(_FILE),
        "lockfile": _map(_TEXT),
        "git": _GIT,
        "preflight": _REPORT,
        "resumed": _FLAG,
    },
)
_CHECKPOINT = _record(
    {"step": _given(_WHOLE, "a whole number")},
    {"path": _TEXT, "verdict": _VERDICT, "memory": _NUMBER, "reloaded": _NUMBER, "tensors": _TEXT},
)
_FINISHED = _record(
    {},
    {
        **dict.fromkeys(("run", "experiment", "mode", "status", "tokenizer_digest", "error"), _TEXT),
        **dict.fromkeys(("last_step", "seconds"), _NUMBER),
        **dict.fromkeys(("effective", "family"), _OBJECT),
        "verdict": _VERDICT,
        "report": _REPORT,
        "metrics": _map(_given(_METRIC, "an object")),
        "rates": _map(_NUMBER),
        "output": _FILE,
        "redo": _OBJECT,
        "checkpoints": _list(_given(_CHECKPOINT, "an object")),
        "imported": _names,
        "exit_code": _WHOLE,
        "series": _record({}, {"first": _list(_given(_pair, "two numbers"))}),
    },
)
_CLAIMS = _record(
    {},
    {
        **dict.fromkeys(("title", "outcome"), _TEXT),
        **dict.fromkeys(("params", "metrics", "rates", "environment", "facts"), _OBJECT),
        "series": _map(_OBJECT),
    },
)
_VERSION = _either(_TEXT, _record({"version": _NAME}, {"origin": _OBJECT, "changed": _names, "files": _TEXT}))
_FACTS = _record({}, {"python": _VERSION, "packages": _map(_given(_VERSION, "a version"))})
_KINDS: dict[str, Shape] = {
    "environment": _record({"digest": _NAME, "facts": _given(_FACTS, "an object")}),
    "run.started": _STARTED,
    "run.finished": _FINISHED,
    "run.imported": _record(
        {},
        {
            **dict.fromkeys(("run", "experiment", "claims_digest"), _TEXT),
            "claims": _CLAIMS,
            "report": _REPORT,
            "source": _OBJECT,
            "training": _OBJECT,
        },
    ),
    "run.reproduced": _record(
        {"report": _given(_REPORT, "an object")},
        {
            "run": _TEXT,
            "result": _TEXT,
            "settings": _list(_given(_record({"field": _NAME, "after": _ANY}), "an object")),
        },
    ),
    "checkpoint.verified": _record(
        {
            "checkpoint": _NAME,
            "verdict": _given(_VERDICT, "a verdict"),
            "report": _given(_REPORT, "an object"),
        },
        {
            **dict.fromkeys(("run", "environment", "machine"), _TEXT),
            "imported": _names,
            "effective": _OBJECT,
        },
    ),
    "checkpoint.deleted": _record(
        {"checkpoint": _NAME, "why": _NAME, "who": _NAME},
        {**dict.fromkeys(("run", "experiment", "state"), _TEXT), "bytes": _WHOLE},
    ),
    "acceptance": _record({"code": _NAME, "why": _NAME, "experiment": _NAME}, {"run": _TEXT, "who": _TEXT}),
    "note": _record({"run": _TEXT, "experiment": _NAME, "text": _NAME, "who": _NAME}),
    "skip": _record({"experiment": _NAME, "why": _NAME, "who": _NAME}),
    "rating": _record(
        {
            "run": _NAME,
            "experiment": _NAME,
            "who": _NAME,
            "of": _SIZE,
            "counts": _given(_map(_SIZE), "an object"),
        }
    ),
}
