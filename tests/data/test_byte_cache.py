import numpy as np

from tf_unseen_pose.data.byte_cache import byte_cache


def test_the_arrays_used_last_are_kept_as_far_as_they_fit():
    """However many there are: a thousand small ones, or one panorama."""
    made = []

    def array(number, size):
        made.append(number)
        return np.zeros(size, np.uint8)

    kept = byte_cache(1000)(array)
    for number in range(100):
        kept(number, 10)
    for number in range(100):
        kept(number, 10)
    assert made == list(range(100))
    kept(100, 900)
    assert sum(value.nbytes for value in kept.cache.values()) <= 1000 and (100, 900) in kept.cache
    kept(99, 10)
    assert made[-1] == 100
    kept(101, 1001)
    assert kept(101, 1001).nbytes == 1001 and made[-2:] == [101, 101]
