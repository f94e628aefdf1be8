"""Train tiny models on real text and save them as a training would, with their evidence next to the weights.

`python tools/tiny_checkpoints.py save` reads a JSON list of orders on stdin, each `{"folder", "family",
"triples", "steps": [..], "seed", "config": {..}, "tokenizer_saved", "bilingual", "pretrained"}`, and writes
FOLDER/checkpoint-STEP for each step. `pretrained`: the steps after which the model is saved and loaded again,
as one that is fine-tuned. `… translate` reads `[{"folder", "family", "source", "bilingual"}]` and
prints what a bare from_pretrained and generate make of the lines, as a JSON list of lists. The interpreter's
transformers is what saves or loads. `bilingual`: a Marian of one pair of languages, without tags.

Imports nothing that an experiment's environment lacks.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.modules["sklearn"] = None  # transformers imports it, for seconds, where it is installed
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

# Small enough to learn some lines in seconds; what goes wrong on a reload does not depend on the size.
BART = {
    "d_model": 32,
    "encoder_ffn_dim": 64,
    "decoder_ffn_dim": 64,
    "encoder_layers": 1,
    "num_hidden_layers": 1,  # another name of encoder_layers: in 5.x the one that is read last holds
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
}
T5 = {"d_model": 32, "d_kv": 16, "d_ff": 64, "num_layers": 1, "num_decoder_layers": 1, "num_heads": 2}
RUN = "exp10-abc123"


def save(order: Mapping[str, Any]) -> None:
    """Train one model and save it at each of its steps."""
    import torch
    from transformers import logging

    from runners.worker.evidence.probe_inputs import ProbeLanguages, ProbeText
    from runners.worker.evidence.recorder import EvidenceRecorder
    from runners.worker.models.recipes import RECIPES
    from runners.worker.rehearsal import training

    logging.set_verbosity_error()
    triples, steps, folder = order["triples"], sorted(order["steps"]), Path(order["folder"])
    codes = RECIPES[order["family"]].codes
    first = folder / f"checkpoint-{steps[0]}"
    first.mkdir(parents=True)
    with training.repeatable(order["seed"]):
        torch.set_num_threads(1)  # tensors as small as these only wait for a second thread
        tokenizer, model = make(order, first)
        text = ProbeText(tuple(row[0] for row in triples), tuple(row[1] for row in triples))
        model = pretrained(order, tokenizer, model, first)
        learning = taught(order, tokenizer, model, steps)
        languages = ProbeLanguages(codes["ko"], codes["ja"], "ja")
        if order.get("bilingual"):
            tokenizer, languages = without_tags(tokenizer, first), ProbeLanguages(name="ja")
        recorder = EvidenceRecorder(tokenizer, text, languages, run=RUN)
        if order.get("pretrained"):
            recorder.trace.begin(model, 0)
        for step in learning:
            checkpoint = folder / f"checkpoint-{step}"
            checkpoint.mkdir(exist_ok=True)
            captured = recorder.observe(model, step)
            model.save_pretrained(checkpoint)
            save_tokenizer(order, tokenizer, first, checkpoint)
            state = {"global_step": step, "max_steps": steps[-1], "log_history": []}
            (checkpoint / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
            recorder.write(checkpoint, captured)


def make(order: Mapping[str, Any], folder: Path) -> tuple[Any, Any]:
    """The family's tokenizer, trained on the order's lines, and a small untrained model."""
    import transformers

    from runners.worker.models.families import FAMILIES
    from runners.worker.rehearsal.models import make as make_rehearsal_model

    lines = [line for row in order["triples"] for line in row]
    tokenizer, model = make_rehearsal_model(order["family"], lines, folder)
    plain = model.config.to_dict()
    sizes = T5 if order["family"] == "t5" else BART
    config = type(model.config)(**{**plain, **sizes, **order.get("config", {})})
    generation = model.generation_config
    model = getattr(transformers, FAMILIES[order["family"]].model_class)(config)
    model.generation_config = generation
    return tokenizer, model


def pretrained(order: Mapping[str, Any], tokenizer: Any, model: Any, folder: Path) -> Any:
    """The model to train on: after the order's first steps, one that from_pretrained has loaded."""
    if not order.get("pretrained"):
        return model
    for _ in taught(order, tokenizer, model, [order["pretrained"]]):
        model.save_pretrained(folder)
    return type(model).from_pretrained(folder)


def taught(order: Mapping[str, Any], tokenizer: Any, model: Any, steps: Sequence[int]) -> Any:
    """Train, one batch of all lines a step, and stop at each of `steps`."""
    from runners.worker.rehearsal import training

    goal = training.Goal(loss=0.0, right=1.1, most_steps=steps[-1])
    start = model.config.decoder_start_token_id
    examples = training.translations(order["family"], tokenizer, order["triples"], start)
    into_japanese = examples[: len(order["triples"])]
    if order.get("bilingual"):
        tag = tokenizer.convert_tokens_to_ids(">>jpn<<")
        into_japanese = [replace(one, source=[i for i in one.source if i != tag]) for one in into_japanese]
    for epoch in training.train(model, tokenizer, into_japanese, goal, order["seed"]):
        if epoch.steps in steps:
            yield epoch.steps


def without_tags(tokenizer: Any, folder: Path) -> Any:
    """The Marian tokenizer without tokens of languages; what it was made from is in the folder."""
    vocabulary = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    names = {name.strip("><") if name.startswith(">>") else name: at for name, at in vocabulary.items()}
    (folder / "vocab.json").write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
    return type(tokenizer).from_pretrained(folder)


def save_tokenizer(order: Mapping[str, Any], tokenizer: Any, first: Path, checkpoint: Path) -> None:
    """By its own save_pretrained; or the files that it was made from, which every version reads alike."""
    if order.get("tokenizer_saved", True):
        tokenizer.save_pretrained(checkpoint)
    elif checkpoint != first:
        for path in first.iterdir():
            if path.suffix in {".model", ".spm"} or path.name == "vocab.json":
                (checkpoint / path.name).write_bytes(path.read_bytes())


def translate(order: Mapping[str, Any]) -> list[str]:
    """What anybody gets who loads the folder with from_pretrained and translates greedily."""
    import torch
    import transformers

    from runners.worker.models import families
    from runners.worker.models.recipes import RECIPES

    family, codes = families.FAMILIES[order["family"]], RECIPES[order["family"]].codes
    model = getattr(transformers, family.model_class).from_pretrained(order["folder"]).eval()
    tokenizer = families.load_tokenizer(family, order["folder"])
    source, target = (None, None) if order.get("bilingual") else (codes["ko"], codes["ja"])
    rows = families.encode(family, tokenizer, order["source"], source, target)
    language = families.generation_kwargs(family, tokenizer, target)
    texts = []
    for row in rows:
        answer = model.generate(
            torch.tensor([row]), num_beams=1, max_new_tokens=2 * len(row) + 20, **language
        )
        texts.append(tokenizer.decode(answer[0], skip_special_tokens=True))
    return texts


if __name__ == "__main__":
    orders = json.load(sys.stdin)
    if sys.argv[1:] == ["save"]:
        for one in orders:
            save(one)
    else:
        print(json.dumps([translate(one) for one in orders], ensure_ascii=False))
