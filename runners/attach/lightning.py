"""Guards the checkpoints of every Lightning Trainer in this process.

A `.ckpt` is one pickled file. Where the module holds a model of transformers, the evidence is that of the
model: tensors, a probe batch, a sample. Of any other module it is the digests of its state dict. Loops,
optimizers and whatever else is in the file are not compared.
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
from runners.attach.snapshots import Snapshots
from runners.worker.evidence import lightning_checkpoint
from runners.worker.evidence.recorder import CapturedEvidence, EvidenceRecorder, save_evidence


def attach(module: Any, folder: str) -> None:
    """Give every Trainer of this module a LightningCheckpointCallback from now on."""
    callbacks = importlib.import_module(module.__name__.partition(".trainer.")[0] + ".callbacks")
    guard_class = type(
        "LightningCheckpointCallback",
        (LightningCheckpointCallback, callbacks.Callback),
        {"channel": Channel(folder)},
    )
    initialize, save_checkpoint = module.Trainer.__init__, module.Trainer.save_checkpoint

    @functools.wraps(initialize)
    def initialize_guarded(self: Any, *args: Any, **kwargs: Any) -> None:
        initialize(self, *args, **kwargs)
        self.callbacks.append(guard_class())

    @functools.wraps(save_checkpoint)
    def save_guarded(self: Any, filepath: Any, *args: Any, **kwargs: Any) -> None:
        began = time.monotonic()
        save_checkpoint(self, filepath, *args, **kwargs)
        seconds = time.monotonic() - began
        for guard in self.callbacks:
            if isinstance(guard, LightningCheckpointCallback):
                guard.guard(self, Path(filepath).absolute(), seconds)

    module.Trainer.__init__ = initialize_guarded
    module.Trainer.save_checkpoint = save_guarded


class LightningCheckpointCallback:
    """Keeps evidence of each checkpoint, tells the ledger of it, ends the training where that asks for it.

    Mixed into Lightning's Callback, of whichever of its two packages is there.
    """

    channel: Channel

    def __init__(self) -> None:
        self._snapshots = Snapshots(self.channel.snapshots, self.channel.run)
        self._witnesses: dict[int, EvidenceRecorder] = {}

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Tell that a training begins, and which Python can reload what it saves."""
        if trainer.is_global_zero:
            folder = getattr(trainer.checkpoint_callback, "dirpath", None) or trainer.default_root_dir
            self.channel.send(
                "training",
                python=sys.executable,
                folder=str(Path(folder).absolute()),
                step=trainer.global_step,
                filtered=False,
            )

    def on_train_batch_end(self, trainer: Any, _module: Any, outputs: Any, *_batch: Any) -> None:
        """End the training where that was asked for, all processes together; tell a point now and then."""
        with self.channel.safely("the training cannot be watched"):
            stop = self.channel.asked_to_stop()
            if trainer.world_size > 1:
                stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
            trainer.should_stop = trainer.should_stop or stop
            loss = outputs.get("loss") if isinstance(outputs, Mapping) else None
            if (
                loss is not None
                and trainer.is_global_zero
                and not trainer.global_step % trainer.log_every_n_steps
            ):
                from runners.worker.training.callback import number

                self.channel.send("step", step=trainer.global_step, loss=number(loss))
                self.channel.tell_step(trainer.global_step)

    def guard(self, trainer: Any, save: Path, seconds: float) -> None:
        """Keep evidence of this save and tell of it; never raises."""
        if not trainer.is_global_zero:
            return
        with self.channel.safely(f"{save.name} was not verified"):
            self.channel.tell_step(trainer.global_step)
            why_not = _not_reloadable(save)
            if why_not:
                self.channel.send("unverified", step=trainer.global_step, folder=str(save), reason=why_not)
                return
            began = time.monotonic()
            snapshot = self._snapshots.link_file(save)
            if snapshot is None:
                raise OSError("its file system has no hard links")
            self._keep(trainer, snapshot)
            self.channel.send(
                "saved",
                python=sys.executable,
                step=trainer.global_step,
                folder=str(save),
                snapshot=str(snapshot),
                save_seconds=round(seconds, 4),
                evidence_seconds=round(time.monotonic() - began, 4),
            )

    def _keep(self, trainer: Any, snapshot: Path) -> None:
        module = trainer.lightning_module
        prefix, model = _model_inside(module)
        lightning_checkpoint.write_note(snapshot, snapshot.name, prefix)
        if model is None:
            origin = {
                "run": self.channel.run,
                "environment": self.channel.environment,
                "step": trainer.global_step,
            }
            save_evidence(
                snapshot,
                CapturedEvidence(lightning_checkpoint.snapshot_of(module.state_dict(), origin), {}, {}, 0.0),
            )
            return
        export = snapshot / lightning_checkpoint.OURS / lightning_checkpoint.EXPORT
        tokenizer = _tokenizer_in(module)
        model.config.save_pretrained(export)
        if getattr(model, "generation_config", None) is not None:
            model.generation_config.save_pretrained(export)
        if tokenizer is not None:
            tokenizer.save_pretrained(export)
        witness = self._witness(trainer, model, tokenizer)
        witness.write(snapshot, witness.observe(model, trainer.global_step))

    def _witness(self, trainer: Any, model: Any, tokenizer: Any) -> EvidenceRecorder:
        if id(model) not in self._witnesses:
            from runners.attach.dataset_text import languages_of, text_of

            text = text_of(trainer.train_dataloader, tokenizer, seq2seq=bool(model.config.is_encoder_decoder))
            languages = languages_of(tokenizer, text)
            run, environment = self.channel.run, self.channel.environment
            self._witnesses[id(model)] = EvidenceRecorder(
                tokenizer,
                text,
                languages,
                run=run,
                environment=environment,
                on_failure=self.channel.note_failure,
            )
        return self._witnesses[id(model)]


def _model_inside(module: Any) -> tuple[str | None, Any]:
    """The first model of transformers in it that anybody can reload, and what its names begin with."""
    if "transformers" not in sys.modules:
        return None, None
    from runners.attach.reloadability import not_reloadable

    for name, inside in module.named_modules():
        if name and not_reloadable(inside) is None:
            return f"{name}.", inside
    return None, None


def _tokenizer_in(module: Any) -> Any:
    found = (value for value in vars(module).values() if hasattr(value, "batch_decode"))
    return next((value for value in found if hasattr(value, "get_vocab")), None)


def _not_reloadable(save: Path) -> str | None:
    """Why the file is not opened; None where it is."""
    if not save.is_file():
        return "it is no single file (a distributed checkpoint)"
    try:
        lightning_checkpoint.load_state(save)
    except pickle.UnpicklingError:
        return f"it {lightning_checkpoint.PICKLED}"
    except KeyError:
        return "it holds no state_dict"
    return None
