"""Makes tiny model folders, one a family: random weights, and a tokenizer trained on real text.

Run as a script by the interpreter whose transformers is to write the folders:
`python tests/runners/tiny.py ROOT FAMILY…`. It reads the text from stdin, one sentence a line.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from runners.worker.models.families import FAMILIES, Family, load_tokenizer

sys.modules["sklearn"] = None  # transformers imports it, for seconds, where it is installed
PIECES = 1000
SPM_FILE = {"t5": "spiece.model"}
SIZES = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
SIZES |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
SIZES |= {"max_position_embeddings": 64}


def build(family: Family, folder: Path, sentences: list[str]) -> None:
    """Write tokenizer, config and weights of a tiny model into `folder`."""
    import torch
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    write_vocabulary(family, folder, sentences)
    tokenizer = new_tokenizer(family, folder)
    torch.manual_seed(7)
    model_class = getattr(transformers, family.model_class)
    model = model_class(model_class.config_class(**settings(family, tokenizer)))
    make_copier(model)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def make_copier(model) -> None:
    """Weights by which each line gets its own text: the decoder says what cross-attention looks at.

    With random weights a model says the same to every line, and a shifted line would go unseen.
    """
    import torch

    for name, weights in model.named_parameters():
        if name.endswith("bias") or "norm" in name or weights.dim() < 2:
            continue
        copies = any(part in name for part in ("encoder_attn", "EncDecAttention")) and any(
            part in name for part in (".v_proj", ".out_proj", ".v.", ".o.")
        )
        if copies:
            weights.data = 3 * torch.eye(*weights.shape)
        else:
            is_table = any(part in name for part in ("shared", "embed", "q_proj", "k_proj", ".q.", ".k."))
            torch.nn.init.normal_(weights, std=1.0 if is_table else 0.05)


def new_tokenizer(family: Family, folder: Path):
    """The tokenizer of files that no tokenizer has saved yet: NLLB and M2M100 must be given their codes."""
    if family.name not in {"nllb", "m2m100"}:
        return load_tokenizer(family, str(folder))
    import transformers

    tokenizer_class = getattr(transformers, family.tokenizer_class)
    module = sys.modules[tokenizer_class.__module__]
    codes = module.FAIRSEQ_LANGUAGE_CODES
    tokens = codes if family.name == "nllb" else [f"__{code}__" for code in codes["m2m100"]]
    tokenizer = tokenizer_class.from_pretrained(folder)
    is_new = transformers.__version__ >= "5"
    tokenizer.add_special_tokens(
        {"extra_special_tokens" if is_new else "additional_special_tokens": list(tokens)}
    )
    return tokenizer


def write_vocabulary(family: Family, folder: Path, sentences: list[str]) -> None:
    """Train SentencePiece and lay its files as the family's tokenizer class looks for them."""
    import sentencepiece

    ids = {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1} if family.name == "t5" else {}
    prefix = folder / "trained"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_prefix=str(prefix), vocab_size=PIECES, minloglevel=2,
        model_type="bpe" if family.name == "nllb" else "unigram", character_coverage=0.99,
        hard_vocab_limit=False, num_threads=1, **ids,
    )  # fmt: skip
    model = prefix.with_suffix(".model")
    pieces = [line.split("\t")[0] for line in prefix.with_suffix(".vocab").read_text("utf-8").splitlines()]
    prefix.with_suffix(".vocab").unlink()
    if family.name == "marian":
        (folder / "source.spm").write_bytes(model.read_bytes())
        model.rename(folder / "target.spm")
        pieces = [
            "</s>",
            "<unk>",
            *(p for p in pieces if p not in {"<s>", "</s>", "<unk>"}),
            ">>jpn<<",
            "<pad>",
        ]
    else:
        model.rename(folder / SPM_FILE.get(family.name, "sentencepiece.bpe.model"))
        pieces = ["<s>", "<pad>", "</s>", "<unk>", *(p for p in pieces if p not in {"<s>", "</s>", "<unk>"})]
    if family.name in {"marian", "m2m100"}:
        text = json.dumps({piece: number for number, piece in enumerate(pieces)}, ensure_ascii=False)
        (folder / "vocab.json").write_text(text, encoding="utf-8")


def settings(family: Family, tokenizer) -> dict:
    """The configuration of the tiny model."""
    size = max(len(tokenizer), max(tokenizer.get_vocab().values()) + 1)
    if family.name == "t5":
        return {"vocab_size": size, "d_model": 16, "d_ff": 32, "d_kv": 8, "num_layers": 1, "num_heads": 2,
                "decoder_start_token_id": 0}  # fmt: skip
    ids = {"pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    if family.name == "marian":
        return SIZES | ids | {"vocab_size": size, "decoder_start_token_id": tokenizer.pad_token_id,
                              "forced_eos_token_id": None}  # fmt: skip
    return SIZES | ids | {"vocab_size": size + 8, "decoder_start_token_id": 2, "forced_eos_token_id": None}


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    text = sys.stdin.read().splitlines()
    for name in names:
        build(FAMILIES[name], Path(root) / name, text)
