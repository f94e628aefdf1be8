"""Text cut to a length. Its width on a terminal is for `ledger.display`."""


def shorten(text: str, limit: int) -> str:
    """`text` in at most `limit` characters, ended with an ellipsis where it was cut."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
