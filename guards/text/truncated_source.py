"""TXT017: source lines that our own generation cut before the model read them."""

from guards.guard import Explanation
from guards.text import flag_rate

CODE = "TXT017"
TITLE = "Truncated source"
READS = flag_rate.READS
EXPLANATION = Explanation(
    means="The source line has more tokens than generation.max_source_length, or than the model or its "
    "tokenizer can read, and was cut there. Known for text that `ledger run` generates, and not for files "
    "that `ledger check` is given.",
    matters="The model never saw the end of the line, so its translation cannot have it, however well it "
    "reads.",
    do="Split long lines into sentences before you translate them, or raise generation.max_source_length "
    "where the spec sets it below the model's limit.",
)

inspect = flag_rate.inspection(CODE, "had their source cut to the longest input")
