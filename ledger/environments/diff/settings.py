"""Settings that differ between two sides, most suspicious first.

The tables list settings that have decided a result, that cannot, and that moved to another section.
"""

from collections.abc import Mapping

from ledger.evidence.environment import EnvironmentSide
from ledger.evidence.suspects import Choice, Kind, Suspect
from ledger.findings import Json
from ledger.utils.mapping_diff import Difference, differences

# What a model is comes before how it was trained.
SECTIONS = ("model", "generation", "tokenizer", "training", "config", "runtime")
# Tied embeddings, and the tokens that begin and end a text: changes of these have broken reloads.
DECISIVE = (
    *("tie_word_embeddings", "share_encoder_decoder_embeddings", "scale_embedding", "scale_decoder_outputs"),
    *("use_cache", "forced_eos_token_id", "forced_bos_token_id", "decoder_start_token_id", "dtype"),
)
# A config's generation parameters moved to the generation config in transformers 5.
MOVED_TO = {"model": "generation", "config": "generate"}
# Only a saved config has these, so their absence is not a difference.
WRITTEN_ON_SAVE = frozenset(("architectures", "dtype", "torch_dtype"))
# Settings of assisted generation and of back ends that are not used here.
UNUSED = ("assistant_", "num_assistant_", "target_lookbehind", "fp16_opt_level", "past_index", "ray_scope")
# Output locations and logging: no result depends on them.
NO_MATTER = frozenset(
    (
        *("output_dir", "logging_dir", "run_name", "project", "trackio_space_id", "disable_tqdm"),
        *("log_level", "log_level_replica", "logging_strategy", "logging_steps", "logging_first_step"),
        *("save_total_limit", "save_on_each_node", "overwrite_output_dir", "skip_memory_metrics"),
        *("push_to_hub", "hub_model_id", "hub_strategy", "hub_token", "hub_private_repo", "hub_revision"),
        *("hub_always_push", "local_rank", "_n_gpu", "_name_or_path", "name_or_path", "parallelism_config"),
        # Versions that the runtime reports; they are compared as packages.
        *("transformers_version", "python", "torch", "transformers", "tokenizers"),
    )
)
OFF: tuple[Json, ...] = (False, 0, 1.0, "", "auto", [], {})

Settings = Mapping[str, Json]


def settings(a: EnvironmentSide, b: EnvironmentSide) -> list[Suspect]:
    """Differences of the effective configuration, as suspects.

    Settings that a spec set but did not get come first, then those that no spec set, then those that the
    specs set differently. Where a side has only settings from files, only those are compared.
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
            hard=not _is_negligible(one, before, after),
        )
        for one in differences(before, after)
        if _leaf(one.path) not in NO_MATTER
        and not (_is_unset(one) and (one_sided or _leaf(one.path) in WRITTEN_ON_SAVE))
    ]
    return sorted(found, key=_suspicion)


def _chosen(one: Difference, a: Settings, b: Settings) -> Choice:
    """Whether a spec sets it: `overridden` where a side's value is not the one in its own spec."""
    flat = one.path.removeprefix("config.")
    names = (one.path,) if flat == one.path else (f"training.{flat}", f"model.{flat}")
    sides = ((a, one.before), (b, one.after))
    stated = [(given[name], had) for given, had in sides for name in names if name in given]
    if any(given != had for given, had in stated):
        return "overridden"
    return "chosen" if stated else ""


def _suspicion(one: Suspect) -> tuple[int, bool, int, int, str]:
    leaf, section = _leaf(one.name), one.name.partition(".")[0]
    choice = ("overridden", "", "chosen").index(one.chosen)
    decisive = DECISIVE.index(leaf) if leaf in DECISIVE else len(DECISIVE)
    place = SECTIONS.index(section) if section in SECTIONS else len(SECTIONS)
    return choice, not one.hard, decisive, place, one.name


def _comparable(before: Settings, after: Settings) -> tuple[Settings, Settings]:
    """The sections that both have. W&B has a single one, where training arguments override the model's."""
    if ("config" in before) is not ("config" in after):
        before, after = ({"config": _flat(side)} for side in (before, after))
    shared = [name for name in before if name in after]
    return {name: before[name] for name in shared}, {name: after[name] for name in shared}


def _flat(side: Settings) -> Json:
    return side["config"] if "config" in side else {**side.get("model", {}), **side.get("training", {})}


def _is_negligible(one: Difference, before: Settings, after: Settings) -> bool:
    """Whether a setting that only one side has is negligible.

    It is when it is off (false, 0, 1.0, empty), when it belongs to an unused feature, or when it moved to the
    generation config, which is equal on both sides.
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
            moved = [side.get(section.replace(old, new)) or {} for side in (before, after)]
            return all(leaf in one for one in moved) and moved[0][leaf] == moved[1][leaf]
    return False


def _is_unset(one: Difference) -> bool:
    return one.before is None or one.after is None


def _leaf(path: str) -> str:
    return path.rpartition(".")[2]
