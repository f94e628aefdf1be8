"""The folder that `ledger run -- CMD` puts on PYTHONPATH: Python imports `sitecustomize` from it."""
