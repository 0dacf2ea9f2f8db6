"""What people read: a page for each learner and one on the class."""
