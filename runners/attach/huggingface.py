"""Records evidence of the checkpoints of every Hugging Face Trainer in this process, as the ledger's own
trainings do. Works with transformers 4.57 and 5.x.

Only the first process of a training records and reports; all of them end together on request.
"""

import functools
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from runners.attach.channel import Channel
from runners.attach.dataset_text import make_recorder
from runners.attach.reloadability import not_reloadable
from runners.attach.snapshots import CHECKPOINT, Snapshots, link_evidence, make_room
from runners.attach.tokenizer_search import find_tokenizer, is_tokenizer
from runners.worker.evidence.eval_context import unwrap
from runners.worker.evidence.recorder import EvidenceRecorder
from runners.worker.evidence.trace import TrainingTrace
from runners.worker.messages import AttachedTraining
from runners.worker.models.resolved_config import plain
from runners.worker.training.callback import is_last

TOGETHER = 2  # steps until all processes of a training have read what the first one wrote


def attach(module: Any, folder: str) -> None:
    """Add a TrainerCheckpointCallback to every Trainer of `transformers.trainer` made from now on."""
    TrainerCheckpointCallback.channel = Channel(folder)
    module.DEFAULT_CALLBACKS.append(TrainerCheckpointCallback)
    _extend(module.Trainer, "_save_checkpoint", _timed)
    _extend(module.Trainer, "save_model", _recorded)
    _extend(module.Trainer, "evaluation_loop", _traced)
    _extend(module.Trainer, "_load_optimizer_and_scheduler", _resumed)


