"""Take secrets out of URLs, command lines and text before they are kept or shown, and tell where one stands.

It errs on the side of taking out too much. A secret that looks like no service's key, has no telling name
beside it and stands in no URL is only known where it is the value of a variable of this process.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from ledger.findings import Json

HIDDEN = "***"
SHORTEST = 6  # characters: a shorter value of a variable is likely to stand in a text by chance

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<rest>.*)", re.DOTALL)
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>`]+")
_SCP = re.compile(r"[^\s/@:]+(?::[^\s/@]*)?@(?P<rest>[^\s/@:]+:.*)", re.DOTALL)  # git@host:owner/name.git

_SERVICES = "api|auth|access|bearer|refresh|session|tracking|oauth|hf|hub|github|gitlab|wandb|slack|bot"
_NAMED = (
    r"passwords?|passwd|passphrase|secret(?:[-_]?(?:access[-_]?)?key)?|credentials?"
    r"|(?:api|access|private|account|signing)[-_]?key|sharedaccess(?:key|signature)"
    rf"|(?:{_SERVICES})[-_]?token"
)
_NAME = re.compile(rf"(^|[-_.])({_NAMED})$|^[-_]*token$", re.IGNORECASE)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*_(TOKEN|KEY|SECRET|PASSWORD|PASSWD|PASS|PAT|PWD)")
# A telling name and a value: `password = x`, `"api_key": "x"`, `HF_TOKEN=x`; `eos_token: </s>` is none.
_ASSIGNED = re.compile(
    rf"(?P<name>(?:(?<![\w.-])(?:--)?(?:\w[\w.-]*[-_.])?(?i:{_NAMED})|(?<![\w-])(?i:token)|{_VARIABLE.pattern})"
    r"[\"'\])]*\s*(?:=|:(?!//))\s*)(?P<value>[\"'][^\"'\n]+[\"']?|[^\s\"',;&]+)"
)
# What each service's keys look like, and the places in files and headers that hold nothing but a secret.
KEYS: Mapping[str, re.Pattern[str]] = {
    "private key": re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
    ),
    "Hugging Face token": re.compile(r"\bhf_\w{16,}"),
    "GitHub token": re.compile(r"\b(?:gh[pousr]_\w{16,}|github_pat_\w{16,})"),
    "GitLab token": re.compile(r"\bgl[a-z]{2,5}-[\w-]{16,}"),
    "OpenAI or Anthropic key": re.compile(r"\bsk-[\w-]{16,}"),
    "Slack token": re.compile(r"\bxox[a-z]-[\w-]{10,}"),
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "Google key": re.compile(r"\bAIza[\w-]{30,}"),
    "PyPI token": re.compile(r"\bpypi-[\w-]{16,}"),
    "JSON Web Token": re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),
    "Azure signature": re.compile(r"(?<=\bsig=)[\w%+/=-]{16,}"),
    "authorization header": re.compile(r"(?<=\b[Bb]asic )[\w+/=-]{8,}|(?<=\b[Bb]earer )[\w.~+/=-]{8,}"),
    "netrc password": re.compile(r"(?<=password )\S+(?=\s+(?:account|macdef|machine)\b)|"
                                 r"(?:(?<=\s)|^)login\s+\S+\s+password\s+\S+"),
}  # fmt: skip
# One of these stands in every match of KEYS, and in few texts: to look for them first is ten times faster.
_SIGNS = (
    "PRIVATE KEY", "hf_", "gh", "github_pat_", "gl", "sk-", "xox", "AKIA", "ASIA", "AIza", "pypi-", "eyJ",
    "sig=", "asic ", "earer ", "password ",
)  # fmt: skip


def scrub_url(url: str) -> str:
    """`url` without user, password, query and fragment; a path or an address without them is unchanged.

    Only the text is looked at, so `sqlite:///runs.db` and `file:///data` come back exactly as they were.
    """
    match = _URL.fullmatch(url)
    if match is None:
        scp = _SCP.fullmatch(url)
        return scp["rest"] if scp else url
    rest = _without_user(match["rest"])
    return match["scheme"] + re.split(r"[?#]", rest, maxsplit=1)[0]


def scrub_text(text: str, environment: Mapping[str, str] | None = None) -> str:
    """`text` with its URLs scrubbed, and everything hidden that looks like a key or is named like a secret.

    So is every value of a variable of `environment` (this process's) that is named like one.
    """
    for value in _values(environment):
        text = text.replace(value, HIDDEN)
    if "://" in text:
        text = _URL_IN_TEXT.sub(lambda match: scrub_url(match[0]), text)
    if any(sign in text for sign in _SIGNS):
        for pattern in KEYS.values():
            text = pattern.sub(HIDDEN, text)
    return _ASSIGNED.sub(_hide_value, text) if "=" in text or ":" in text else text


def scrub_json(value: Json) -> Json:
    """The same value with every text in it scrubbed; what stands under a secret's name is hidden whole."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, Mapping):
        return {key: _scrub_member(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_json(item) for item in value]
    return value


def scrub_file(path: Path) -> None:
    """Take the secrets out of a log that other programs wrote; one that holds none is not touched."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    scrubbed = scrub_text(text)
    if scrubbed != text:
        path.write_text(scrubbed, encoding="utf-8", errors="surrogateescape")


def scrub_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line with URLs scrubbed, and the values of options and variables named like secrets hidden.

    `--password x`, `--api-key=x` and `HF_TOKEN=x` are; `--eos-token x` and `--tokenizer x` are not.
    """
    return list(_scrubbed(arguments))


def find_secrets(text: str) -> list[tuple[int, str]]:
    """Where `text` holds a secret: line numbers, from 1, and what each looks like. The secret is not told."""
    found = {(_line(text, match.start()), kind) for kind, one in KEYS.items() for match in one.finditer(text)}
    for match in _URL_IN_TEXT.finditer(text):
        if _has_user(match[0]):
            found.add((_line(text, match.start()), "URL with a password"))
    for match in _ASSIGNED.finditer(text):
        if _is_literal(match["value"]):
            found.add((_line(text, match.start()), "value named like a secret"))
    for value in _values(None):
        if (at := text.find(value)) >= 0:
            found.add((_line(text, at), "value of a secret variable"))
    return sorted(found)


def is_secret_name(name: str) -> bool:
    """Whether an option or a variable of this name is one to hide."""
    return _NAME.search(name) is not None or _VARIABLE.fullmatch(name) is not None


def _scrub_member(name: str, value: Json) -> Json:
    return HIDDEN if isinstance(value, str) and value and is_secret_name(name) else scrub_json(value)


def _scrubbed(arguments: Sequence[str]) -> Iterator[str]:
    hide_next = False
    last = ""
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        secret = is_secret_name(name)
        if hide_next and not argument.startswith("--"):
            yield HIDDEN
        elif secret and equals:
            yield f"{name}={HIDDEN}"
        elif last in ("-u", "--user") and ":" in argument:
            yield f"{argument.partition(':')[0]}:{HIDDEN}"  # curl's
        else:
            yield scrub_text(argument)
        hide_next = secret and not equals and argument.startswith("-")
        last = argument


def _hide_value(match: re.Match[str]) -> str:
    quote = match["value"][0] if match["value"][0] in "\"'" else ""
    return f"{match['name']}{quote}{HIDDEN}{quote}"


def _is_literal(value: str) -> bool:
    """A value that a program would not look up elsewhere: quoted, or a word with a digit in it."""
    bare = value.strip("\"'")
    if len(bare) < SHORTEST or HIDDEN in bare or re.search(r"[(${\[]", bare):
        return False
    return value[0] in "\"'" or bool(re.search(r"\d", bare))


def _values(environment: Mapping[str, str] | None) -> tuple[str, ...]:
    return _own_values() if environment is None else _secret_values(environment)


@cache
def _own_values() -> tuple[str, ...]:
    """Read once: to copy the environment for every text would take longer than to scrub it."""
    return _secret_values(os.environ)


def _secret_values(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The values that must never be shown, the longest first: one may be part of another."""
    found = {value for name, value in variables.items() if is_secret_name(name)}
    found |= {part for value in variables.values() if "@" in value for part in _passwords(value)}
    return tuple(sorted((one for one in found if len(one) >= SHORTEST), key=lambda one: (-len(one), one)))


def _passwords(text: str) -> Iterator[str]:
    """The passwords of the URLs in a variable, such as a proxy's."""
    for match in _URL_IN_TEXT.finditer(text):
        user, at, _ = match[0].partition("://")[2].rpartition("@")
        if at and ":" in user:
            yield user.partition(":")[2]


def _has_user(url: str) -> bool:
    rest = url.partition("://")[2]
    user = rest[: len(rest) - len(_without_user(rest))].rstrip("@")
    return bool(user) and user not in ("git", "{user}")


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _without_user(rest: str) -> str:
    """What follows `scheme://`, less `user:password@`."""
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        return rest[rest.rindex("@", 0, len(authority)) + 1 :]
    _, colon, port = authority.rpartition(":")
    if colon and not authority.endswith("]") and not port.isdigit() and port and "@" in rest:
        # A password with / ? or # in it that is not escaped: nothing before the last @ is safe to keep.
        return rest[rest.rindex("@") + 1 :]
    return rest
