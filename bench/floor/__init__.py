"""The references: the least code that could do each job, run beside ours."""
