"""The default limits: the share (0-1) of lines that a guard may flag if the spec sets no limit.

Each is above the rate on human translations and below that of the mildest failure seen in practice.
The rates on human text below were measured on 44,603 Japanese software strings with their Korean sources;
software text is the hard case, since it is full of product names, key names and placeholders.
"""

from collections.abc import Mapping

DEFAULT_MAX_RATE: Mapping[str, float] = {
    # Human text: 0.1%. Slightly wrong decoding loops in 0.5% of lines, broken decoding in nearly all.
    "TXT001": 0.01,
    # Human text: 0.0%.
    "TXT002": 0.005,
    # Human text: 4.6% on software strings, 0.5-1.4% on news and speech. A usable model had 9-12%.
    "TXT003": 0.08,
    # Human text: 0.6% of software strings, 4.2% of them without a source to look up names.
    "TXT004": 0.05,
    # Human text: none. A usable model failed on 0.6% of lines, an unusable one on 1.2% and more.
    "TXT005": 0.01,
    # Human text: none.
    "TXT006": 0.005,
    # Human text: 0.3%. The limit is far higher, since a translation may be terse; a collapse reaches 50%.
    "TXT007": 0.08,
    # Human text: docs/text-false-alarms.md has the table; each is below 0.1%.
    "TXT008": 0.015,
    "TXT009": 0.05,
    "TXT010": 0.005,
    # Human text: 0.01%, of software in 90 languages.
    "TXT011": 0.01,
    "TXT012": 0.01,
    "TXT013": 0.005,
    "TXT014": 0.002,
    "TXT015": 0.05,
    # A sound model ends nearly every line; what it does not end is mostly a loop, of which TXT001 allows 1%.
    "TXT016": 0.02,
    # Known exactly, and no fault of the model: a few overlong lines are usual in crawled text.
    "TXT017": 0.02,
}
