"""`ledger run` of training and forecasting specs."""
