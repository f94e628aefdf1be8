"""The only package that asks git anything: history, status, patches, work trees."""
