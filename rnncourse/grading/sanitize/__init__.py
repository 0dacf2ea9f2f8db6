"""Learners' text and HTML, so that nothing runs where it is shown."""
