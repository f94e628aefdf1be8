"""Text that was UTF-8 and was decoded as something else: `NÃ¤he` for `Nähe`, `縺ｾ縺吶` for `ます`."""

import re

# What UTF-8 is decoded as by mistake, and in each the characters of lead bytes (C2-F4) and of others (80-BF).
CODECS = ("cp1252", "cp1250", "cp1251")
RUN = re.compile(r"[^\x00-\x7f\ufffd]{2,}")
# The first bytes of kana and of Chinese punctuation and particles, decoded as Shift JIS and GBK: characters
# that hardly occur otherwise.
RARE_IDEOGRAPHS = "縺繧繝縲锛銆鐨锟"
RARE = re.compile(f"[{RARE_IDEOGRAPHS}]")
# «SOCIÉTÉ» ends in bytes that are valid UTF-8 as well.
PUNCTUATION_AFTER_LETTER = frozenset("»«“”„’‘‚‹›…–—°©®™·")


def _characters(codec: str, low: int, high: int) -> str:
    """The characters of the bytes in a codec. Undefined bytes are the controls of Latin-1, as browsers do."""
    return "".join(
        bytes([byte]).decode(codec, "replace").replace("\ufffd", chr(byte)) for byte in range(low, high)
    )


BYTES = {codec: {ord(char): byte for byte, char in enumerate(_characters(codec, 0, 256))} for codec in CODECS}
LEADS = frozenset("".join(_characters(codec, 0xC2, 0xF5) for codec in CODECS))
FOLLOWERS = frozenset("".join(_characters(codec, 0x80, 0xC0) for codec in CODECS))


RECODED = re.compile(f"[{re.escape(''.join(LEADS))}][{re.escape(''.join(FOLLOWERS))}]")
LEAD_BYTES = (0xC2, 0xF4)


def is_mojibake(text: str) -> bool:
    """Whether a part of the text is UTF-8 that was decoded as another encoding."""
    return len(RARE.findall(text)) > 1 or any(map(is_recoded, RUN.findall(text)))


def is_recoded(run: str) -> bool:
    """Whether a whole RUN is UTF-8 in one of the other codecs; its first two characters show if it may be."""
    return RECODED.search(run) is not None and any(_is_recoded(run, BYTES[codec]) for codec in CODECS)


def _is_recoded(run: str, byte_of: dict[int, int]) -> bool:
    if not LEAD_BYTES[0] <= byte_of.get(ord(run[0]), ord(run[0])) <= LEAD_BYTES[1]:
        return False
    codes = [byte_of.get(ord(char), ord(char)) for char in run]
    if max(codes) > 0xFF:
        return False
    try:
        original = bytes(codes).decode()
    except UnicodeDecodeError:
        return False
    if len(original) == 1 and (run[-1] in PUNCTUATION_AFTER_LETTER or run[0] > "\u0370"):
        return False  # a lone pair is convincing in Latin letters only: Ukrainian has words such as Ці
    return all(char.isprintable() and not "\u0180" <= char <= "\u036f" for char in original)
