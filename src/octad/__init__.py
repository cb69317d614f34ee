"""Octad reviews a launch: was it good for the product, or only for its KPI?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from octad.version import __version__

if TYPE_CHECKING:
    from octad.lifecycle.session import Session

__all__ = ["__version__", "open"]


def open(folder: str = ".") -> Session:  # noqa: A001 - octad.open("folder") is the documented entry
    """Open a project folder.

    Args:
        folder: The folder that holds `octad.yml`, or one below it.

    Returns:
        A session, whose ``review("circles")`` returns the review that the command line prints.

    Raises:
        octad.errors.OctadError: When there is no project there, or its files do not hold together.
    """
    from octad.lifecycle.session import Session  # noqa: PLC0415 - heavy, and only needed here

    if "IPython" in sys.modules:
        from octad.faces import notebook  # noqa: PLC0415 - only where a notebook could show it

        notebook.register()
    return Session.open(folder)
