"""What an institution's staff may do, by role."""

ADMIN = "admin"
IMPORT, EXPORT, VIEW_STUDENTS, AUDIT = "import", "export", "view-students", "audit"
ROLES: dict[str, frozenset[str]] = {
    ADMIN: frozenset({IMPORT, EXPORT, VIEW_STUDENTS, AUDIT}),
    "career_centre": frozenset({IMPORT, EXPORT, VIEW_STUDENTS}),
    "event_staff": frozenset({IMPORT, EXPORT}),
}
