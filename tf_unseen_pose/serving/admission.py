"""How many pixels of pictures may be in the server at a time: memory is bounded by them, not by the number of requests.

A picture of few bytes may unfold to gigabytes. Its header says to how many pixels before any of them is decoded.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from tf_unseen_pose.serving.request_errors import RequestError, invalid


class Admission:
    """Lets requests in as long as their pictures have few enough pixels together. For the event loop's thread.

    Args:
        most: pixels of all requests that wait or run.

    Attributes:
        pixels: of those that are in now.
    """

    def __init__(self, most: int):
        self._most, self.pixels = most, 0

    @contextmanager
    def admit(self, pixels: int) -> Iterator[None]:
        """Counts a request's pixels for as long as the context lasts.

        Raises:
            RequestError: INVALID_ARGUMENT where they are too many for an empty server, too; RESOURCE_EXHAUSTED where
                they will fit when others have left.
        """
        if pixels > self._most:
            raise invalid(
                f"The request's pictures have {pixels} pixels together, at most {self._most} are allowed: send fewer, "
                "or shrink them."
            )
        if self.pixels + pixels > self._most:
            raise RequestError(
                grpc.StatusCode.RESOURCE_EXHAUSTED,
                f"The server is processing {self.pixels} pixels, and this request would exceed {self._most}; try "
                "again in a moment.",
            )
        self.pixels += pixels
        try:
            yield
        finally:
            self.pixels -= pixels
