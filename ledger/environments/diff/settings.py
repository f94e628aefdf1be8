"""Which settings differ between two sides, the most suspicious first. Pure.

The tables say what is known of single settings: which once decided a result, which cannot, which moved.
"""

from collections.abc import Mapping

from ledger.evidence.environment import EnvironmentSide
from ledger.evidence.suspects import Choice, Kind, Suspect
from ledger.findings import Json
from ledger.utils.mapping_diff import Difference, differences

# What a model is comes before how it was trained.
SECTIONS = ("model", "generation", "tokenizer", "training", "config", "runtime")
# Which embeddings are one matrix, which token begins and ends a text: changes of these broke reloads.
DECISIVE = (
    *("tie_word_embeddings", "share_encoder_decoder_embeddings", "scale_embedding", "scale_decoder_outputs"),
    *("use_cache", "forced_eos_token_id", "forced_bos_token_id", "decoder_start_token_id", "dtype"),
)
# A config's generation parameters moved to the generation config in transformers 5.
MOVED_TO = {"model": "generation", "config": "generate"}
# A config has these once it was saved: one that does not say them says nothing.
WRITTEN_ON_SAVE = frozenset(("architectures", "dtype", "torch_dtype"))
# Of assisted generation and of back ends that nothing here uses.
UNUSED = ("assistant_", "num_assistant_", "target_lookbehind", "fp16_opt_level", "past_index", "ray_scope")
# Where things are written and who is told: nothing that is computed depends on it.
NO_MATTER = frozenset(
    (
        *("output_dir", "logging_dir", "run_name", "project", "trackio_space_id", "disable_tqdm"),
        *("log_level", "log_level_replica", "logging_strategy", "logging_steps", "logging_first_step"),
        *("save_total_limit", "save_on_each_node", "overwrite_output_dir", "skip_memory_metrics"),
        *("push_to_hub", "hub_model_id", "hub_strategy", "hub_token", "hub_private_repo", "hub_revision"),
        *("hub_always_push", "local_rank", "_n_gpu", "_name_or_path", "name_or_path", "parallelism_config"),
        # Versions that a runtime tells, which are among the packages.
        *("transformers_version", "python", "torch", "transformers", "tokenizers"),
    )
)
OFF: tuple[Json, ...] = (False, 0, 1.0, "", "auto", [], {})

Settings = Mapping[str, Json]


def settings(a: EnvironmentSide, b: EnvironmentSide) -> list[Suspect]:
    """What of the effective configuration differs, as suspects.

    What a spec sets and did not get comes first, then what nobody chose, then what specs set differently.
    Where a side has only what was written down, that alone is compared: the rest has defaults, or is in files
    that sides of another kind do not keep.
    """
    before, after = _comparable(a.settings or {}, b.settings or {})
    one_sided = (a.partial or b.partial) and a.kind != b.kind
    found = [
        Suspect(
            Kind.SETTING,
            one.path,
            one.before,
            one.after,
            chosen=_chosen(one, a.chosen, b.chosen),
            hard=not _says_the_same(one, before, after),
        )
        for one in differences(before, after)
        if _leaf(one.path) not in NO_MATTER
        and not (_is_unset(one) and (one_sided or _leaf(one.path) in WRITTEN_ON_SAVE))
    ]
    return sorted(found, key=_suspicion)


def _chosen(one: Difference, a: Settings, b: Settings) -> Choice:
    """Whether a spec sets it: `overridden` where a side does not have what its own spec says."""
    flat = one.path.removeprefix("config.")
    names = (one.path,) if flat == one.path else (f"training.{flat}", f"model.{flat}")
    sides = ((a, one.before), (b, one.after))
    told = [(given[name], had) for given, had in sides for name in names if name in given]
    if any(given != had for given, had in told):
        return "overridden"
    return "chosen" if told else ""


def _suspicion(one: Suspect) -> tuple[int, bool, int, int, str]:
    leaf, section = _leaf(one.name), one.name.partition(".")[0]
    choice = ("overridden", "", "chosen").index(one.chosen)
    decisive = DECISIVE.index(leaf) if leaf in DECISIVE else len(DECISIVE)
    place = SECTIONS.index(section) if section in SECTIONS else len(SECTIONS)
    return choice, not one.hard, decisive, place, one.name


def _comparable(before: Settings, after: Settings) -> tuple[Settings, Settings]:
    """The sections that both have. W&B has one alone, in which training arguments win over the model's."""
    if ("config" in before) is not ("config" in after):
        before, after = ({"config": _flat(side)} for side in (before, after))
    shared = [name for name in before if name in after]
    return {name: before[name] for name in shared}, {name: after[name] for name in shared}


def _flat(side: Settings) -> Json:
    return side["config"] if "config" in side else {**side.get("model", {}), **side.get("training", {})}


def _says_the_same(one: Difference, before: Settings, after: Settings) -> bool:
    """Whether a setting that one side does not have at all can hardly matter.

    It is off where it is (false, 0, 1.0, empty), belongs to what is not used, or has moved to the generation
    config, which says the same on both sides.
    """
    leaf, value = _leaf(one.path), one.after if one.before is None else one.before
    if leaf in DECISIVE or not _is_unset(one):
        return False
    if leaf.startswith(UNUSED) or _has_moved(one.path.removesuffix(f".{leaf}"), leaf, before, after):
        return True
    return value is not True and value in OFF and not leaf.endswith(("_id", "_ids"))


def _has_moved(section: str, leaf: str, before: Settings, after: Settings) -> bool:
    for old, new in MOVED_TO.items():
        if section == old or f".{old}" in section:
            twins = [side.get(section.replace(old, new)) or {} for side in (before, after)]
            return all(leaf in twin for twin in twins) and twins[0][leaf] == twins[1][leaf]
    return False


def _is_unset(one: Difference) -> bool:
    return one.before is None or one.after is None


def _leaf(path: str) -> str:
    return path.rpartition(".")[2]
