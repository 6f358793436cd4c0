"""A golf club in both hands of a person in motion: the hands meet on its grip, and it swings as the arms do.

Convention: lengths in body units, points in the body's frame (see `motion`), the floor at y = 0.
"""

import numpy as np

from tf_unseen_pose.known_skeletons import PERSON

# From the middle of the hands to the head.
CLUB_LENGTH = 0.44
# From the elbow to the palm, in forearms.
_PALM = 1.3
# Between the palms along the shaft; between the head and the floor at least.
_HANDS_APART, _CLEARANCE = 0.05, 0.02
# Of an arm's length; a straight arm would leave its elbow no way to bend.
_REACH = 0.98
# Degrees that the club turns about the line of sight for each degree of the arms: wrists cock on the way up.
_COCKING = 1.9
# Degrees that the club points ahead when it hangs, and behind when it is raised.
_AHEAD, _BEHIND = 35, 15


def with_club(joints: np.ndarray, left_handed: bool) -> np.ndarray:
    """Puts a club into the hands: the arms are bent anew, hand by hand on the grip, the lead hand above.

    Args:
        joints: [T, 14, 3] in the order of `PERSON.joints`.
        left_handed: whether the right hand leads.

    Returns:
        [T, 16, 3] in the order of `GOLF.joints`, arms and club of the same lengths in every frame. The grip lies
        midway between the palms.
    """
    arms = {
        side: [joints[:, i] for i in PERSON.joint_index(*(f"{side}_{name}" for name in ("shoulder", "elbow", "wrist")))]
        for side in ("right", "left")
    }
    chest = (arms["right"][0] + arms["left"][0]) / 2
    palms = [elbow + _PALM * (wrist - elbow) for _, elbow, wrist in arms.values()]
    away = (palms[0] + palms[1]) / 2 - chest
    grip = chest + away * np.min([_within_reach(chest, away, *arm) for arm in arms.values()], axis=0)[:, None]
    shaft = _above_floor(_pointing(away), grip)
    joints = np.concatenate([joints, grip[:, None], (grip + CLUB_LENGTH * shaft)[:, None]], axis=1)
    for side, (shoulder, elbow, wrist) in arms.items():
        leads = (side == "right") == left_handed
        palm = grip + (-0.5 if leads else 0.5) * _HANDS_APART * shaft
        # Elbows point down, a little outwards and back.
        pole = np.array([-0.5 if side == "right" else 0.5, 1, -0.2])
        new_elbow = _elbow(shoulder, palm, _length(elbow - shoulder), _PALM * _length(wrist - elbow), pole)
        joints[:, PERSON.joints.index(f"{side}_elbow")] = new_elbow
        joints[:, PERSON.joints.index(f"{side}_wrist")] = new_elbow + (palm - new_elbow) / _PALM
    return joints


def _length(vectors: np.ndarray) -> np.ndarray:
    """[T, 1]."""
    return np.linalg.norm(vectors, axis=-1, keepdims=True)


def _within_reach(
    chest: np.ndarray, away: np.ndarray, shoulder: np.ndarray, elbow: np.ndarray, wrist: np.ndarray
) -> np.ndarray:
    """[T]: the part, 1 at most, of the way from the chest that an arm can follow."""
    reach = _REACH * (_length(elbow - shoulder) + _PALM * _length(wrist - elbow))[:, 0] - _HANDS_APART / 2
    start = chest - shoulder
    # The positive root of |start + part * away| = reach.
    a, b, c = (away**2).sum(-1), (start * away).sum(-1), (start**2).sum(-1) - reach**2
    return np.minimum((np.sqrt(b**2 - a * c) - b) / a, 1)


def _pointing(away: np.ndarray) -> np.ndarray:
    """Unit vectors [T, 3] from grip to head: further about than the arms, which point from the chest `away`."""
    turn = np.radians(_COCKING) * np.degrees(np.arctan2(away[:, 0], away[:, 1]))
    ahead = np.radians((_AHEAD - _BEHIND) / 2 + (_AHEAD + _BEHIND) / 2 * np.cos(turn))
    return np.stack([np.sin(turn) * np.cos(ahead), np.cos(turn) * np.cos(ahead), np.sin(ahead)], axis=-1)


def _above_floor(shaft: np.ndarray, grip: np.ndarray) -> np.ndarray:
    """The directions, made less steep where the head would touch the floor."""
    down = np.minimum(shaft[:, 1], (-_CLEARANCE - grip[:, 1]) / CLUB_LENGTH)
    level = shaft * [1, 0, 1]
    level = level / _length(level) * np.sqrt(1 - down**2)[:, None]
    return np.stack([level[:, 0], down, level[:, 2]], axis=-1)


def _elbow(shoulder: np.ndarray, palm: np.ndarray, upper: np.ndarray, fore: np.ndarray, pole: np.ndarray) -> np.ndarray:
    """[T, 3]: where an arm of lengths `upper` and `fore` [T, 1] bends towards `pole` [3]."""
    distance = _length(palm - shoulder)
    along = (palm - shoulder) / distance
    aside = pole - (along @ pole)[:, None] * along
    foot = (upper**2 - fore**2 + distance**2) / (2 * distance)
    return shoulder + foot * along + np.sqrt(upper**2 - foot**2) * aside / _length(aside)
