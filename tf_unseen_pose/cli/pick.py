"""The command `pick`."""

from pathlib import Path
from typing import Annotated

import typer


def pick(
    data: Annotated[Path, typer.Argument(metavar="DATASET", help="Dataset of 'prepare'.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")],
    clip: Annotated[
        str | None, typer.Option(help="The photo's clip; by default the first for validation.", show_default=False)
    ] = None,
    motion: Annotated[
        str | None, typer.Option(help="The motion's clip; by default another one for validation.", show_default=False)
    ] = None,
) -> None:
    """Extract a photo, its pose and a motion from a dataset."""
    from tf_unseen_pose.data.picking import pick as run
    from tf_unseen_pose.data.records import ClipDataset

    picked = run(ClipDataset.open(data), output, clip, motion)
    typer.echo(f"Wrote {picked.photo} and {picked.pose} of the clip '{picked.photo_clip}'.")
    typer.echo(f"Wrote {picked.motion} of the clip '{picked.motion_clip}'.")
