"""Take secrets out of URLs and command lines before they are kept.

It errs on the side of taking out too much. A secret that stands in a URL's path is not recognised.
"""

import re
from collections.abc import Iterator, Sequence

HIDDEN = "***"

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<rest>.*)", re.DOTALL)
_URL_IN_TEXT = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s'\"<>]+")
_SCP = re.compile(r"[^\s/@:]+(?::[^\s/@]*)?@(?P<rest>[^\s/@:]+:.*)", re.DOTALL)  # git@host:owner/name.git
_NAME = re.compile(
    r"(^|[-_])(passwords?|passwd|secret([-_]?key)?|credentials?|(api|access|private)[-_]?key"
    r"|(api|auth|access|bearer|hf|hub|github|gitlab|wandb)[-_]?token)$|^[-_]*token$",
    re.IGNORECASE,
)
# Hugging Face, GitHub, GitLab, OpenAI, Slack and AWS keys, and JSON Web Tokens, by their looks.
_KEY = re.compile(
    r"\b(hf_\w{16,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}|sk-[\w-]{16,}|xox[a-z]-[\w-]{10,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)


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


def scrub_text(text: str) -> str:
    """`text` with every URL in it scrubbed and every string that looks like a service's key hidden."""
    return _KEY.sub(HIDDEN, _URL_IN_TEXT.sub(lambda match: scrub_url(match[0]), text))


def scrub_arguments(arguments: Sequence[str]) -> list[str]:
    """A command line with URLs scrubbed, and the values of options and variables named like secrets hidden.

    `--password x`, `--api-key=x` and `HF_TOKEN=x` are; `--eos-token x` and `--tokenizer x` are not.
    """
    return list(_scrubbed(arguments))


def _scrubbed(arguments: Sequence[str]) -> Iterator[str]:
    hide_next = False
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        secret = _NAME.search(name) is not None
        if hide_next and not argument.startswith("--"):
            yield HIDDEN
        elif secret and equals:
            yield f"{name}={HIDDEN}"
        else:
            yield scrub_text(argument)
        hide_next = secret and not equals and argument.startswith("-")


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
