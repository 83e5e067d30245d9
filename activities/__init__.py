"""The steps that touch the outside, grouped by what they touch. Each is idempotent and says on which key."""
