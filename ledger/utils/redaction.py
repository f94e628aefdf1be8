"""Removes secrets from URLs, command lines and text before they are stored or shown, and locates them.

It rather removes too much. A secret that has neither the form of a known key, nor a telling name next to it,
nor a place in a URL is only recognized if it is the value of an environment variable of this process.
"""

import base64
import os
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

import orjson

from ledger.findings import Json

HIDDEN = "***"
SHORTEST = 6  # characters: shorter values of variables are likely to occur in text by chance

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<rest>.*)", re.DOTALL)
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>`]+")
_SCP = re.compile(r"[^\s/@:]+(?::[^\s/@]*)?@(?P<rest>[^\s/@:]+:.*)", re.DOTALL)  # git@host:owner/name.git

_SERVICES = (
    "api|auth|access|bearer|refresh|session|tracking|oauth|hf|hub|github|gitlab|wandb|slack|bot|private|deploy"
    "|personal|npm|pypi|docker|openai|anthropic|replicate|comet|neptune|mlflow|databricks|aws|azure|gcp|telegram|client|user|db|app|service"
)
_NAMED = (
    r"passwords?|passwd|passphrase|secret(?:[-_]?(?:access[-_]?)?key)?|credentials?"
    r"|(?:api|access|private|account|signing)[-_]?key|sharedaccess(?:key|signature)"
    rf"|(?:{_SERVICES})[-_]?token"
)
_NAME = re.compile(rf"(^|[-_.])({_NAMED})$|^[-_]*token$", re.IGNORECASE)
# As an option it holds a secret, though the bare word says little: `--key X`, not `{"key": X}`.
_OPTION = rf"--?(?:(?:{_SERVICES})[-_])?(?:pass|pw|pwd|pat|secrets?|auth|key|token|{_NAMED})"
_IS_OPTION = re.compile(_OPTION, re.IGNORECASE)
_OPTION_IN_TEXT = re.compile(
    rf"(?<![\w-])(?P<name>{_OPTION}(?:\s+|=)|sshpass\s+-p\s*)(?P<value>(?!-)[^\s`\"'),;]+)", re.IGNORECASE
)
_HEADER = re.compile(
    r"(?P<name>\b(?:(?:set-)?cookie|(?:proxy-)?authorization|x-(?:api-key|auth-token|amz-security-token))"
    r"[\"']?\s*[:=]\s*(?:(?:basic|bearer|token|digest)\s+)?[\"']?)"
    r"(?P<value>(?!(?:\w+ )?\*\*\*)[^\s\"'][^\"'\r\n]*)",
    re.IGNORECASE,
)
# How people label a password in the languages that the project is used in, and their neighbours'.
_LABELLED = re.compile(
    r"(?P<name>(?:パスワード|暗証番号|合言葉|비밀번호|패스워드|암호|密码|密碼|口令|Passwort|Kennwort"
    r"|mot de passe|contraseña|senha|пароль)\s*[:=：＝は]\s*)(?P<value>[^\s、。,;]+)",
    re.IGNORECASE,
)
# user:password@host without a scheme, and what is left of a URL that was taken for a path.
_BARE_USER = re.compile(
    r"(?<![\w/.@:-])(?!(?:mailto|author|by|from|to|cc|contact|e?-?mail|committer|reviewer|owner|reply-to):)"
    r"[A-Za-z][\w.+-]*:(?P<value>[^\s/@:\"']{3,})@(?=[\w-]+(?:\.[\w-]+)+|localhost\b|[a-z][\w-]*:\d)"
)
_SLASH_LOST = re.compile(r"(?<=[a-z]:/)(?!/)[^\s/@\"']+@(?=[\w.-]+)")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*_(TOKEN|KEY|SECRET|PASSWORD|PASSWD|PASS|PAT|PWD)")
# A telling name and a value: `password = x`, `"api_key": "x"`, `HF_TOKEN=x`; not `eos_token: </s>`.
_ASSIGNED = re.compile(
    rf"(?P<name>(?:(?<![\w.-])(?:--)?(?:\w[\w.-]*[-_.])?(?i:{_NAMED})|(?<![\w-])(?i:token)|{_VARIABLE.pattern})"
    r"[\"'\])]*\s*(?:=|:(?!//))\s*)(?P<value>[\"'][^\"'\n]+[\"']?|[^\s\"',;&]+)"
)
# The forms of services' keys, and places in files and headers that hold nothing but a secret.
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
    "Docker token": re.compile(r"\bdckr_(?:pat|oat)_[\w-]{16,}"),
    "Replicate token": re.compile(r"\br8_\w{16,}"),
    "Google token": re.compile(r"\bya29\.[\w-]{16,}"),
    "Telegram token": re.compile(r"\b\d{8,10}:AA[\w-]{30,}"),
    "npm token": re.compile(r"\bnpm_\w{16,}"),
    "Stripe key": re.compile(r"\b[rsp]k_(?:live|test|prod)_\w{8,}"),
    "SendGrid key": re.compile(r"\bSG\.[\w-]{16,}\.[\w-]{16,}"),
    "Databricks token": re.compile(r"\bdapi[0-9a-f]{32}"),
    "authorization header": re.compile(r"(?<=\b[Bb]asic )[\w+/=-]{8,}|(?<=\b[Bb]earer )[\w.~+/=-]{8,}"),
    "netrc password": re.compile(r"(?<=password )\S+(?=\s+(?:account|macdef|machine)\b)|"
                                 r"(?:(?<=\s)|^)login\s+\S+\s+password\s+\S+"),
}  # fmt: skip
# Every match of KEYS contains one of these, and few texts do: searching for them first is ten times faster.
_SIGNS = (
    "PRIVATE KEY", "hf_", "gh", "github_pat_", "gl", "sk-", "xox", "AKIA", "ASIA", "AIza", "pypi-", "eyJ",
    "sig=", "asic ", "earer ", "password ", "dckr_", "r8_", "ya29.", ":AA", "npm_", "k_live_", "k_test_",
    "k_prod_", "SG.", "dapi",
)  # fmt: skip
# The same for the names of secrets, options and headers.
_ASSIGNED_SIGNS = ("pass", "pwd", "_pat", "secret", "credential", "key", "token", "signature")
_OPTION_SIGNS = ("pass", "pw", "pat", "secret", "credential", "auth", "key", "token")
_HEADER_SIGNS = ("cookie", "authorization", "x-a")


