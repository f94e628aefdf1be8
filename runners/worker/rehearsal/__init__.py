"""The `rehearse` job."""
