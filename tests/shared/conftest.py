"""Property tests are the same at every run, and have no clock: the machine may be busy."""

from hypothesis import settings

settings.register_profile("dropscore", derandomize=True, deadline=None)
settings.load_profile("dropscore")
