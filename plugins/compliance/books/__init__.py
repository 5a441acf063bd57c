"""The books, each as data: what is written in them, by whom and by when."""
