"""Real Korean-Japanese text out of two installed packages: thousands of lines, none of them tidied."""

from importlib.resources import files

import pytest
from babel import Locale
from babel.messages.mofile import read_mo

Pair = tuple[str, str]


@pytest.fixture(scope="session")
def real_pairs() -> list[Pair]:
    """(Japanese, Korean) lines that say the same: interface messages, and CLDR's names."""
    pairs = [*_messages(), *_names()]
    assert len(pairs) > 2500
    return pairs


def _messages() -> list[Pair]:
    japanese, korean = _catalogues("ja_JP"), _catalogues("ko_KR")
    return [(japanese[key], korean[key]) for key in sorted(japanese.keys() & korean.keys())]


def _catalogues(locale: str) -> dict[str, str]:
    folder = files(f"jupyterlab_language_pack_{locale}") / "locale" / locale / "LC_MESSAGES"
    messages: dict[str, str] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".mo"):
            with entry.open("rb") as file:
                found = read_mo(file)
            messages |= {
                m.id: " ".join(m.string.split("\n")) for m in found if m.id and isinstance(m.id, str)
            }
    return messages


def _names() -> list[Pair]:
    japanese, korean = Locale("ja"), Locale("ko")
    tables = ("languages", "territories", "scripts", "currencies")
    return [
        (getattr(japanese, table)[key], getattr(korean, table)[key])
        for table in tables
        for key in sorted(getattr(japanese, table).keys() & getattr(korean, table).keys())
    ]
