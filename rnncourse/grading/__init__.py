"""The grader: a class of notebooks in, marks in nbgrader's gradebook and feedback pages out.

Needs the extra `rnncourse[grading]`. Nothing that a learner runs imports it.
"""
