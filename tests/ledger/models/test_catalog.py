import pytest

from ledger.models.catalog import model_kind


@pytest.mark.parametrize(
    "name",
    [
        "facebook/mbart-large-cc25",
        "facebook/mbart-large-50",
        "google/mt5-base",
        "google/umt5-small",
        "google/byt5-xl",
        "google/t5-v1_1-large",
        "google/t5-efficient-tiny-nl2",
        "facebook/bart-base",
        "facebook/bart-large",
        "hyunwoongko/kobart",
        "gogamza/kobart-base-v2",
        "/srv/models/mbart-large-cc25/",
        "Facebook/MBART-large-cc25",
    ],
)
def test_known_to_be_pretrained_only(name):
    kind = model_kind(name)
    assert kind.pretrained_only
    assert kind.model == name
    assert kind.why


@pytest.mark.parametrize(
    "name",
    [
        "facebook/mbart-large-50-many-to-many-mmt",
        "facebook/mbart-large-50-one-to-many-mmt",
        "facebook/mbart-large-en-ro",
        "facebook/nllb-200-3.3B",
        "facebook/nllb-200-distilled-600M",
        "facebook/m2m100_1.2B",
        "Helsinki-NLP/opus-mt-ko-en",
        "facebook/bart-large-cnn",
        "google-t5/t5-base",
        "t5-small",
        "google/flan-t5-base",
        "me/mbart-large-cc25-finetuned-ko-ja",
        "me/mt5-base-ko-ja",
        "me/t5-efficient-tiny-finetuned-ko-ja",
        "checkpoint-6000",
        "",
    ],
)
def test_not_said_to_be_pretrained_only(name):
    assert not model_kind(name).pretrained_only
