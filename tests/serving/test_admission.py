from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tf_unseen_pose.serving.admission import Admission
from tf_unseen_pose.serving.request_errors import RequestError
from tf_unseen_pose.serving.tensors import Limits


def code_of(admission, pixels):
    with pytest.raises(RequestError) as caught, admission.admit(pixels):
        pass
    return caught.value.code.name


def test_a_retry_is_asked_for_where_it_can_help():
    admission = Admission(100)
    with admission.admit(60):
        assert (code_of(admission, 41), code_of(admission, 101)) == ("RESOURCE_EXHAUSTED", "INVALID_ARGUMENT")
        with admission.admit(40):
            assert admission.pixels == 100
    with pytest.raises(ZeroDivisionError), admission.admit(100):
        raise ZeroDivisionError
    assert admission.pixels == 0


def test_pictures_that_unfold_to_too_much_together_wait_outside(start, as_file, refused, gate):
    served = start(limits=Limits(2**20, 10_000, 8, pixels_in_flight=15_000))
    flat = as_file(np.zeros((80, 100, 3), np.uint8))
    assert refused(served.client.predict, "sizes", {"image_bytes": [flat, flat]})[0] == "INVALID_ARGUMENT"
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(served.client.predict, "sizes", {"image_bytes": [flat]})
        assert gate.entered.acquire(timeout=20)
        code, sentence = refused(served.client.predict, "sizes", {"image_bytes": [flat]})
        assert code == "RESOURCE_EXHAUSTED" and "8000 pixels" in sentence
        gate.open.set()
        assert first.result()["size"].tolist() == [[80, 100]]
    assert served.client.predict("sizes", {"image_bytes": [flat]})["size"].tolist() == [[80, 100]]
