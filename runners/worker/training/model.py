"""The tokenizer and model that a training starts from: new, or loaded from a folder or hub name."""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from runners.worker.errors import JobError
from runners.worker.messages import ModelSource, ProbeTraining, Train
from runners.worker.models import families, loading
from runners.worker.models.families import FAMILIES, Family
from runners.worker.models.recipes import RECIPES, train_pieces

SENTENCES_FOR_PIECES = 1_000_000  # sampled from a larger text: SentencePiece holds them in memory
JAPANESE_COVERAGE = 0.9995  # of characters, as SentencePiece's documentation recommends for Japanese
LONGEST_OUTPUT = 200  # tokens; the library's default is 20, which cuts every third sentence


def prepare(job: Train, lines: Iterable[str]) -> tuple[Family, Any, Any]:
    """The family, tokenizer and model of the job; a new vocabulary is trained on `lines`.

    A vocabulary that is in the job's folder `tokenizer` is reused: a resumed run must not make another.
    """
    family, tokenizer = prepare_tokenizer(job, lines)
    name = job.model.name
    if name is None:
        return family, tokenizer, _model(family, job.model, tokenizer)
    loading.check_weights(name)
    model, keys = families.load_model(family, name, "float32", "cpu")
    if lost := len(keys["missing_keys"]):
        message = f"{name} lacks {lost} tensors, which start from random values"
        raise JobError("missing weights", message, "name a folder or hub model whose weights are all there")
    return family, tokenizer, model


def prepare_tokenizer(job: Train | ProbeTraining, lines: Iterable[str]) -> tuple[Family, Any]:
    """Family and tokenizer only; a new one is stored in the folder `tokenizer` for the training."""
    source = job.model
    if source.name is not None:
        family = loading.find_family(source.family, source.name)
        return family, families.load_tokenizer(family, source.name)
    assert source.family is not None
    family = FAMILIES[source.family]
    return family, _tokenizer(family, job, lines)


def _tokenizer(family: Family, job: Train | ProbeTraining, lines: Iterable[str]) -> Any:
    folder = job.tokenizer
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".tokenizer-", dir=folder.parent))
        try:
            pieces = train_pieces(
                lines,
                job.model.vocab_size,
                model_type="unigram",
                character_coverage=JAPANESE_COVERAGE,
                input_sentence_size=SENTENCES_FOR_PIECES,
                shuffle_input_sentence=True,
            )
            RECIPES[family.name].write(pieces, partial, [job.target_code] if job.target_code else [])
            partial.rename(folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    tokenizer = families.load_tokenizer(family, str(folder))
    tokenizer.model_max_length = job.model.config["max_position_embeddings"]
    return tokenizer


def _model(family: Family, source: ModelSource, tokenizer: Any) -> Any:
    import transformers

    config = RECIPES[family.name].config(tokenizer, source.config)
    model = getattr(transformers, family.model_class)(config)
    model.generation_config.max_length = min(LONGEST_OUTPUT, source.config["max_position_embeddings"])
    return model
