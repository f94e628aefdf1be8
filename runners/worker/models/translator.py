"""A loaded model with its languages and parameters: batches of lines in, their translations out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from runners.worker.errors import JobError
from runners.worker.messages import Generate
from runners.worker.models import families, loading, resolved_config
from runners.worker.models.checkpoint_languages import Wish, choose_source, choose_target
from runners.worker.models.families import Family
from runners.worker.protocol import Events

UNLIMITED = 10**6  # tokenizers without a limit say 10**30


class Translation(NamedTuple):
    """The text of one line. `unfinished`: the limit of tokens was reached before the end."""

    text: str
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Translator:
    """Translates lines by their number.

    `rows` holds the token ids of every line that has text, `parameters` the arguments of `generate`,
    `resolved` the resulting generation config, `codes` the language codes by role. `keys` names the missing
    and the unexpected tensors of the weights file. `truncated` are the lines that were cut.
    """

    family: Family
    model: Any
    tokenizer: Any
    parameters: Mapping[str, Any]
    resolved: Any
    rows: Mapping[int, list[int]]
    keys: Mapping[str, list[str]]
    codes: Mapping[str, str | None]
    device: str
    seed: int
    truncated: tuple[int, ...] = ()

    def __call__(self, lines: Sequence[int]) -> list[Translation]:
        """The translations of one batch of lines, each on one line."""
        import torch

        batch = [self.rows[line] for line in lines]
        width = max(len(row) for row in batch)
        ids = [row + [self.tokenizer.pad_token_id] * (width - len(row)) for row in batch]
        mask = [[1] * len(row) + [0] * (width - len(row)) for row in batch]
        # Seeded for each batch, so that sampling does not depend on earlier batches.
        torch.manual_seed(self.seed + lines[0])
        with torch.inference_mode():
            output = self.model.generate(
                input_ids=torch.tensor(ids, device=self.device),
                attention_mask=torch.tensor(mask, device=self.device),
                **self.parameters,
            )
        best = output[:: self.resolved.num_return_sequences or 1].tolist()
        forced = self.resolved.forced_bos_token_id
        return [
            Translation(text_of(self.tokenizer, sequence, forced), is_unfinished(sequence, self.resolved))
            for sequence in best
        ]


def is_unfinished(sequence: Sequence[int], resolved: Any) -> bool:
    """Whether generation stopped at its limit of tokens: no end of sentence, or a forced one as the last.

    The first token starts the decoder, and is the end of sentence itself for some models.
    """
    ends = resolved.eos_token_id
    ends = set(ends) if isinstance(ends, (list, tuple)) else {ends}
    length = next((at for at, token in enumerate(sequence[1:], 2) if token in ends), None)
    if length is None:
        return True
    limit = resolved.max_new_tokens + 1 if resolved.max_new_tokens else resolved.max_length
    return resolved.forced_eos_token_id is not None and limit is not None and length >= limit


def text_of(tokenizer: Any, sequence: list[int], forced: int | None) -> str:
    """The text of a generated sequence, on one line; `forced` is the token that generation put first.

    The start token and a forced language do not belong to the text; M2M100's `__ja__` counts as text in
    folders that do not list it as special.
    """
    ids = sequence[2:] if forced is not None and sequence[1:2] == [forced] else sequence[1:]
    return on_one_line(tokenizer.decode(ids, skip_special_tokens=True))


def on_one_line(text: str) -> str:
    """`text` with every Unicode line break replaced by a space."""
    return " ".join(text.splitlines())


def prepare(job: Generate, texts: Sequence[str], events: Events) -> Translator:
    """Load the job's model and encode `texts`; errors that would affect every line are raised here.

    Blank lines get no row. Lines longer than the model can read are cut, and a notice says how many.
    """
    family = loading.find_family(job.family, job.model)
    loading.check_weights(job.model)
    dtype = loading.check_dtype(job.dtype)
    device = loading.choose_device(job.device)
    _make_deterministic()
    tokenizer = families.load_tokenizer(family, job.model)
    model, keys = families.load_model(family, job.model, dtype, device)
    if keys["missing_keys"]:
        events.notice(
            f"the weights file lacks {len(keys['missing_keys'])} tensors, which start from random values"
        )
    codes = _codes(job, family, model, tokenizer, events)
    language = families.generation_kwargs(family, tokenizer, codes["target"])
    parameters = {**job.generation, **language}
    resolved = resolved_config.resolve_generation(model, parameters)
    _check_length(model, resolved)
    limits = (job.max_source_length, longest_source(model, tokenizer))
    limit = min((one for one in limits if one is not None), default=None)
    rows, cut = _encode(codes, family, tokenizer, texts, limit)
    if cut:
        lines = "1 source line has" if len(cut) == 1 else f"{len(cut):,} source lines have"
        events.notice(f"{lines} more than {limit} tokens, and {'is' if len(cut) == 1 else 'are'} cut there")
    return Translator(
        family, model, tokenizer, parameters, resolved, rows, keys, codes, device, job.seed, cut
    )


def _codes(
    job: Generate, family: Family, model: Any, tokenizer: Any, events: Events
) -> dict[str, str | None]:
    """The codes by role: those of the job, or those that follow where it has none."""
    written = {"source": job.source_code, "target": job.target_code}
    configs = (model.generation_config, model.config)
    codes = {
        "source": choose_source(family, tokenizer, Wish(job.source_code, job.source_names)),
        "target": choose_target(family, configs, tokenizer, Wish(job.target_code, job.target_names)),
    }
    for role, code in codes.items():
        if code is not None and written[role] is None:
            events.notice(f"no code is named for the {role}: the model is given {code}")
    return codes


def _encode(
    codes: Mapping[str, str | None], family: Family, tokenizer: Any, texts: Sequence[str], limit: int | None
) -> tuple[dict[int, list[int]], tuple[int, ...]]:
    """The token ids of the lines that have text, and the lines that were cut to `limit` tokens."""
    encode = partial(families.encode, family, tokenizer, source=codes["source"], target=codes["target"])
    lines = [line for line, text in enumerate(texts) if text.strip()]
    rows = dict(zip(lines, encode([texts[line] for line in lines], max_length=limit), strict=True))
    full = [line for line, row in rows.items() if limit is not None and len(row) >= limit]
    whole = encode([texts[line] for line in full])
    return rows, tuple(n for n, row in zip(full, whole, strict=True) if len(row) > len(rows[n]))


def longest_source(model: Any, tokenizer: Any) -> int | None:
    """The most tokens that the encoder reads; None where neither model nor tokenizer sets a limit."""
    limits = (getattr(model.config, "max_position_embeddings", None), tokenizer.model_max_length)
    return min((limit for limit in limits if limit is not None and limit < UNLIMITED), default=None)


def _check_length(model: Any, resolved: Any) -> None:
    """Past its last position a model fails on the CPU; on CUDA the device fails with it."""
    limit = getattr(model.config, "max_position_embeddings", None)
    wanted = resolved.max_new_tokens or resolved.max_length
    if limit is not None and wanted is not None and wanted > limit:
        message = f"{wanted} tokens are requested, but the model has {limit} positions"
        raise JobError("too long", message, "lower generation.max_length in the spec")


def _make_deterministic() -> None:
    import torch

    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
