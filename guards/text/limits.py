"""The rates that are allowed where a spec says nothing: the share (0-1) of lines that a guard may flag.

Each stands above what its rule flags on human translations and below the mildest failure seen in practice.
The false alarms named here were counted on 44,603 Japanese software strings with their Korean sources;
software text is the hard case, being full of product names, key names and placeholders.
"""

from collections.abc import Mapping

DEFAULT_MAX_RATE: Mapping[str, float] = {
    # Human text: 0.1%. A decoding that is slightly off loops in 0.5% of lines, a broken one in nearly all.
    "TXT001": 0.01,
    # Human text: 0.0%. Nobody answers words with dots.
    "TXT002": 0.005,
    # Human text: 4.6% on software strings, 0.5-1.4% on news and speech. A usable model had 9-12%.
    "TXT003": 0.08,
    # Human text: 0.6% of software strings, 4.2% of them where no source can excuse names.
    "TXT004": 0.05,
    # Human text: none. A usable model failed on 0.6% of lines, an unusable one on 1.2% and more.
    "TXT005": 0.01,
    # Human text: none, and an empty answer is the cheapest failure to avoid.
    "TXT006": 0.005,
    # Human text: 0.3%. Far above it, since a translation may rightly be terse; collapse is at 50% and more.
    "TXT007": 0.10,
}
