"""The gate's comment on a pull request: one, which each run of the gate updates.

It is found by a mark in its text. Without a token nothing is sent: the job summary has the same text.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from ledger.commands.gate.gate import Gate
from ledger.commands.gate.summary import summary
from ledger.errors import LedgerError
from ledger.git.pushes import read_event

MARK = "<!-- ledger gate -->"
TOKENS = ("LEDGER_GITHUB_TOKEN", "GITHUB_TOKEN")  # the first is what action.yml sets
API = "https://api.github.com"
TIMEOUT = 30  # seconds for each request
PAGE = 100  # the most comments that GitHub returns at once
LONGEST = 65_000  # characters: GitHub refuses comments of more than 65,536
CUT = "\n\nThe rest is in the summary of the job.\n"


def body(gate: Gate) -> str:
    """The Markdown text of the comment."""
    text = f"{MARK}\n{summary(gate)}"
    return text if len(text) <= LONGEST else text[: LONGEST - len(CUT)] + CUT


def send(gate: Gate, environment: Mapping[str, str]) -> str | None:
    """Create or update the comment; return its address, or None outside of a pull request or without a token.

    Raises LedgerError where GitHub refuses or cannot be reached.
    """
    token = next((environment[name] for name in TOKENS if environment.get(name)), None)
    number = (read_event(environment).get("pull_request") or {}).get("number")
    repository = environment.get("GITHUB_REPOSITORY")
    if not (token and number and repository):
        return None
    api = f"{environment.get('GITHUB_API_URL') or API}/repos/{repository}/issues"
    try:
        known = _find(f"{api}/{number}/comments", token)
        method, url = ("PATCH", f"{api}/comments/{known}") if known else ("POST", f"{api}/{number}/comments")
        return str(_ask(method, url, token, {"body": body(gate)}).get("html_url") or url)
    except (URLError, OSError, ValueError, AttributeError) as error:
        raise LedgerError(
            f"the comment on pull request {number} was not written: {error}",
            hint="the job needs `permissions: {pull-requests: write}`; from a fork it cannot have that",
        ) from error


def _find(url: str, token: str) -> int | None:
    """The id of the comment with the mark, among all of the pull request's."""
    page = 1
    while True:
        found = _ask("GET", f"{url}?per_page={PAGE}&page={page}", token)
        marked = (one for one in found if str(one.get("body") or "").startswith(MARK))
        if one := next(marked, None):
            return int(one["id"])
        if len(found) < PAGE:
            return None
        page += 1


def _ask(method: str, url: str, token: str, document: Any = None) -> Any:
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {token}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    data = None if document is None else json.dumps(document).encode()
    with urlopen(Request(url, data, headers, method=method), timeout=TIMEOUT) as answer:
        return json.loads(answer.read())
