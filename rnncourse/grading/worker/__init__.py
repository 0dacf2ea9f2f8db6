"""Inside the wall: what runs beside learners' code. The sandbox sees this room, whole, and nothing
else of the grader.
"""
