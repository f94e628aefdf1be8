"""A recorded run in the formats of others: one module each with `export(record) -> str`.

Pure but for their libraries; what a record is made of is in `record`, which formats there are in `FORMATS`.
"""
