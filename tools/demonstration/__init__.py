"""What `make course` shows: the site, and a class of seven learners graded as a real one is."""
