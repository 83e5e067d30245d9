"""The decisions: generators over plain JSON that are replayed, so time, ids and waits come from the context."""
