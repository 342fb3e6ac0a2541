"""Whether two sets of descriptors may be compared: distances across models mean nothing."""

from sscd.data.descriptors import Origin
from sscd.errors import UserError


def check_same_origin(
    a: Origin, b: Origin, *, names: tuple[str, str] = ("queries", "references")
) -> str | None:
    """Check that one model, fed and followed alike, made both.

    Args:
        a: What made the first.
        b: What made the second.
        names: What the two are called in messages.

    Returns:
        A warning to print where only one of them says what made it; None where there is nothing to
        say, as where neither does.

    Raises:
        UserError: Both are known, and the models, the preprocessing or the postprocessing differ.
    """
    for part in ("model", "preprocessing"):
        first, second = getattr(a, part), getattr(b, part)
        if first and second and first != second:
            raise _differ(part, (first, second), names, of=(a, b))
    known = (a != Origin(), b != Origin())
    # An empty postprocessing says that there was none, unless nothing at all is known.
    if all(known) and a.postprocessing != b.postprocessing:
        both = (a.postprocessing or "none", b.postprocessing or "none")
        raise _differ("postprocessing", both, names, of=(a, b))
    for part in ("model", "preprocessing", "postprocessing"):
        said = [bool(getattr(origin, part)) for origin in (a, b)]
        if said[0] != said[1]:
            silent, other = (names[1], names[0]) if said[0] else (names[0], names[1])
            value = getattr(a, part) or getattr(b, part)
            return (
                f"the {silent} do not say which {part} made them, the {other} say {value}; "
                "figures mean something only if it is the same"
            )
    return None


def _differ(
    part: str, values: tuple[str, str], names: tuple[str, str], *, of: tuple[Origin, Origin]
) -> UserError:
    models = "" if part == "model" else f" (models {of[0].model or '?'} and {of[1].model or '?'})"
    return UserError(
        f"{names[0]} and {names[1]} differ in {part}: {values[0]} and {values[1]}{models}; "
        "distances between them mean nothing, describe both with one model and the same settings"
    )
