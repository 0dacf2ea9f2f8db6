"""What hostile submissions try: to gain marks, to read secrets, to harm other learners' grading.

`attack` says what an attack is; `reading`, `forgery`, `harm`, `damage` and `outward` hold them;
`classroom` grades a class of them with the real command.
"""
