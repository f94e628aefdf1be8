"""Pure checks: (expected, actual) evidence in, findings out. `guards.registry` names them all."""
