"""TXT016: lines of our own generation that ended because the limit of tokens was reached."""

from guards.guard import Explanation
from guards.text import flag_rate

CODE = "TXT016"
TITLE = "Reached the length limit"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="The model was still writing when it reached max_length or max_new_tokens: the line has no end of "
    "sentence, or only the one that the model is forced to write as the last token. Known for text that "
    "`ledger run` generates, and not for files that `ledger check` is given.",
    matters="The end of the translation is missing, or the model repeats itself and would never have "
    "ended. Some versions have a default limit of 20 tokens.",
    do="Raise generation.max_length where the lines read well. Where they repeat themselves, see TXT001: "
    "beams, a repetition penalty or no_repeat_ngram_size; `ledger run EXP --redo-flagged` generates only "
    "these lines again.",
)

inspect = flag_rate.inspection(CODE, "reached the length limit before their end")
