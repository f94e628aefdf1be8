"""Protobuf classes from tables of fields, for formats of tools that need not be installed."""

from collections.abc import Mapping
from typing import Any

_OPTIONAL, _REPEATED, _MESSAGE = 1, 3, 11  # protobuf's numbers
_TYPES = {"double": 1, "float": 2, "int64": 3, "int32": 5, "bool": 8, "string": 9, "bytes": 12}
# message -> field -> (number, type, "*" where repeated)
Messages = Mapping[str, Mapping[str, tuple[int, str, str]]]


def message_class(name: str, messages: Messages) -> Any:
    """The class of the message `name`; fields that are not listed are skipped when it is parsed.

    A separate descriptor pool avoids conflicts with the tool's own classes. As proto2, they tell a value of 0
    from one that is absent.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    file = descriptor_pb2.FileDescriptorProto(name="claims.proto", package="claims", syntax="proto2")
    for title, fields in messages.items():
        message = file.message_type.add(name=title)
        for field, (number, kind, label) in fields.items():
            one = message.field.add(name=field, number=number, label=_REPEATED if label else _OPTIONAL)
            if kind in _TYPES:
                one.type = _TYPES[kind]
            else:
                one.type, one.type_name = _MESSAGE, f".claims.{kind}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"claims.{name}"))
