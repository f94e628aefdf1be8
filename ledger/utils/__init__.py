"""Small helpers without a domain: hashing, text files, redaction."""
