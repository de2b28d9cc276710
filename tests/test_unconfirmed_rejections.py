"""Rejections wait until something is accepted: if nothing is, the data is not the cause."""

from target_pinterest_capi.delivery.unconfirmed_rejections import (
    REJECTIONS_BEFORE_STOP,
    UnconfirmedRejections,
)


def test_rejections_are_held_until_one_is_confirmed():
    """The first refused ones are held, and returned once; later ones are confirmed already."""
    rejections: UnconfirmedRejections[str] = UnconfirmedRejections()
    assert [rejections.hold(name) for name in "ab"] == [True, True]
    assert (len(rejections), rejections.are_too_many) == (2, False)
    assert rejections.confirm() == ["a", "b"]
    assert (rejections.hold("c"), rejections.confirm(), len(rejections)) == (False, [], 0)


def test_third_rejection_without_an_acceptance_is_too_many():
    """Three refused single events or members, and none accepted, stop a run."""
    rejections: UnconfirmedRejections[int] = UnconfirmedRejections()
    found = []
    for number in range(4):
        rejections.hold(number)
        found.append(rejections.are_too_many)
    assert found == [False, False, True, True]
    assert REJECTIONS_BEFORE_STOP == 3


def test_released_rejections_confirm_nothing():
    """If nothing can confirm them they are returned, and later ones are held."""
    rejections: UnconfirmedRejections[str] = UnconfirmedRejections()
    rejections.hold("a")
    assert rejections.release() == ["a"]
    assert rejections.hold("b")
    assert not rejections.are_too_many
