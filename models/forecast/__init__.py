"""Sales of the next two weeks, store by store: as many rows as there are days to come, not as it was given."""
