"""How wide a text is, so that scripts of dense and of thin characters compare."""

from unicodedata import east_asian_width


def columns(text: str) -> int:
    """The width on a terminal: two for wide and full-width characters (UAX #11), else one."""
    return len(text) + sum(1 for char in text if east_asian_width(char) in "WF")
