"""What both faces share: vendored htmx and CSS, design tokens, security headers, language choice.

No word of the domain lives here: nothing in this package knows what a check-in is.
"""
