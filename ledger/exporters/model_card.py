"""A model card with its `model-index`: the scores and their signatures, written by huggingface_hub."""

from ledger.evidence.metrics import Metric
from ledger.exporters.markdown import OWN
from ledger.exporters.record import Record, refuse_rehearsal
from ledger.findings import Json
from ledger.utils.escape import code, escaped

# Names of metrics on the hub; it has none for the others.
# Neither the score of a checkpoint's sample nor an unsigned one of the script's own is published.
METRICS = {"bleu": "bleu", "chrf": "chrf"}
TASK = "translation"


def export(record: Record) -> str:
    """The card as Markdown with its YAML head. Raises LedgerError for a rehearsal."""
    from huggingface_hub import ModelCardData

    refuse_rehearsal(record, "and a model card must describe a real model")
    spec = record.spec
    languages = spec.get("languages") or {}
    data = ModelCardData(
        language=[code for code in (languages.get("source"), languages.get("target")) if code] or None,
        pipeline_tag=TASK,
        model_name=record.run.experiment,
        base_model=(spec.get("model") or {}).get("name"),
        eval_results=[
            _result(record, METRICS[name], metric)
            for name, metric in record.run.metrics.items()
            if name in METRICS
        ]
        or None,
        tags=[TASK],
    )
    return f"---\n{data.to_yaml()}\n---\n\n{_text(record)}\n\n{OWN}\n"


def _result(record: Record, kind: str, metric: Metric) -> Json:
    from huggingface_hub import EvalResult

    source = record.run.data.get("source")
    path = (source and source.path) or "unknown"
    return EvalResult(
        task_type=TASK,
        dataset_type=path,
        dataset_name=path,
        dataset_revision=f"sha256:{source.sha256}" if source and source.sha256 else None,
        metric_type=kind,
        metric_name=metric.signature.partition("|")[0] or kind,
        metric_value=metric.value,
        metric_args={"signature": metric.signature, "scale": list(metric.scale)},
        verified=False,  # on the hub this means: computed by the hub
    )


def _text(record: Record) -> str:
    parts = [
        escaped(f"# {record.run.experiment}"),
        escaped(record.run.title or ""),
        f"Recorded as {code(record.run.id)} on {record.run.time[:10]}; the guards' verdict: "
        f"{record.run.verdict or 'none'}.",
        *(
            escaped(f"- {finding.code}: {finding.message}")
            for finding in record.findings
            if finding.severity > 0
        ),
    ]
    return "\n\n".join(part for part in parts if part)
