"""The `forecast` job."""
