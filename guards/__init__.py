"""Pure checks: (expected, actual) evidence in, findings out. `guards.registry` lists them all."""
