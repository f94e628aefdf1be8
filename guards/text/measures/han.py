"""Chinese characters of one country's standard, taken from the character sets that Python has codecs for."""

from functools import cache

FIRST, LAST = 0x4E00, 0x9FFF
LAST_FREQUENT = b"\xc6\x7e"  # of Big5, whose first level has the 5,401 frequent characters


@cache
def strange_to(script: str) -> str:
    """The characters that do not occur in text of a script: Hans, Hant or Jpan; none for any other.

    In Hant those of GB 2312 that Big5 lacks, in Hans the frequent ones of Big5 that GB 2312 lacks, and in
    Jpan those of GB 2312 that JIS X 0213 lacks.
    """
    if script == "Hans":
        strange = {char for char in _set("big5") if char.encode("big5") <= LAST_FREQUENT} - _set("gb2312")
    elif script in {"Hant", "Jpan"}:
        strange = _set("gb2312") - _set("big5" if script == "Hant" else "euc_jis_2004")
    else:
        return ""
    return "".join(sorted(strange))


def _set(codec: str) -> set[str]:
    """The Chinese characters of a character set."""
    text = "".join(map(chr, range(FIRST, LAST + 1)))
    return set(text.encode(codec, "ignore").decode(codec)) & set(text)
