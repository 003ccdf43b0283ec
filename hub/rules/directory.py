"""How a student stands in the directory that the staff of a desk search by name. Pure."""

from sync.directory import Line, hint


def line(
    first_name: str,
    last_name: str | None,
    middle_name: str | None,
    preferred_name: str | None,
    school_year_name: str | None,
    main_address: str | None,
) -> Line:
    """The student by the name they use, with the other names they have and what tells them from a namesake."""
    used = preferred_name or first_name
    others = (first_name if used != first_name else None, middle_name)
    return Line(
        name=" ".join(filter(None, (used, last_name))),
        also=" ".join(filter(None, others)),
        year=school_year_name or "",
        hint=hint(main_address) if main_address else "",
    )
