"""The same examples in every run, so that a change is judged by itself; HYPOTHESIS_PROFILE=search takes new ones."""

import os

from hypothesis import settings

settings.register_profile("repeat", derandomize=True)
settings.register_profile("search", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))
