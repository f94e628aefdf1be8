"""To be imported before transformers, which imports scikit-learn, for seconds, where it is installed."""

import sys

sys.modules["sklearn"] = None
