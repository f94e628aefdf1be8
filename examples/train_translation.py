#!/usr/bin/env python
"""Fine-tune or train a small sequence-to-sequence model on parallel text with the Seq2SeqTrainer.

The text is a JSON lines file as the datasets library writes it: {"translation": {"ko": "...", "ja": "..."}}.
"""

import json
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path

from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    DataCollatorForSeq2Seq,
    HfArgumentParser,
    Seq2SeqTrainer,
    Seq2SeqTrainingArguments,
    set_seed,
)

logger = logging.getLogger(__name__)


@dataclass
class ModelArguments:
    """The model to train."""

    model_name_or_path: str = field(metadata={"help": "A folder or hub name of a model with its tokenizer."})


@dataclass
class DataTrainingArguments:
    """The text to train on."""

    train_file: str = field(metadata={"help": "The training text (a JSON lines file)."})
    validation_file: str | None = field(default=None, metadata={"help": "The text for evaluation."})
    source_lang: str = field(default="ko", metadata={"help": "The source language; a code such as ko_KR."})
    target_lang: str = field(default="ja", metadata={"help": "The target language; a code such as ja_XX."})
    max_source_length: int = field(
        default=64, metadata={"help": "Maximum tokens of a source; longer ones are truncated."}
    )
    max_target_length: int = field(
        default=64, metadata={"help": "Maximum tokens of a target; longer ones are truncated."}
    )


class ParallelText:
    """The pairs of a file, tokenized."""

    def __init__(self, path, tokenizer, data_args):
        lines = Path(path).read_text(encoding="utf-8").splitlines()
        pairs = [json.loads(line)["translation"] for line in lines if line.strip()]
        self.rows = tokenizer(
            [pair[data_args.source_lang.split("_")[0]] for pair in pairs],
            text_target=[pair[data_args.target_lang.split("_")[0]] for pair in pairs],
            max_length=data_args.max_source_length,
            truncation=True,
        )

    def __len__(self):
        return len(self.rows["input_ids"])

    def __getitem__(self, index):
        return {key: values[index] for key, values in self.rows.items()}


def main():
    """Parse the arguments, train, evaluate, save."""
    parser = HfArgumentParser((ModelArguments, DataTrainingArguments, Seq2SeqTrainingArguments))
    model_args, data_args, training_args = parser.parse_args_into_dataclasses()
    logging.basicConfig(level=logging.INFO, handlers=[logging.StreamHandler(sys.stdout)])
    set_seed(training_args.seed)

    tokenizer = AutoTokenizer.from_pretrained(model_args.model_name_or_path)
    model = AutoModelForSeq2SeqLM.from_pretrained(model_args.model_name_or_path)
    if hasattr(tokenizer, "tgt_lang"):
        tokenizer.src_lang, tokenizer.tgt_lang = data_args.source_lang, data_args.target_lang
        model.generation_config.forced_bos_token_id = tokenizer.convert_tokens_to_ids(data_args.target_lang)
    train_dataset = ParallelText(data_args.train_file, tokenizer, data_args)
    eval_dataset = None
    if data_args.validation_file is not None:
        eval_dataset = ParallelText(data_args.validation_file, tokenizer, data_args)
    logger.info("training on %d pairs", len(train_dataset))

    trainer = Seq2SeqTrainer(
        model=model,
        args=training_args,
        train_dataset=train_dataset,
        eval_dataset=eval_dataset,
        processing_class=tokenizer,
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model),
    )
    result = trainer.train(resume_from_checkpoint=training_args.resume_from_checkpoint)
    trainer.save_model()
    trainer.log_metrics("train", result.metrics)
    if eval_dataset is not None:
        trainer.log_metrics("eval", trainer.evaluate())


if __name__ == "__main__":
    main()
