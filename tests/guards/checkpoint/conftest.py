"""One good checkpoint, as its save and its reload tell of it: a Marian model with three tied names."""

import hashlib

import pytest

from ledger.evidence.metrics import Metric
from ledger.evidence.provenance import Origin
from ledger.evidence.snapshot import Effective, Forward, Sample, Snapshot, TokenizerFacts, Weights

SHARED = ("lm_head.weight", "model.decoder.embed_tokens.weight", "model.encoder.embed_tokens.weight")
OWN = (
    "final_logits_bias",
    "model.decoder.layers.0.fc1.weight",
    "model.decoder.layers.0.fc1.bias",
    "model.encoder.layers.0.fc1.weight",
    "model.encoder.layers.0.fc1.bias",
)
SIGNATURE = "nrefs:1|case:mixed|eff:no|tok:ko-mecab|smooth:exp|version:2.6.0"


def digest(text):
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


@pytest.fixture(scope="session")
def good():
    names = (*SHARED, *OWN)
    return Snapshot(
        weights=Weights(
            digests={name: digest("shared" if name in SHARED else name) for name in names},
            dtypes=dict.fromkeys(names, "float32"),
            shapes={name: (512,) if name.endswith("bias") else (512, 2048) for name in names},
            ties=(SHARED,),
        ),
        forward=Forward(loss=1.25, logits_digest=digest("logits"), dtype="float32", device="cpu"),
        sample=Sample(
            source=tuple(f"ソース{n}" for n in range(32)),
            output=tuple(f"출력 {n}" for n in range(32)),
            settings={"num_beams": 1, "max_new_tokens": 64},
            reference=tuple(f"참조 {n}" for n in range(32)),
            language="ko",
            bleu=Metric(61.0, SIGNATURE),
        ),
        tokenizer=TokenizerFacts(
            name="MarianTokenizer",
            size=32000,
            ids={"こんにちは": (41, 7, 0), "Hello, world!": (5, 6, 0)},
            special={"eos": 0, "pad": 31999, "mask": None},
            codes={">>jpn<<": 9},
        ),
        effective=Effective(
            model={"class": "MarianMTModel", "d_model": 512, "scale_embedding": True},
            generation={
                "decoder_start_token_id": 31999,
                "max_length": 512,
                "num_beams": 1,
                "use_cache": True,
            },
        ),
        origin=Origin(
            run="exp10-3fa91c",
            step=784,
            environment="sha256:mt",
            versions={"torch": "2.13.0", "transformers": "4.57.6"},
        ),
    )
