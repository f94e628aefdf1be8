"""Records evidence of the checkpoints of every Lightning Trainer in this process.

A `.ckpt` is one pickled file. Where the module contains a model of transformers, the evidence is that of the
model: tensors, a probe batch, a sample. Of any other module it is the digests of its state dict. Loops,
optimizers and everything else in the file are not compared.
"""

import functools
import importlib
import pickle
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runners.attach.channel import Channel
from runners.attach.dataset_text import make_recorder
from runners.attach.snapshots import Snapshots
from runners.attach.tokenizer_search import find_tokenizer, first_loader
from runners.worker.evidence import lightning_checkpoint
from runners.worker.evidence.recorder import CapturedEvidence, EvidenceRecorder, save_evidence
from runners.worker.evidence.trace import TrainingTrace
from runners.worker.layout import FOLDER
from runners.worker.messages import AttachedTraining, Step


def attach(module: Any, folder: str) -> None:
    """Add a LightningCheckpointCallback to every Trainer of this module made from now on."""
    callbacks = importlib.import_module(module.__name__.partition(".trainer.")[0] + ".callbacks")
    callback_class = type(
        "LightningCheckpointCallback",
        (LightningCheckpointCallback, callbacks.Callback),
        {"channel": Channel(folder)},
    )
    initialize, save_checkpoint = module.Trainer.__init__, module.Trainer.save_checkpoint

    @functools.wraps(initialize)
    def initialize_recorded(self: Any, *args: Any, **kwargs: Any) -> None:
        initialize(self, *args, **kwargs)
        self.callbacks.append(callback_class())

    @functools.wraps(save_checkpoint)
    def save_recorded(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> None:
        began = time.monotonic()
        save_checkpoint(self, filepath, *args, **kwargs)
        seconds = time.monotonic() - began
        for callback in self.callbacks:
            if isinstance(callback, LightningCheckpointCallback):
                callback.record(self, Path(filepath).absolute(), seconds)

    module.Trainer.__init__ = initialize_recorded
    module.Trainer.save_checkpoint = save_recorded


class LightningCheckpointCallback:
    """Records evidence of each checkpoint, reports it, and ends the training on request.

    A mix-in for Lightning's Callback, from either of its two packages.
    """

    channel: Channel

    def __init__(self) -> None:
        self._snapshots = Snapshots(self.channel.snapshots, self.channel.run)
        self._recorders: dict[int, EvidenceRecorder] = {}
        self._trace = TrainingTrace()

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Report that a training starts, and which Python can reload its checkpoints."""
        if trainer.is_global_zero:
            folder = getattr(trainer.checkpoint_callback, "dirpath", None) or trainer.default_root_dir
            python, folder = Path(sys.executable), Path(folder).absolute()
            self.channel.send(AttachedTraining(python, folder, trainer.global_step, filtered=False))
            with self.channel.safely("whether the weights move is not watched"):
                if (model := _model_inside(pl_module)[1]) is not None:
                    self._trace.begin(model, trainer.global_step)

    def on_validation_batch_start(
        self, trainer: Any, pl_module: Any, _batch: Any, number: int, *_loader: Any
    ) -> None:
        """Remember the weights of an evaluation, which other callbacks may have exchanged before its first
        batch."""
        if number or trainer.sanity_checking or not trainer.is_global_zero:
            return
        with self.channel.safely("whether the saved weights are evaluated is not watched"):
            if (model := _model_inside(pl_module)[1]) is not None:
                self._trace.evaluate(model, trainer.global_step, None)

    def on_train_batch_end(self, trainer: Any, _module: Any, outputs: Any, *_batch: Any) -> None:
        """Report a point every few steps, and end the training on request, in all processes together."""
        with self.channel.safely("the training cannot be watched"):
            stop = self.channel.stop_requested()
            if trainer.world_size > 1:
                stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
            trainer.should_stop = trainer.should_stop or stop
            loss = outputs.get("loss") if isinstance(outputs, Mapping) else None
            if (
                loss is not None
                and trainer.is_global_zero
                and not trainer.global_step % trainer.log_every_n_steps
            ):
                self.channel.report_point(Step(trainer.global_step, loss=float(loss)))

    def record(self, trainer: Any, checkpoint: Path, seconds: float) -> None:
        """Record evidence of this checkpoint and report it; never raises."""
        if not trainer.is_global_zero:
            return
        with self.channel.safely(f"{checkpoint.name} was not verified"):
            self.channel.write_step(trainer.global_step)
            reason = _not_reloadable(checkpoint)
            if reason:
                self.channel.report_unverified(trainer.global_step, checkpoint, reason)
                return
            began = time.monotonic()
            snapshot = self._snapshots.link_file(checkpoint)
            if snapshot is None:
                raise OSError("its file system has no hard links")
            self._record(trainer, snapshot)
            self.channel.report_saved(
                trainer.global_step,
                checkpoint,
                snapshot,
                save_seconds=seconds,
                evidence_seconds=time.monotonic() - began,
                python=Path(sys.executable),
            )

    def _record(self, trainer: Any, snapshot: Path) -> None:
        module = _saved_module(trainer)
        prefix, model = _model_inside(module)
        lightning_checkpoint.write_note(snapshot, snapshot.name, prefix)
        if model is None:
            origin = {"run": self.channel.run, "environment": self.channel.environment}
            evidence = lightning_checkpoint.snapshot_of(
                module.state_dict(), {**origin, "step": trainer.global_step}
            )
            save_evidence(snapshot, CapturedEvidence(evidence, {}, {}, 0.0))
            return
        export = snapshot / FOLDER / lightning_checkpoint.EXPORT
        loader = first_loader(trainer.train_dataloader)
        read = (getattr(loader, "collate_fn", None), getattr(loader, "dataset", None))
        tokenizer = find_tokenizer(module, getattr(trainer, "datamodule", None), *read)
        model.config.save_pretrained(export)
        if getattr(model, "generation_config", None) is not None:
            model.generation_config.save_pretrained(export)
        if tokenizer is not None:
            tokenizer.save_pretrained(export)
        if id(model) not in self._recorders:
            recorder = make_recorder(self.channel, loader, tokenizer, model, trace=self._trace)
            self._recorders[id(model)] = recorder
        recorder = self._recorders[id(model)]
        recorder.write(snapshot, recorder.observe(model, trainer.global_step))


def _saved_module(trainer: Any) -> Any:
    """The module whose weights a save holds: a callback that averages them has a module of its own."""
    averaged = (getattr(one, "_average_model", None) for one in trainer.callbacks)
    return next((one.module for one in averaged if one is not None), trainer.lightning_module)


def _model_inside(module: Any) -> tuple[str | None, Any]:
    """The first model of transformers in it that can be reloaded, and the prefix of its names."""
    if "transformers" not in sys.modules:
        return None, None
    from runners.attach.reloadability import not_reloadable

    for name, inside in module.named_modules():
        if name and not_reloadable(inside) is None:
            return f"{name}.", inside
    return None, None


def _not_reloadable(save: Path) -> str | None:
    """Why only the program itself can reload the file; None if anybody can."""
    if not save.is_file():
        return "it is not a single file (a distributed checkpoint)"
    try:
        lightning_checkpoint.load_state(save)
    except pickle.UnpicklingError:
        return f"it {lightning_checkpoint.PICKLED}"
    except KeyError:
        return "it contains no state_dict"
    return None
