"""Guards on what a reloaded checkpoint does: logits, text, tokenizer, generation config."""
