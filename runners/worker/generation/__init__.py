"""The `generate` job."""
