from guards.preflight import pretrained_only_model as guard
from ledger.evidence.preflight import ModelUse
from ledger.findings import Severity
from ledger.models.catalog import model_kind

CC25 = "facebook/mbart-large-cc25"
MANY_TO_MANY = "facebook/mbart-large-50-many-to-many-mmt"


def test_a_pretrained_only_model_is_warned_of():
    (finding,) = guard.inspect(ModelUse("generation", CC25), model_kind(CC25))
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith(f"{CC25} is only pretrained: mBART-cc25 learned only to restore")
    assert finding.message.endswith("and this run does not fine-tune it")


def test_a_translation_model_passes():
    assert list(guard.inspect(ModelUse("generation", MANY_TO_MANY), model_kind(MANY_TO_MANY))) == []


def test_a_task_that_trains_the_model_first_passes():
    assert list(guard.inspect(ModelUse("training", CC25), model_kind(CC25))) == []
