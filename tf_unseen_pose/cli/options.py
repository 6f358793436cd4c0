"""What several commands take, and what they do with it."""

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

Photo = Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo of a person.")]
Model = Annotated[
    Path,
    typer.Option(help="A run made by 'train' or 'import-posewarp', or a version made by 'export'; 'lite' comes along."),
]
LITE = Path("lite")
SourcePose = Annotated[Path | None, typer.Option(help="Pose file of the person in the photo; else it is found.")]
WHO = "N|X,Y|X0,Y0,X1,Y1"
Person = Annotated[
    str | None,
    typer.Option(
        metavar=WHO,
        help="Who of several people in the photo: number from the left, point or box in pixels; else the largest.",
    ),
]
Background = Annotated[
    Path | None,
    typer.Option(
        help="Photo of the scene without the person, or video of them walking in it: fills what they covered."
    ),
]
Server = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="Have a server do it, on which --model is the model's name."),
]
ServerToken = Annotated[Path | None, typer.Option(help="A file with the bearer token that the server asks for.")]
ServerAuthority = Annotated[
    Path | None, typer.Option(help="Certificates (PEM) to know the server by; the connection is encrypted then.")
]
ServerTls = Annotated[
    bool, typer.Option("--server-tls", help="Encrypt the connection; the system's certificates say whom to trust.")
]
ServerCert = Annotated[Path | None, typer.Option(help="Your certificate (PEM), for a server that wants to know you.")]
ServerKey = Annotated[Path | None, typer.Option(help="Its private key (PEM).")]
InsecureToken = Annotated[bool, typer.Option("--insecure-token", help="Show the token without encryption, too.")]
ServerJpeg = Annotated[
    bool, typer.Option("--server-jpeg", help="Send pixels as JPEG of quality 95: fewer bytes, and not lossless.")
]
ServerTimeout = Annotated[float, typer.Option(min=1, help="Seconds that the server may take for a request.")]
PoseModel = Annotated[
    Path | None,
    typer.Option(help="MediaPipe's pose_landmarker .task file; else the bundled one, or one that is fetched once."),
]
RuntimeOption = Annotated[
    Runtime,
    typer.Option(
        "--runtime", help="What runs the networks; auto: LiteRT where the model has a .tflite file and no GPU is there."
    ),
]
Settings = Annotated[list[str], typer.Option("--set", metavar="KEY=VALUE", help="Override, e.g. train.batch_size=8.")]


Start = Annotated[
    str | None, typer.Option(metavar="TIME", help="Begin there in the video: seconds, mm:ss or hh:mm:ss.")
]
End = Annotated[str | None, typer.Option(metavar="TIME", help="End there in the video, a time as of --start.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is read.")]


class Split(StrEnum):
    """Parts of a dataset."""

    validation = "validation"
    train = "train"
    all = "all"


SplitOption = Annotated[Split, typer.Option(help="The clips to evaluate on.")]
Pairs = Annotated[int, typer.Option(min=1, help="Pairs of frames at most, spread evenly over the clips.")]
Seed = Annotated[int, typer.Option(min=0, help="Decides which pairs, and the resampling.")]
Poses = Annotated[bool, typer.Option(help="Find the poses in the results.")]
FeaturesWeights = Annotated[
    Path | None,
    typer.Option(
        help="A VGG19 or VGG16 .h5 for the VGG error, as loss.features_weights takes it; by default the one that the "
        "run was trained with."
    ),
]


@dataclass(frozen=True)
class ServerOptions:
    """What the options say of a server."""

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
    """The model, or a server's with the same face."""
    if not server.address:
        if server.token or server.tls or server.authority or server.certificate or server.key:
            raise UserError("--server-token and the like are for a server; name it with --server.")
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
        raise UserError("Servers are not sent backgrounds; leave out --background, or --server.")
    from tf_unseen_pose.inference.background import load_background

    return load_background(path, pose_model)


def require_writable(path: Path) -> None:
    """Finds out before minutes of work whether an image can be written.

    Raises:
        UserError: it cannot, for want of the folder or of a name's ending that says the format.
    """
    require_folder(path)
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
        raise UserError(f"{path} does not say in which format to write; end it in .png or .jpg.")
