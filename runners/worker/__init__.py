"""Code that runs inside an experiment's environment: standard library, torch, transformers, no more."""
