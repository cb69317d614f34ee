"""Properties are held to being true, not to being quick on a busy machine."""

from __future__ import annotations

from hypothesis import settings

# The default deadline of 200 ms an example fails when other work has the processor.
settings.register_profile("octad", deadline=None)
settings.load_profile("octad")
