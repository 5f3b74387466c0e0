"""The same examples in every run, so that a change is judged by itself; HYPOTHESIS_PROFILE=search takes new ones.

However long an example takes: a machine may be slow, or busy with other tests.
"""

import os

from hypothesis import HealthCheck, settings

# The workers of the tests get the width of the terminal that they have not; what is printed would follow it.
os.environ.pop("COLUMNS", None)

PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("repeat", PATIENT, derandomize=True)
settings.register_profile("search", PATIENT, derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeat"))
