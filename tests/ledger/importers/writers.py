"""Has other tools write what the importers read: `python writers.py TOOL FOLDER`. Nothing is imitated."""

import sys
from pathlib import Path


def wandb(folder: Path) -> None:
    """An offline run with config, nested and NaN values, a summary and an exit."""
    import wandb

    run = wandb.init(
        mode="offline",
        project="mt",
        name="deft-monkey-8",
        dir=str(folder),
        notes="번역",
        config={
            "learning_rate": 3e-4,
            "batch_size": 128,
            "generation": {"num_beams": 5},
            "api_key": "x" * 40,
        },
    )
    for step in range(40):
        run.log({"loss": 2.0 - step / 40, "eval/bleu": step / 2, "text": "문장 " * 400})
    run.log({"loss": float("nan"), "deep": {"er": 1}})
    run.summary["best_bleu"] = 33.03
    run.config.update({"batch_size": 96}, allow_val_change=True)
    run.finish(exit_code=0)


def huggingface(folder: Path) -> None:
    """Four steps of a Seq2SeqTrainer on a tiny T5, with an evaluation, saved twice."""
    import torch
    from transformers import Seq2SeqTrainer, Seq2SeqTrainingArguments, T5Config, T5ForConditionalGeneration

    torch.set_num_threads(1)
    config = T5Config(
        vocab_size=32, d_model=8, d_kv=4, d_ff=8, num_layers=1, num_heads=2, decoder_start_token_id=0
    )
    rows = [{"input_ids": [n, 4, 1], "labels": [n, 5, 1]} for n in range(6, 14)]
    arguments = Seq2SeqTrainingArguments(
        output_dir=str(folder / "marian-ko-ja"),
        max_steps=4,
        save_steps=2,
        eval_steps=2,
        logging_steps=1,
        eval_strategy="steps",
        per_device_train_batch_size=2,
        report_to=[],
        use_cpu=True,
    )

    def collate(batch: list[dict[str, list[int]]]) -> dict[str, "torch.Tensor"]:
        return {key: torch.tensor([row[key] for row in batch]) for key in batch[0]}

    trainer = Seq2SeqTrainer(
        T5ForConditionalGeneration(config), arguments, collate, train_dataset=rows, eval_dataset=rows[:2]
    )
    trainer.save_metrics("train", trainer.train().metrics)
    trainer.save_state()
    trainer.save_model()


def lightning(folder: Path) -> None:
    """Four steps of Lightning's Trainer under its CSVLogger."""
    import torch
    from lightning.pytorch import LightningModule, Trainer
    from lightning.pytorch.loggers import CSVLogger

    class Line(LightningModule):
        def __init__(self, learning_rate: float = 0.1, model_name: str = "t5-large") -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(1, 1)

        def training_step(self, batch: "torch.Tensor", _: int) -> "torch.Tensor":
            loss = self.layer(batch).square().mean()
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch: "torch.Tensor", _: int) -> None:
            self.log("val_corr", batch.mean())

        def configure_optimizers(self) -> "torch.optim.Optimizer":
            return torch.optim.SGD(self.parameters(), self.hparams["learning_rate"])

    torch.set_num_threads(1)
    data = torch.utils.data.DataLoader(torch.ones(8, 1), batch_size=2)
    trainer = Trainer(
        max_epochs=2,
        logger=CSVLogger(folder),
        log_every_n_steps=1,
        accelerator="cpu",
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Line(), data, data)


def mlflow(folder: Path) -> None:
    """One run in each of MLflow's two local stores, a deleted one beside it."""
    import os

    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
    import mlflow

    for uri in ((folder / "mlruns").as_uri(), f"sqlite:///{folder / 'mlflow.db'}"):
        mlflow.set_tracking_uri(uri)
        mlflow.set_experiment("ko-ja")
        with mlflow.start_run(run_name="first"):
            mlflow.log_params({"lr": 3e-4, "model": "facebook/m2m100_418M", "fp16": True})
            for step in range(3):
                mlflow.log_metric("loss", 2 - step / 2, step=step)
            mlflow.log_metric("eval/bleu", float("nan"))
            mlflow.log_text("weights", "model.bin")
        with mlflow.start_run(run_name="gone") as run:
            mlflow.log_param("lr", 1)
        mlflow.delete_run(run.info.run_id)


if __name__ == "__main__":
    {"wandb": wandb, "huggingface": huggingface, "lightning": lightning, "mlflow": mlflow}[sys.argv[1]](
        Path(sys.argv[2])
    )
