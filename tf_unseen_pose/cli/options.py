"""Options that several commands share, and what they open."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import require_folder
from tf_unseen_pose.inference.runtime import Runtime

if TYPE_CHECKING:
    import numpy as np

    from tf_unseen_pose.inference.protocol import ReposerLike

Photo = Annotated[Path, typer.Argument(metavar="PHOTO", help="Photo of a person.")]
Model = Annotated[
    Path,
    typer.Option(help="A run (of 'train' or 'import-posewarp'), an exported version, or 'lite', which is bundled."),
]
LITE = Path("lite")
SourcePose = Annotated[Path | None, typer.Option(help="Pose file of the photo; by default the pose is detected.")]
WHO = "N|X,Y|X0,Y0,X1,Y1"
Person = Annotated[
    str | None,
    typer.Option(
        metavar=WHO,
        help="Person in the photo: number from the left, point or box in pixels; by default the largest.",
    ),
]
Background = Annotated[
    Path | None,
    typer.Option(help="Photo of the empty scene, or video of the person walking in it; fills what they covered."),
]
Server = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Render on this server; --model is the model's name there."),
]
ServerToken = Annotated[Path | None, typer.Option(help="File with the server's bearer token.")]
ServerAuthority = Annotated[
    Path | None, typer.Option(help="CA certificates (PEM) for the server; implies --server-tls.")
]
ServerTls = Annotated[
    bool, typer.Option("--server-tls", help="Encrypt the connection and trust the system's certificates.")
]
ServerCert = Annotated[Path | None, typer.Option(help="Client certificate (PEM), if the server asks for one.")]
ServerKey = Annotated[Path | None, typer.Option(help="Private key (PEM) of --server-cert.")]
InsecureToken = Annotated[bool, typer.Option("--insecure-token", help="Send the token even without encryption.")]
ServerJpeg = Annotated[
    bool, typer.Option("--server-jpeg", help="Send pixels as JPEG (quality 95), which is smaller but lossy.")
]
ServerTimeout = Annotated[float, typer.Option(min=1, help="Timeout of a request in seconds.")]
PoseModel = Annotated[
    Path | None,
    typer.Option(help="MediaPipe pose_landmarker .task file; by default bundled or downloaded once."),
]
RuntimeOption = Annotated[
    Runtime,
    typer.Option(
        "--runtime", help="Runs the networks; auto picks LiteRT for a model with a .tflite file if there is no GPU."
    ),
]
Settings = Annotated[
    list[str],
    typer.Option("--set", metavar="KEY=VALUE", help="Override a setting, e.g. train.batch_size=8; repeatable."),
]


Start = Annotated[str | None, typer.Option(metavar="TIME", help="Start time in the video: seconds, mm:ss or hh:mm:ss.")]
End = Annotated[str | None, typer.Option(metavar="TIME", help="End time in the video.")]
Force = Annotated[bool, typer.Option("--force", help="Allow overwriting an input file.")]


class Split(StrEnum):
    """Parts of a dataset."""

    validation = "validation"
    train = "train"
    all = "all"


SplitOption = Annotated[Split, typer.Option(help="Clips to evaluate on.")]
Pairs = Annotated[int, typer.Option(min=1, help="Maximum number of frame pairs, spread evenly over the clips.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the choice of pairs and of the bootstrap.")]
Poses = Annotated[bool, typer.Option(help="Detect poses in the results.")]
FeaturesWeights = Annotated[
    Path | None,
    typer.Option(help="VGG19 or VGG16 .h5 for the VGG error (see loss.features_weights); by default the run's own."),
]


@dataclass(frozen=True)
class ServerOptions:
    """The server options of a command."""

    address: str | None
    token: Path | None
    tls: bool
    authority: Path | None
    certificate: Path | None
    key: Path | None
    insecure_token: bool
    jpeg: bool
    timeout: float


def open_reposer(model: Path, runtime: Runtime, xla: bool, server: ServerOptions) -> "ReposerLike":
    """The model, or a client of a server with the same interface."""
    if not server.address:
        if server.token or server.tls or server.authority or server.certificate or server.key:
            raise UserError("Options such as --server-token need a server; name it with --server.")
        from tf_unseen_pose.inference.reposer import Reposer

        return Reposer.load(model, runtime, xla)
    if bool(server.certificate) != bool(server.key):
        raise UserError("A client's certificate needs both --server-cert and --server-key; name the other file, too.")
    from tf_unseen_pose.inference.access import Access
    from tf_unseen_pose.inference.remote import RemoteReposer
    from tf_unseen_pose.serving.access import read_token

    identity = (server.key, server.certificate) if server.key and server.certificate else None
    token = read_token(server.token) if server.token else None
    access = Access(server.tls, server.authority, identity, token, server.insecure_token)
    return RemoteReposer(server.address, str(model), server.timeout, access, lossless=not server.jpeg)


def open_background(path: Path | None, server: str | None, pose_model: Path | None) -> "np.ndarray | None":
    """The scene without the person, if one is named.

    Raises:
        UserError: there is a server, which takes none; as `load_background`.
    """
    if path is None:
        return None
    if server:
        raise UserError("A server takes no background; leave out --background or --server.")
    from tf_unseen_pose.inference.background import load_background

    return load_background(path, pose_model)


def require_writable(path: Path) -> None:
    """Finds out before minutes of work whether an image can be written.

    Raises:
        UserError: it cannot, for want of the folder or of a name's ending that says the format.
    """
    require_folder(path)
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UserError(f"{path} has no known image format; end it in .png or .jpg.")