def scrub_url(url: str) -> str:
    """`url` without user, password, query and fragment; a path or a URL without them is unchanged.

    The URL is not normalized: `sqlite:///runs.db` and `file:///data` are returned as they are.
    """
    match = _URL.fullmatch(url)
    if match is None:
        scp = _SCP.fullmatch(url)
        return scp["rest"] if scp else url
    rest = _without_user(match["rest"])
    return match["scheme"] + re.split(r"[?#]", rest, maxsplit=1)[0]


def scrub_text(text: str, environment: Mapping[str, str] | None = None) -> str:
    """`text` with scrubbed URLs and without keys, values named like secrets, and values of secret variables.

    `environment` gives the variables; by default those of this process.
    """
    for value in _values(environment):
        text = text.replace(value, HIDDEN)
    if "://" in text:
        text = _URL_IN_TEXT.sub(lambda match: scrub_url(match[0]), text)
    if any(sign in text for sign in _SIGNS):
        for pattern in KEYS.values():
            text = pattern.sub(HIDDEN, text)
    lower = text.lower()
    for _, pattern in _matching_rules(lower):
        text = pattern.sub(_hide_group, text)
    if "-" in text and any(sign in lower for sign in _OPTION_SIGNS):
        text = _OPTION_IN_TEXT.sub(_hide_value, text)
    if "@" in text:
        text = _SLASH_LOST.sub("", _BARE_USER.sub(_hide_group, text))
    if not text.isascii():
        text = _LABELLED.sub(_hide_value, text)
    if any(sign in lower for sign in _HEADER_SIGNS):
        text = _HEADER.sub(_hide_value, text)
    return _ASSIGNED.sub(_hide_value, text) if any(sign in lower for sign in _ASSIGNED_SIGNS) else text


