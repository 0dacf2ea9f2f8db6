"""What goes wrong for a reason that the person at the keyboard can mend."""


class CourseError(Exception):
    """One clear sentence for whoever gave the input. The command line prints it and stops."""
