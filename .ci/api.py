"""Writes pages of the API, out of the docstrings, to a folder: python .ci/api.py FOLDER

Fails where pdoc has something to warn of.
"""

import importlib
import pkgutil
import sys
import warnings
from pathlib import Path
from types import ModuleType

import pdoc
import pdoc.render

import tf_unseen_pose


def show_all(package: ModuleType) -> None:
    """Makes pdoc show all modules of a package, and what is imported only when it is asked for.

    pdoc leaves out what `__all__` does not name, and does not ask.
    """
    modules = [module for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")]
    if hasattr(package, "__all__"):
        for name in package.__all__:
            setattr(package, name, getattr(package, name))
        package.__all__ = [*package.__all__, *(module.name for module in modules)]
    for module in modules:
        if module.ispkg:
            show_all(importlib.import_module(f"{package.__name__}.{module.name}"))


def main() -> None:
    pdoc.render.configure(docformat="google", show_source=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        show_all(tf_unseen_pose)
        pdoc.pdoc("tf_unseen_pose", output_directory=Path(sys.argv[1]))
    # Libraries that are imported meanwhile warn of their own affairs.
    said = {str(warning.message) for warning in caught if "pdoc" in warning.filename}
    said |= {str(warning.message) for warning in caught if "tf_unseen_pose" in str(warning.message)}
    if said:
        sys.exit("\n".join(sorted(said)))


if __name__ == "__main__":
    main()