class TrainerCheckpointCallback(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Records evidence of each checkpoint, reports it, and ends the training on request."""

    channel: Channel

    def __init__(self) -> None:
        self._snapshots = Snapshots(self.channel.snapshots, self.channel.run)
        self._recorder: EvidenceRecorder | None = None
        self._pending: tuple[str, Callable[[float], None]] | None = None  # a checkpoint not yet reported
        self._known: dict[str, Any] = {}
        self._trace = TrainingTrace()
        self.save_seconds = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Report that a training starts, and which Python can reload its checkpoints."""
        self._known = known
        if not state.is_world_process_zero:
            return
        with self.channel.safely("this training cannot be followed"):
            self.channel.reset_agreement()
            folder, filtered = Path(args.output_dir).absolute(), bool(args.logging_nan_inf_filter)
            self.channel.send(AttachedTraining(Path(sys.executable), folder, state.global_step, filtered))
        with self.channel.safely("whether the weights move is not watched"):
            if not is_sharded(args):
                self._trace.begin(unwrap(known["model"]), state.global_step, state.log_history)

    def on_step_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """End the training on request."""
        with self.channel.safely("the training cannot be stopped"):
            if self._shall_stop(args, state):
                control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Report one point of the training series."""
        if state.is_world_process_zero:
            with self.channel.safely("a point of the training series is missing"):
                self.channel.report_logs(state.global_step, known.get("logs") or {})

    def on_save(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        """Record evidence; it is written, and the checkpoint reported, while the training goes on."""
        self._known = known
        checkpoint = Path(args.output_dir).absolute() / f"checkpoint-{state.global_step}"
        self.record(args, state, checkpoint, goes_on=not is_last(state, control))

    def on_train_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Report the last checkpoint before the training ends."""
        self._finish()
        if state.is_world_process_zero:
            self.channel.write_step(state.global_step)

    def record_final(self, trainer: Any, checkpoint: Path) -> None:
        """Record evidence of a checkpoint that the script saved itself."""
        handler = trainer.callback_handler
        self._known = {
            "processing_class": getattr(trainer, "processing_class", None),
            "eval_dataloader": handler.eval_dataloader,
            "train_dataloader": handler.train_dataloader,
            **self._known,
            "model": trainer.model,
        }
        if getattr(trainer.args, "load_best_model_at_end", False):
            self._trace.replace()
        self.record(trainer.args, trainer.state, checkpoint, goes_on=False)

    def trace_resume(self, trainer: Any, checkpoint: Any) -> None:
        """Remember what is missing in the checkpoint from which the training is resumed."""
        with self.channel.safely("whether the training is resumed with all of its state is not watched"):
            scaler = getattr(trainer.accelerator, "scaler", None)
            skips_data = not getattr(trainer.args, "ignore_data_skip", False)
            folder = None if is_sharded(trainer.args) or checkpoint is None else Path(checkpoint)
            self._trace.resume(folder, scaled=scaler is not None, skips_data=skips_data)

    def trace_evaluation(self, trainer: Any) -> None:
        """Remember the weights and the generation settings of an evaluation that begins."""
        args, state = trainer.args, trainer.state
        with self.channel.safely("whether the saved weights are evaluated is not watched"):
            if state.is_world_process_zero and not is_sharded(args):
                generates = getattr(args, "predict_with_generate", False)
                settings = getattr(trainer, "_gen_kwargs", {}) if generates else None
                self._trace.evaluate(unwrap(trainer.model), state.global_step, settings)

    def record(self, args: Any, state: Any, checkpoint: Path, *, goes_on: bool) -> None:
        """Record evidence of this checkpoint and report it; never raises."""
        if not state.is_world_process_zero:
            return
        with self.channel.safely(f"{checkpoint.name} was not verified"):
            self.channel.write_step(state.global_step)
            reason = not_reloadable(unwrap(self._known["model"]))
            if reason:
                self.channel.report_unverified(state.global_step, checkpoint, reason)
                return
            began = time.monotonic()
            self._finish()
            waited = time.monotonic() - began
            make_room(checkpoint)
            snapshot = self._snapshots.link(checkpoint)
            report = partial(self._report, checkpoint, snapshot, state.global_step, self.save_seconds, waited)
            with self.channel.safely(f"no evidence was recorded for {checkpoint.name}"):
                if is_sharded(args):
                    raise NotImplementedError("its weights are spread over several devices (FSDP, DeepSpeed)")
                goes_on = goes_on and snapshot is not None
                self._record(args, state, snapshot or checkpoint, report, goes_on=goes_on)
                return
            report(0.0)

    def _record(
        self, args: Any, state: Any, place: Path, report: Callable[[float], None], *, goes_on: bool
    ) -> None:
        model = unwrap(self._known["model"])
        if self._recorder is None:
            self._recorder = self._make_recorder(args, model)
        if goes_on and model.device.type == "cpu":
            self._pending = place.name, report
            self._recorder.keep(model, state.global_step, place, report)
        else:  # the training may need the GPU's free memory later: make no copy of the model
            report(self._recorder.write(place, self._recorder.observe(model, state.global_step)))

    def _finish(self) -> None:
        """Wait until the last checkpoint is reported; if recording failed, without evidence."""
        pending, self._pending = self._pending, None
        if pending is None or self._recorder is None:
            return
        name, report = pending
        with self.channel.safely(f"no evidence was recorded for {name}"):
            self._recorder.finish()
            return
        with self.channel.safely(f"{name} was not verified"):
            report(0.0)

    def _make_recorder(self, args: Any, model: Any) -> EvidenceRecorder:
        loader = self._known.get("eval_dataloader") or self._known.get("train_dataloader")
        tokenizer = _tokenizer(self._known, loader)
        training = plain(args.to_dict())
        return make_recorder(self.channel, loader, tokenizer, model, training, trace=self._trace)

    def _report(  # noqa: PLR0917 - bound by `record`, but for the last
        self,
        checkpoint: Path,
        snapshot: Path | None,
        step: int,
        save_seconds: float,
        waited: float,
        recording: float,
    ) -> None:
        if snapshot is not None:
            link_evidence(snapshot, checkpoint)
        self.channel.report_saved(
            step,
            checkpoint,
            snapshot or checkpoint,
            save_seconds=save_seconds,
            evidence_seconds=waited + recording,
            python=Path(sys.executable),
        )

    def _shall_stop(self, args: Any, state: Any) -> bool:
        """At once with one process; with several at a step that all of them know before they reach it.

        They share a folder on one machine only: a training on several machines is not stopped.
        """
        if args.world_size <= 1:
            return self.channel.stop_requested()
        if int(os.environ.get("LOCAL_WORLD_SIZE", "0")) != args.world_size:
            return False
        if state.is_world_process_zero and self.channel.stop_requested():
            self.channel.agree_to_stop_at(state.global_step + TOGETHER)
        agreed = self.channel.stops_at()
        return agreed is not None and state.global_step >= agreed


def is_sharded(args: Any) -> bool:
    """Whether this process has only a part of each tensor."""
    return bool(getattr(args, "fsdp", None) or getattr(args, "deepspeed", None))


def _tokenizer(known: dict[str, Any], loader: Any) -> Any:
    """The trainer's tokenizer, or that of its collator or data set."""
    own = known.get("processing_class") or known.get("tokenizer")
    if own is not None:
        return own if is_tokenizer(own) else getattr(own, "tokenizer", None)  # that of a processor
    return find_tokenizer(getattr(loader, "collate_fn", None), getattr(loader, "dataset", None))


def _extend(owner: Any, name: str, extended: Callable[[Any], Any]) -> None:
    method = getattr(owner, name, None)
    if method is not None:
        setattr(owner, name, functools.wraps(method)(extended(method)))


def _timed(save_checkpoint: Any) -> Any:
    """Wrap `_save_checkpoint` to time it for the TrainerCheckpointCallback."""

    def save(self: Any, *args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        result = save_checkpoint(self, *args, **kwargs)
        for callback in _callbacks_of(self):
            callback.save_seconds = time.monotonic() - began
        return result

    return save


def _recorded(save_model: Any) -> Any:
    """Wrap `save_model`, which scripts call at the end; other checkpoints are recorded by `on_save`."""

    def save(self: Any, output_dir: Any = None, _internal_call: bool = False, **kwargs: Any) -> Any:
        began = time.monotonic()
        result = save_model(self, output_dir, _internal_call, **kwargs)
        folder = Path(output_dir if output_dir is not None else self.args.output_dir).absolute()
        if not _internal_call and not CHECKPOINT.fullmatch(folder.name):
            for callback in _callbacks_of(self):
                callback.save_seconds = time.monotonic() - began
                callback.record_final(self, folder)
        return result

    return save


def _traced(evaluation_loop: Any) -> Any:
    """The loop over an evaluation's batches, whose weights and settings are remembered."""

    def evaluate(self: Any, dataloader: Any, description: str, *args: Any, **kwargs: Any) -> Any:
        if description == "Evaluation":
            for callback in _callbacks_of(self):
                callback.trace_evaluation(self)
        return evaluation_loop(self, dataloader, description, *args, **kwargs)

    return evaluate


def _resumed(load_state: Any) -> Any:
    """The method that loads what there is of the optimizer's state before a training starts."""

    def load(self: Any, checkpoint: Any, *args: Any, **kwargs: Any) -> Any:
        for callback in _callbacks_of(self):
            callback.trace_resume(self, checkpoint)
        return load_state(self, checkpoint, *args, **kwargs)

    return load


def _callbacks_of(trainer: Any) -> list[TrainerCheckpointCallback]:
    return [one for one in trainer.callback_handler.callbacks if isinstance(one, TrainerCheckpointCallback)]
