"""The `train` job: Seq2SeqTrainer on parallel text, with evidence of each checkpoint.

Works with transformers 4.57 and 5.x. Seeds and deterministic kernels are set before anything is created, so
that a rehearsal is repeatable.
"""

from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from transformers import DataCollatorForSeq2Seq, Seq2SeqTrainer, Seq2SeqTrainingArguments, set_seed

from runners.worker.error_messages import explain, is_out_of_memory
from runners.worker.errors import JobError
from runners.worker.evidence.probe_inputs import ProbeLanguages, ProbeText
from runners.worker.evidence.recorder import EvidenceRecorder
from runners.worker.evidence.snapshot import versions
from runners.worker.imported_packages import imported_distributions
from runners.worker.messages import Train, TrainingResult
from runners.worker.models import loading
from runners.worker.models.resolved_config import (
    describe_model,
    describe_tokenizer,
    plain,
    resolve_generation,
)
from runners.worker.protocol import Events
from runners.worker.training import model as training_model
from runners.worker.training.callback import EvidenceCallback
from runners.worker.training.data import encode, read_pair
from runners.worker.training.reporter import WorkerReporter

# Where files go and how a run is shown does not change what is trained; access tokens are secret.
NOT_SETTINGS = frozenset(
    {"output_dir", "logging_dir", "run_name", "resume_from_checkpoint", "hub_token", "push_to_hub_token"}
)


def train(job: Train, events: Events) -> TrainingResult:
    """Train, or continue from the checkpoint `resume`, until the end or until the file `stop` exists.

    Reports `Step` and `SavedCheckpoint`. Raises JobError, with the step where memory ran out.
    """
    _make_deterministic(job)
    text, validation = read_pair(job.train), read_pair(job.validation)
    events.progress("making tokenizer and model", 0, 1)
    family, tokenizer, model = training_model.prepare(job, [*text[0], *text[1]])
    events.progress("making tokenizer and model", 1, 1)
    arguments = _arguments(job)
    callback = _callback(job, tokenizer, validation, arguments, events)
    trainer = EvidenceTrainer(
        model=model,
        args=arguments,
        train_dataset=encode(job, family, tokenizer, text, events),
        eval_dataset=encode(job, family, tokenizer, validation, events) if arguments.do_eval else None,
        data_collator=DataCollatorForSeq2Seq(tokenizer, model=model),
        processing_class=tokenizer,
        callbacks=[callback],
    )
    trainer.evidence = callback
    callback.amp_scale = trainer.amp_scale
    _run(trainer, job.resume, events)
    return TrainingResult(
        last_step=trainer.state.global_step,
        stopped=callback.stopped,
        parameters=model.num_parameters(),
        effective=_effective(job, family.name, model, tokenizer, arguments),
        imported=imported_distributions(),
    )


class EvidenceTrainer(Seq2SeqTrainer):  # type: ignore[misc]  # transformers has no types
    """Seq2SeqTrainer that saves checkpoints through an EvidenceCallback."""

    evidence: EvidenceCallback

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        self.evidence.save(
            lambda: super(EvidenceTrainer, self)._save_checkpoint(model, trial),
            Path(self.args.output_dir),
            self.state.global_step,
        )

    def amp_scale(self) -> float | None:
        """The factor that float16 gradients are scaled by; None without one."""
        scaler = getattr(self.accelerator, "scaler", None)
        return float(scaler.get_scale()) if scaler is not None else None


def _run(trainer: EvidenceTrainer, resume: Path | None, events: Events) -> None:
    try:
        trainer.train(resume_from_checkpoint=resume and str(resume))
    except Exception as error:
        _report_last_checkpoint(trainer.evidence, events)
        if not is_out_of_memory(error):
            raise
        message = f"out of memory at step {trainer.state.global_step + 1}: {explain(error).message}"
        hint = "halve per_device_train_batch_size and double gradient_accumulation_steps, then --resume"
        raise JobError("out of memory", message, hint) from error


def _report_last_checkpoint(evidence: EvidenceCallback, events: Events) -> None:
    """After a failure, too, every checkpoint is reported: the training may be resumed from it."""
    try:
        evidence.finish()
    except JobError as error:
        events.notice(error.message)


def _make_deterministic(job: Train) -> None:
    if job.threads:
        torch.set_num_threads(job.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    set_seed(job.seed)


def _arguments(job: Train) -> Any:
    """The TrainingArguments: those of the spec, and those that every run has."""
    given = dict(job.arguments)
    evaluates = given.get("eval_steps") is not None
    known = {field.name for field in fields(Seq2SeqTrainingArguments)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise JobError("unknown argument", f"this transformers has no argument {', '.join(unknown)}")
    on_cpu = loading.choose_device(job.device) == "cpu"
    if given.get("fp16") and on_cpu:
        message = "fp16 needs a GPU, and there is none"
        raise JobError("no cuda", message, "train on a GPU, or with --set training.fp16=false")
    return Seq2SeqTrainingArguments(
        output_dir=str(job.folder),
        seed=job.seed,
        data_seed=job.seed,
        use_cpu=on_cpu,
        save_strategy="steps",
        eval_strategy="steps" if evaluates else "no",
        do_eval=evaluates,
        logging_nan_inf_filter=False,  # the filter would replace a NaN by the last finite loss
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        **given,
    )


def _callback(
    job: Train, tokenizer: Any, text: tuple[list[str], list[str]], arguments: Any, events: Events
) -> EvidenceCallback:
    recorder = EvidenceRecorder(
        tokenizer,
        ProbeText(tuple(text[0]), tuple(text[1])),
        ProbeLanguages(job.source_code, job.target_code, job.language),
        run=job.run,
        environment=job.environment,
        training=_settings(arguments),
        seed=job.seed,
    )
    return EvidenceCallback(recorder, WorkerReporter(job, events))


def _settings(arguments: Any) -> dict[str, Any]:
    settings: dict[str, Any] = plain(arguments.to_dict())
    return {key: value for key, value in settings.items() if key not in NOT_SETTINGS and value is not None}


def _effective(job: Train, family: str, model: Any, tokenizer: Any, arguments: Any) -> dict[str, Any]:
    return {
        "family": family,
        "languages": {"source": job.source_code, "target": job.target_code},
        **describe_model(model, resolve_generation(model, {})),
        "tokenizer": describe_tokenizer(tokenizer),
        "training": _settings(arguments),
        "runtime": {
            "device": torch.cuda.get_device_name() if model.device.type == "cuda" else model.device.type,
            "threads": torch.get_num_threads(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
            **versions(),
        },
    }
