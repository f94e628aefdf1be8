"""A recorded run in standard formats: one module each, with `export(record) -> str`.

The exporters read and write no files; `record` holds their input.
"""
