"""What learners hand in: collected, read, put in order by the instructor's notebook."""
