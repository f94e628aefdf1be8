"""What a job cannot do, said so that the parent can pass it on: kind, message, hint."""


class JobError(Exception):
    """A job could not be done for a reason that the user can act on."""

    def __init__(self, kind: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.hint = hint
