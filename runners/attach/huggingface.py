"""Guards the saves of every Hugging Face Trainer in this process, with the evidence that the ledger's own
trainings keep. For transformers 4.57 and 5.x alike.

Only the first process of a training looks and tells; all of them end together where that is asked for.
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
from runners.attach.dataset_text import languages_of, text_of
from runners.attach.reloadability import not_reloadable
from runners.attach.snapshots import CHECKPOINT, Snapshots, link_evidence, make_room
from runners.worker.evidence.eval_context import unwrap
from runners.worker.evidence.recorder import EvidenceRecorder
from runners.worker.models.resolved_config import plain
from runners.worker.training.callback import SERIES, number

TOGETHER = 2  # steps until all processes of a training have read what the first one wrote


def attach(module: Any, folder: str) -> None:
    """Let every Trainer of `transformers.trainer`, made from now on, have a TrainerCheckpointCallback."""
    TrainerCheckpointCallback.channel = Channel(folder)
    module.DEFAULT_CALLBACKS.append(TrainerCheckpointCallback)
    _extend(module.Trainer, "_save_checkpoint", _timed)
    _extend(module.Trainer, "save_model", _guarded)


class TrainerCheckpointCallback(TrainerCallback):  # type: ignore[misc]  # transformers has no types
    """Keeps evidence of each save, tells the ledger of it, and ends the training where that asks for it."""

    channel: Channel

    def __init__(self) -> None:
        self._snapshots = Snapshots(self.channel.snapshots, self.channel.run)
        self._witness: EvidenceRecorder | None = None
        self._kept: tuple[str, Callable[[float], None]] | None = None  # the save that is not settled yet
        self._known: dict[str, Any] = {}
        self.save_seconds = 0.0

    def on_train_begin(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """Tell that a training begins, and which Python can reload what it saves."""
        self._known = known
        if not state.is_world_process_zero:
            return
        with self.channel.safely("the training cannot be watched"):
            self.channel.reset_agreement()
            self.channel.send(
                "training",
                python=sys.executable,
                folder=str(Path(args.output_dir).absolute()),
                step=state.global_step,
                filtered=bool(args.logging_nan_inf_filter),
            )

    def on_step_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """End the training where that was asked for."""
        with self.channel.safely("the training cannot be stopped"):
            if self._shall_stop(args, state):
                control.should_training_stop = True

    def on_log(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """One point of the series."""
        logs = known.get("logs") or {}
        if not state.is_world_process_zero:
            return
        with self.channel.safely("a point of the series is missing"):
            point = {name: number(logs[key]) for key, name in SERIES.items() if key in logs}
            if point:
                self.channel.send("step", step=state.global_step, **point)
                self.channel.tell_step(state.global_step)

    def on_save(self, args: Any, state: Any, control: Any, **known: Any) -> None:
        """Look at the model; what was seen is written and told while the training goes on."""
        self._known = known
        save = Path(args.output_dir).absolute() / f"checkpoint-{state.global_step}"
        goes_on = not control.should_training_stop and state.global_step < state.max_steps
        self.guard(args, state, save, goes_on=goes_on)

    def on_train_end(self, args: Any, state: Any, control: Any, **known: Any) -> None:  # noqa: ARG002
        """No training ends before its last save is told."""
        self._settle()
        if state.is_world_process_zero:
            self.channel.tell_step(state.global_step)

    def guard_final(self, trainer: Any, save: Path) -> None:
        """A save that the script asked for, of the model as it is now."""
        handler = trainer.callback_handler
        self._known = {
            "processing_class": getattr(trainer, "processing_class", None),
            "eval_dataloader": handler.eval_dataloader,
            "train_dataloader": handler.train_dataloader,
            **self._known,
            "model": trainer.model,
        }
        self.guard(trainer.args, trainer.state, save, goes_on=False)

    def guard(self, args: Any, state: Any, save: Path, *, goes_on: bool) -> None:
        """Keep evidence of this save and tell of it; never raises."""
        if not state.is_world_process_zero:
            return
        with self.channel.safely(f"{save.name} was not verified"):
            self.channel.tell_step(state.global_step)
            model = unwrap(self._known["model"])
            why_not = not_reloadable(model)
            if why_not:
                self.channel.send("unverified", step=state.global_step, folder=str(save), reason=why_not)
                return
            began = time.monotonic()
            self._settle()
            waited = time.monotonic() - began
            make_room(save)
            snapshot = self._snapshots.link(save)
            told = {"step": state.global_step, "save_seconds": self.save_seconds, "waited": waited}
            tell = partial(self._tell, save, snapshot, **told)
            with self.channel.safely(f"no evidence was kept of {save.name}"):
                if is_sharded(args):
                    raise NotImplementedError("its weights are spread over several devices (FSDP, DeepSpeed)")
                self._keep(args, state, snapshot or save, tell, goes_on=goes_on and snapshot is not None)
                return
            tell(0.0)

    def _keep(
        self, args: Any, state: Any, place: Path, tell: Callable[[float], None], *, goes_on: bool
    ) -> None:
        model = unwrap(self._known["model"])
        if self._witness is None:
            self._witness = self._make_witness(args, model)
        if goes_on and model.device.type == "cpu":
            self._kept = place.name, tell
            self._witness.keep(model, state.global_step, place, tell)
        else:  # a GPU may have no room for a copy of the model that the training will not miss later
            tell(self._witness.write(place, self._witness.observe(model, state.global_step)))

    def _settle(self) -> None:
        """Wait until the last save is told; one whose evidence failed is told without."""
        kept, self._kept = self._kept, None
        if kept is None or self._witness is None:
            return
        name, tell = kept
        with self.channel.safely(f"no evidence was kept of {name}"):
            self._witness.finish()
            return
        with self.channel.safely(f"{name} was not verified"):
            tell(0.0)

    def _make_witness(self, args: Any, model: Any) -> EvidenceRecorder:
        loader = self._known.get("eval_dataloader") or self._known.get("train_dataloader")
        tokenizer = _tokenizer(self._known, loader)
        text = text_of(loader, tokenizer, seq2seq=bool(model.config.is_encoder_decoder))
        return EvidenceRecorder(
            tokenizer,
            text,
            languages_of(tokenizer, text),
            run=self.channel.run,
            environment=self.channel.environment,
            training=plain(args.to_dict()),
            on_failure=self.channel.note_failure,
        )

    def _tell(
        self, save: Path, snapshot: Path | None, held: float, *, step: int, save_seconds: float, waited: float
    ) -> None:
        if snapshot is not None:
            link_evidence(snapshot, save)
        self.channel.send(
            "saved",
            python=sys.executable,
            step=step,
            folder=str(save),
            snapshot=str(snapshot or save),
            save_seconds=round(save_seconds, 4),
            evidence_seconds=round(waited + held, 4),
        )

    def _shall_stop(self, args: Any, state: Any) -> bool:
        """At once where there is one process; else at a step that all of them learn of before they reach it.

        They share a folder on one machine only: a training on several is not stopped.
        """
        if args.world_size <= 1:
            return self.channel.asked_to_stop()
        if int(os.environ.get("LOCAL_WORLD_SIZE", "0")) != args.world_size:
            return False
        if state.is_world_process_zero and self.channel.asked_to_stop():
            self.channel.agree_to_stop_at(state.global_step + TOGETHER)
        agreed = self.channel.stops_at()
        return agreed is not None and state.global_step >= agreed


def is_sharded(args: Any) -> bool:
    """Whether this process holds a part of each tensor only."""
    return bool(getattr(args, "fsdp", None) or getattr(args, "deepspeed", None))


def _tokenizer(known: dict[str, Any], loader: Any) -> Any:
    """The trainer's, or its collator's, which is where the trainer looks for one to save, too."""
    own = known.get("processing_class") or known.get("tokenizer")
    collator = getattr(loader, "collate_fn", None)
    collator = getattr(collator, "data_collator", collator)
    found = own if own is not None else getattr(collator, "tokenizer", None)
    return found if hasattr(found, "batch_decode") and hasattr(found, "get_vocab") else None


def _extend(owner: Any, name: str, extended: Callable[[Any], Any]) -> None:
    method = getattr(owner, name, None)
    if method is not None:
        setattr(owner, name, functools.wraps(method)(extended(method)))


def _timed(save_checkpoint: Any) -> Any:
    """The trainer's own save of a checkpoint, whose seconds its TrainerCheckpointCallback learns."""

    def save(self: Any, *args: Any, **kwargs: Any) -> Any:
        began = time.monotonic()
        result = save_checkpoint(self, *args, **kwargs)
        for guard in _guards_of(self):
            guard.save_seconds = time.monotonic() - began
        return result

    return save


def _guarded(save_model: Any) -> Any:
    """The save that a script asks for itself, at the end as a rule; a checkpoint's comes by `on_save`."""

    def save(self: Any, output_dir: Any = None, _internal_call: bool = False, **kwargs: Any) -> Any:
        began = time.monotonic()
        result = save_model(self, output_dir, _internal_call, **kwargs)
        folder = Path(output_dir if output_dir is not None else self.args.output_dir).absolute()
        if not _internal_call and not CHECKPOINT.fullmatch(folder.name):
            for guard in _guards_of(self):
                guard.save_seconds = time.monotonic() - began
                guard.guard_final(self, folder)
        return result

    return save


def _guards_of(trainer: Any) -> list[TrainerCheckpointCallback]:
    return [one for one in trainer.callback_handler.callbacks if isinstance(one, TrainerCheckpointCallback)]
