"""What `ledger -v` shows on standard error."""

import logging
import sys
import warnings

from ledger.utils.escape import printable
from ledger.utils.redaction import scrub_text

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class ScrubbingFormatter(logging.Formatter):
    """Removes secrets and control characters from records, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text without secrets."""
        return printable(scrub_text(super().format(record)))


def configure_logging(verbose: int) -> None:
    """Log from INFO (1) or DEBUG (2 and more) on; with 0 log records and warnings of libraries are hidden."""
    if not verbose:
        logging.getLogger().addHandler(logging.NullHandler())  # else Python prints warnings itself
        if not sys.warnoptions:
            warnings.simplefilter("ignore")
        return
    handler = logging.StreamHandler()
    handler.setFormatter(ScrubbingFormatter(FORMAT))
    logging.basicConfig(level=logging.INFO if verbose == 1 else logging.DEBUG, handlers=[handler], force=True)
    logging.captureWarnings(True)
