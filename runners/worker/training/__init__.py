"""The `train` job."""