def scrub_json(value: Json) -> Json:
    """The value with all text in it scrubbed; values under the name of a secret are hidden entirely."""
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, Mapping):
        return {key: _scrub_member(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrub_json(item) for item in value]
    return value


def scrub_file(path: Path) -> None:
    """Remove the secrets from a log of another program; a file without secrets is not written."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    scrubbed = scrub_text(text)
    if scrubbed != text:
        path.write_text(scrubbed, encoding="utf-8", errors="surrogateescape")


def scrub_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line with scrubbed URLs, and without the values of options and variables named like secrets.

    The values of `--password x`, `--api-key=x` and `HF_TOKEN=x` are hidden, those of `--eos-token x` and
    `--tokenizer x` are not.
    """
    return list(_scrubbed(arguments))


def find_secrets(text: str) -> list[tuple[int, str]]:
    """The line numbers (from 1) of secrets in `text`, and the kind of each. The secrets are not returned."""
    found = {(_line(text, match.start()), kind) for kind, one in KEYS.items() for match in one.finditer(text)}
    for name, pattern in _matching_rules(text.lower()):
        lines = {_line(text, match.start()) for match in pattern.finditer(text)}
        found |= {(line, name) for line in lines - {line for line, _ in found}}
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
    """Whether an option or variable of this name holds a secret."""
    return _NAME.search(name) is not None or _VARIABLE.fullmatch(name) is not None


def _scrub_member(name: str, value: Json) -> Json:
    return HIDDEN if isinstance(value, str) and value and is_secret_name(name) else scrub_json(value)


def _scrubbed(arguments: Sequence[str]) -> Iterator[str]:
    hide_next = False
    last = ""
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        secret = is_secret_name(name) or _IS_OPTION.fullmatch(name) is not None
        if argument.startswith("-p") and last.rpartition("/")[2] == "sshpass":
            name, equals, secret = "-p", argument[2:], True
        if hide_next and not argument.startswith("--"):
            yield HIDDEN
        elif secret and equals:
            yield f"{name}{'=' if equals == '=' else ''}{HIDDEN}"
        elif last in ("-u", "--user") and ":" in argument:
            yield f"{argument.partition(':')[0]}:{HIDDEN}"  # curl's
        else:
            yield scrub_text(argument)
        hide_next = secret and not equals and argument.startswith("-")
        last = argument


@cache
def _rules() -> dict[str, list[tuple[str, str]]]:
    """gitleaks' rules (name, pattern) by the words of which a match holds one: see tools/secret_rules.py."""
    rules: dict[str, list[tuple[str, str]]] = {}
    for rule in orjson.loads((files("ledger.utils") / "secret_rules.json").read_bytes())["rules"]:
        for word in rule["keywords"]:
            rules.setdefault(word, []).append((rule["id"], rule["regex"]))
    return rules


def _matching_rules(lower: str) -> Iterator[tuple[str, re.Pattern[str]]]:
    """The rules that may match: few texts hold any of their words, and a rule is compiled where one does."""
    if len(lower) < SHORTEST * 2:
        return
    rules = _rules()
    found = dict.fromkeys(rule for word in [word for word in rules if word in lower] for rule in rules[word])
    for name, pattern in found:
        yield f"{name.replace('-', ' ')} (gitleaks)", _compiled(pattern)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `[[` is a plain bracket, as in Go
        return re.compile(pattern)


def _hide_group(match: re.Match[str]) -> str:
    """The match without its first group, or hidden as a whole where it has none."""
    if not match.re.groups or match[1] is None:
        return HIDDEN
    start, end = match.start(1) - match.start(), match.end(1) - match.start()
    return f"{match[0][:start]}{HIDDEN}{match[0][end:]}"


def _hide_value(match: re.Match[str]) -> str:
    quote = match["value"][0] if match["value"][0] in "\"'" else ""
    return f"{match['name']}{quote}{HIDDEN}{quote}"


def _is_literal(value: str) -> bool:
    """Whether the value is a literal, not an expression: quoted, or a word with a digit."""
    bare = value.strip("\"'")
    if len(bare) < SHORTEST or HIDDEN in bare or re.search(r"[(${\[]", bare):
        return False
    return value[0] in "\"'" or bool(re.search(r"\d", bare))


def _values(environment: Mapping[str, str] | None) -> tuple[str, ...]:
    return _own_values() if environment is None else _secret_values(environment)


@cache
def _own_values() -> tuple[str, ...]:
    """Read once: copying the environment for every text would take longer than scrubbing it."""
    return _secret_values(os.environ)


def _secret_values(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The values that must not be shown, the longest first: one may be part of another."""
    found = {value for name, value in variables.items() if is_secret_name(name)}
    found |= {part for value in variables.values() if "@" in value for part in _passwords(value)}
    found |= {form for one in found if len(one) >= SHORTEST for form in _encoded(one)}
    return tuple(sorted((one for one in found if len(one) >= SHORTEST), key=lambda one: (-len(one), one)))


def _encoded(secret: str) -> Iterator[str]:
    """How a secret looks in a URL, and in base64 at any place of a longer text."""
    yield quote(secret, safe="")
    data = secret.encode(errors="surrogateescape")
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        cut = len(encoded) - ((before + len(data)) % 3 != 0)  # the last digit depends on what follows
        core = encoded[(0, 2, 3)[before] : cut]
        if len(core) >= SHORTEST:
            yield core
            yield core.replace("+", "-").replace("/", "_")


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
        # A password with an unescaped / ? or #: everything before the last @ may be part of it.
        return rest[rest.rindex("@") + 1 :]
    return rest
