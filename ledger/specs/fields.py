"""The types that the keys of a spec have, with the rules that each checks."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    model_validator,
)

from ledger.environments.pin import SUFFIXES
from ledger.evidence.training import limit_problems
from ledger.models.families import infer_family

# Country codes that are often written for a language's. ISO 639-1 assigns none of them to a language.
_COUNTRIES = {"jp": "ja", "cn": "zh", "cz": "cs", "dk": "da", "gr": "el", "ua": "uk"}


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("should be one line of text that is not blank")
    return text


def _file_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", text):
        raise ValueError("should be a name of letters, digits and . _ + - that starts with a letter or digit")
    return text


def _environment(text: str) -> str:
    return _one_line(text) if text.endswith(SUFFIXES) else _file_name(text)


def _model_name(text: str) -> str:
    if "://" in text:
        raise ValueError("should be a hub name such as facebook/nllb-200-3.3B or a folder, not a URL")
    return text


def _language(text: str) -> str:
    if text in _COUNTRIES:
        raise ValueError(f"is a country code; the language code is {_COUNTRIES[text]!r}")
    if not re.fullmatch(r"[a-z]{2,3}", text):
        raise ValueError(
            "should be an ISO 639 code such as ko or ja; the tokenizer's own codes go under codes"
        )
    return text


def _guard_code(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}\d{3}", text):
        raise ValueError("should be the code of a guard such as TXT001")
    return text


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if item is not None}


def _known_limits(value: Any) -> Any:
    if isinstance(value, dict) and (problems := limit_problems(value)):
        raise ValueError("; ".join(problems))
    return value


Line = Annotated[str, AfterValidator(_one_line)]
FileName = Annotated[str, AfterValidator(_file_name)]
EnvironmentName = Annotated[str, AfterValidator(_environment)]
ModelName = Annotated[str, AfterValidator(_one_line), AfterValidator(_model_name)]
Language = Annotated[str, AfterValidator(_language)]
GuardCode = Annotated[str, AfterValidator(_guard_code)]
Count = Annotated[int, Field(ge=1, le=1_000_000)]
Number = Annotated[float, Field(allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=0, le=100)]
DropNulls = BeforeValidator(_without_nulls)
HealthLimits = Annotated[Mapping[str, Number], BeforeValidator(_known_limits), DropNulls]


class SpecSection(BaseModel):
    """What every map of a spec has in common: strict types, no unknown key, null for unset."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    _nulls: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def chosen(self) -> frozenset[str]:
        """The keys that the spec states, those that it sets to null on purpose included."""
        return self._nulls | self.model_fields_set

    @model_validator(mode="wrap")
    @classmethod
    def _drop_unset(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, dict):
            return handler(data)
        nulls = frozenset(key for key, value in data.items() if value is None and key in cls.model_fields)
        section = handler({key: value for key, value in data.items() if key not in nulls})
        section._nulls = nulls
        return section


class FamilyByName(SpecSection):
    """A section whose `family`, where unset, is inferred from its `name`."""

    @model_validator(mode="before")
    @classmethod
    def _infer_family(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("name"), str):
            return {**data, "family": data.get("family") or infer_family(data["name"])}
        return data
