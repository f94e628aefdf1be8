"""TXT013: outputs that stand in the place of another line."""

from guards.guard import Explanation
from guards.text import flag_rate
from guards.text.measures.chunk import Chunk
from guards.text.measures.width import columns

CODE = "TXT013"
TITLE = "Shifted lines"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="Over a stretch of 40 lines or more the outputs fit the sources one or two lines before or after "
    "better than their own: by length, by numbers and names, and by the words of the reference where there "
    "is one. Lengths alone decide over 400 lines only, by six standard errors. Stretches whose lines are "
    "all alike cannot be judged. Skipped without a source.",
    matters="One line too many or too few shifts all that follow. No line looks wrong, but scores collapse, "
    "and as training data every pair is wrong.",
    do="Compare the first flagged lines with their neighbours: a blank line that a tool dropped, a line "
    "feed inside a line or a header is the usual cause. Number the lines before translating, join them by "
    "number.",
)


def flagged_lines(text: Chunk) -> list[int]:
    """The indices of the lines in stretches that fit another offset, in order."""
    from guards.text.measures.alignment import shifted_lines  # numpy takes 0.1 s to import

    return shifted_lines(text)


def sample_priority(output: str, source: str | None) -> int:
    """How useful a line is as a sample: the one that differs most from its source in width is best."""
    return abs(columns(output) - columns(source or ""))


inspect = flag_rate.inspection(CODE, "stand in the place of another line")
