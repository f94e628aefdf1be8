"""How wide a text is, so that scripts of dense and of thin characters compare."""

from unicodedata import east_asian_width


def columns(text: str) -> int:
    """The width on a terminal: two for wide and full-width characters (UAX #11), else one."""
    if text.isascii():
        return len(text)
    return len(text) + sum(map("WF".__contains__, map(east_asian_width, text)))
