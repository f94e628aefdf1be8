"""Which way a metric improves, by its name. Pure."""

import re

LOWER = ("loss", "wer", "cer", "ter", "mer", "perplexity", "ppl", "mae", "mse", "rmse", "nll", "error_rate")
HIGHER = (
    "bleu", "sacrebleu", "gleu", "chrf", "chrf++", "rouge", "rouge1", "rouge2", "rougel", "rougelsum",
    "meteor", "comet", "bertscore", "accuracy", "acc", "f1", "precision", "recall", "auc", "roc_auc",
    "map", "ndcg", "mrr", "matthews_correlation", "mcc", "pearson", "spearman", "exact_match", "em",
    "reward", "r2", "iou",
)  # fmt: skip
# What a name has around the metric's own: the split, and how classes are averaged.
AROUND = re.compile(
    r"^(eval|test|valid|validation)_|_(macro|micro|weighted|score|avg|mean)$|(macro|micro|weighted)_"
)


def higher_is_better(name: str) -> bool | None:
    """True or False where the name is a metric's own, None for any other, such as that of a single class.

    >>> higher_is_better("eval_wer"), higher_is_better("eval_f1_macro"), higher_is_better("eval_T005_f1")
    (False, True, None)
    """
    bare = AROUND.sub("", AROUND.sub("", name.lower()))
    if bare in LOWER:
        return False
    return True if bare in HIGHER else None
