"""Limits the pixels of pictures in the server, and thereby its memory.

A small file may decode to gigabytes; its header states the number of pixels before decoding.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc

from tf_unseen_pose.serving.request_errors import RequestError, invalid


class Admission:
    """Admits requests while the sum of their pixels is below a limit. For the event loop's thread.

    Args:
        most: pixels of all waiting and running requests.

    Attributes:
        pixels: of the admitted requests.
    """

    def __init__(self, most: int):
        self._most, self.pixels = most, 0

    @contextmanager
    def admit(self, pixels: int) -> Iterator[None]:
        """Counts a request's pixels for as long as the context lasts.

        Raises:
            RequestError: INVALID_ARGUMENT if they exceed the limit alone; RESOURCE_EXHAUSTED if they fit once others
                have left.
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
