"""What a submission costs in plain nbgrader and in this grader, measured.

python -m tools.bench --help
"""
