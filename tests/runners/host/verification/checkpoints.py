"""Makes tiny checkpoints as a training run would leave them, evidence included. No training: random weights
that give each line its own text (`tiny.make_copier`).

Run as a script by the interpreter whose transformers is to write them:
`python checkpoints.py FOLDER FAMILY…` writes FOLDER/FAMILY/checkpoint-20. It reads the text from stdin,
a JSON array of [source, reference] lines.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[4]))
sys.path.insert(0, str(Path(__file__).parents[2]))

from tiny import build

from runners.worker.evidence.probe_inputs import ProbeLanguages, ProbeText
from runners.worker.evidence.recorder import EvidenceRecorder
from runners.worker.models.families import FAMILIES, load_model, load_tokenizer

RUN = "exp10-abc123"
STEP = 20
CODES = {
    "nllb": ("kor_Hang", "jpn_Jpan"),
    "mbart50": ("ko_KR", "ja_XX"),
    "mbart": ("ko_KR", "ja_XX"),
    "m2m100": ("ko", "ja"),
    "marian": (None, "jpn"),
    "t5": ("Korean", "Japanese"),
}


def save(folder: Path, name: str, pairs: list[list[str]], step: int = STEP) -> Path:
    """FOLDER/checkpoint-STEP: what `save_pretrained` and a witness leave of a model in training."""
    import torch

    torch.set_num_threads(1)
    family, checkpoint = FAMILIES[name], folder / f"checkpoint-{step}"
    build(family, folder / "base", [line for pair in pairs for line in pair])
    model, _ = load_model(family, str(folder / "base"), "float32", "cpu")
    tokenizer = load_tokenizer(family, str(folder / "base"))
    model.train()
    text = ProbeText(tuple(pair[0] for pair in pairs), tuple(pair[1] for pair in pairs))
    witness = EvidenceRecorder(tokenizer, text, ProbeLanguages(*CODES[name], "ja"), run=RUN)
    seen = witness.observe(model, step)
    assert not seen.snapshot["unseen"], seen.snapshot["unseen"]
    model.save_pretrained(checkpoint)
    tokenizer.save_pretrained(checkpoint)
    state = {"global_step": step, "max_steps": step, "log_history": [], "best_metric": None}
    (checkpoint / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    witness.write(checkpoint, seen)
    return checkpoint


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    lines = json.load(sys.stdin)
    for one in names:
        save(Path(root) / one, one, lines)
