"""What the text rules measure in lines: scripts, words, widths, fingerprints. No rule is in here."""
