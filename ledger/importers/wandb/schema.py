"""The messages of W&B's protobuf schema that an import needs, built in code.

Field numbers are from `wandb/proto/wandb_internal.proto`; protobuf skips fields that are not listed here.
`wandb` need not be installed.
"""

from functools import cache
from typing import Any

from ledger.importers.protobuf import Messages, message_class

_MESSAGES: Messages = {
    "Timestamp": {"seconds": (1, "int64", ""), "nanos": (2, "int32", "")},
    "Item": {"key": (1, "string", ""), "nested_key": (2, "string", "*"), "value_json": (16, "string", "")},
    "Items": {"update": (1, "Item", "*"), "remove": (2, "Item", "*")},
    "Step": {"num": (1, "int64", "")},
    "History": {"item": (1, "Item", "*"), "step": (2, "Step", "")},
    "Git": {"remote_url": (1, "string", ""), "commit": (2, "string", "")},
    "Run": {
        "run_id": (1, "string", ""),
        "project": (3, "string", ""),
        "config": (4, "Items", ""),
        "summary": (5, "Items", ""),
        "run_group": (6, "string", ""),
        "display_name": (8, "string", ""),
        "notes": (9, "string", ""),
        "tags": (10, "string", "*"),
        "start_time": (17, "Timestamp", ""),
        "git": (21, "Git", ""),
    },
    "Environment": {
        "os": (1, "string", ""),
        "python": (2, "string", ""),
        "program": (6, "string", ""),
        "git": (9, "Git", ""),
        "gpu_type": (18, "string", ""),
        "cuda_version": (25, "string", ""),
    },
    "Exit": {"exit_code": (1, "int32", ""), "runtime": (2, "int32", ""), "not_complete": (3, "bool", "")},
    "Record": {
        "history": (2, "History", ""),
        "summary": (3, "Items", ""),
        "config": (5, "Items", ""),
        "run": (17, "Run", ""),
        "exit": (18, "Exit", ""),
        "environment": (26, "Environment", ""),
    },
}


@cache
def record_class() -> Any:
    """The class of a record; its `ParseFromString` raises google.protobuf.message.DecodeError."""
    return message_class("Record", _MESSAGES)
