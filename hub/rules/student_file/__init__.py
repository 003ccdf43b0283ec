"""The student file: what its columns mean and what each row comes to. Pure.

Two steps for each row. `read_row` needs the row alone: cells become values, or problems. `plan_row` sets it beside what
is stored and answers `Create`, `Update`, `Unchanged`, `Skipped` or `Failed`. It works on a slice of what is stored
(`Known`), which it brings up to date, so that later rows see what earlier ones did. A row that fails changes nothing.

Problems carry a stable code; their texts are the documented ones, which people search for.
"""
