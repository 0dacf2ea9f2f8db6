"""A file that was handed in, read and put in order by the instructor's notebook."""
