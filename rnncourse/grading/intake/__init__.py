"""From an LMS' archive to submitted/<learner>/<assignment>/."""
