"""What `make look` shows: the site while it is written, each page as soon as its file is saved."""
