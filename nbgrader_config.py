"""Where nbgrader finds this course: what an instructor edits, what a learner opens, and what grades
it."""

from pathlib import Path

from rnncourse.grading.nbgrader_plugin import install

c = get_config()  # type: ignore[name-defined]  # noqa: F821

c.CourseDirectory.course_id = "rnncourse"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
install(c, Path(__file__).parent)
