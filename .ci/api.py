"""Writes pages of the API, out of the docstrings, to a folder: python .ci/api.py FOLDER

Fails where pdoc has something to warn of.
"""

import pkgutil
import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.render

import tf_unseen_pose


def main() -> None:
    names = [module.name for module in pkgutil.iter_modules(tf_unseen_pose.__path__) if not module.name.startswith("_")]
    # pdoc shows what `__all__` names, and does not ask for what is imported when it is asked for.
    for name in tf_unseen_pose.__all__:
        setattr(tf_unseen_pose, name, getattr(tf_unseen_pose, name))
    tf_unseen_pose.__all__ += [name for name in names if name not in tf_unseen_pose.__all__]
    pdoc.render.configure(docformat="google", show_source=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pdoc.pdoc("tf_unseen_pose", output_directory=Path(sys.argv[1]))
    # Libraries that are imported meanwhile warn of their own affairs.
    said = {str(warning.message) for warning in caught if "pdoc" in warning.filename}
    said |= {str(warning.message) for warning in caught if "tf_unseen_pose" in str(warning.message)}
    if said:
        sys.exit("\n".join(sorted(said)))


if __name__ == "__main__":
    main()
